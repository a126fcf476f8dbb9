"""The Compare tab: what is compared, the ratio as it narrows, the verdict in words, shape and colour, and Stop."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from gui import text, theme
from gui.models import comparison_words as words
from gui.models.comparisons import Comparisons
from gui.widgets.column import Column
from gui.widgets.labels import label, set_role
from gui.widgets.ratio_plot import RatioPlot

FACTS_WIDTH = 280
ICON = 18
STEPS = 1000


class ComparePane(QWidget):
    """Shows the comparison of a window."""

    def __init__(self, comparisons: Comparisons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("comparePane")
        self._comparisons, self._model = comparisons, comparisons.model
        self._seen: tuple[object, ...] = ()
        self.empty = label("muted", "compareEmpty", wraps=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.shape, self.verdict = QLabel(), label("figure", "compareVerdict", wraps=True)
        self.ratio, self.standing = label("", "compareRatio", wraps=True), label("muted", "compareStanding", wraps=True)
        self.letters = (label("section"), label("section"))
        self.names = (label("strong", "compareSideA", wraps=True), label("strong", "compareSideB", wraps=True))
        self.medians = (label("muted"), label("muted"))
        self.progress = QProgressBar(objectName="compareProgress")
        self.progress.setRange(0, STEPS)
        self.progress.setTextVisible(False)
        self.stop_button, self.again_button = QPushButton(objectName="compareStopButton"), QPushButton(objectName="compareAgainButton")
        self.plot = RatioPlot(self._model)
        self._lay_out()
        self.stop_button.clicked.connect(comparisons.stop)
        self.again_button.clicked.connect(comparisons.again)
        for signal in (self._model.changed, comparisons.baseline_changed):
            signal.connect(self.show_state)
        for signal in (text.current.changed, theme.notifier.changed):
            signal.connect(self.retranslate)
        self.retranslate()

    def sizeHint(self) -> QSize:
        """As high as the results."""
        return QSize(640, 220)

    def minimumSizeHint(self) -> QSize:
        """Low: the words scroll where there is no room for all, and the tab takes none from the graphs above."""
        return QSize(420, 140)

    def retranslate(self) -> None:
        """Say every word again."""
        self.empty.setText(text.say("compare.empty"))
        for letter, code in zip(self.letters, ("compare.side-a", "compare.side-b"), strict=True):
            letter.setText(text.say(code))
        self.stop_button.setToolTip(text.say("compare.stop.tip"))
        self.stop_button.setIcon(theme.icon("stop"))
        self.again_button.setText(text.say("compare.again"))
        self.again_button.setIcon(theme.icon("compare"))
        self.plot.retranslate()
        self.show_state()

    def show_state(self) -> None:
        """Show the comparison as it stands."""
        model = self._model
        self._pages.setCurrentIndex(int(model.state != "empty"))
        self._show_headline()
        self.ratio.setText(words.ratio_text(model))
        self.standing.setText(words.standing_text(model))
        for index in (0, 1):
            self.names[index].setText(model.names[index])
            self.medians[index].setText(words.side_text(model, index))
        self.progress.setVisible(model.is_busy)
        self.progress.setValue(round(STEPS * model.progress.fraction) if model.progress is not None else 0)
        self.stop_button.setVisible(model.is_busy)
        self.stop_button.setText(text.say("compare.stop-now" if model.is_stopping else "compare.stop"))
        set_role(self.stop_button, "danger" if model.is_stopping else "")
        self.again_button.setVisible(not model.is_busy)
        self.again_button.setEnabled(self._comparisons.can_repeat)
        self.plot.update()

    def _show_headline(self) -> None:
        said, shape, role = words.headline(self._model)
        self.verdict.setText(said)
        self.verdict.setStyleSheet(f"color: {getattr(theme.colours(), role)};")
        self.shape.setVisible(bool(shape))
        if shape:
            self.shape.setPixmap(theme.icon(shape, role).pixmap(ICON, ICON))

    def _lay_out(self) -> None:
        sides = QGridLayout()
        sides.setContentsMargins(0, 0, 0, 0)
        sides.setHorizontalSpacing(8)
        sides.setVerticalSpacing(0)
        for index in (0, 1):
            sides.addWidget(self.letters[index], 2 * index, 0, Qt.AlignmentFlag.AlignTop)
            sides.addWidget(self.names[index], 2 * index, 1)
            sides.addWidget(self.medians[index], 2 * index + 1, 1)
        sides.setColumnStretch(1, 1)
        head, buttons = QHBoxLayout(), QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.shape)
        head.addWidget(self.verdict, 1)
        buttons.addWidget(self.stop_button)
        buttons.addWidget(self.again_button)
        buttons.addStretch(1)
        said, facts = Column(), QWidget()
        facts.setFixedWidth(FACTS_WIDTH)
        column = QVBoxLayout(said)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.ratio)
        column.addWidget(self.standing)
        column.addSpacing(4)
        column.addLayout(sides)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(said)
        whole = QVBoxLayout(facts)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(8)
        whole.addWidget(scroll, 1)
        whole.addWidget(self.progress)
        whole.addLayout(buttons)
        both = QWidget()
        row = QHBoxLayout(both)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(facts)
        row.addWidget(self.plot, 1)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self.empty)
        self._pages.addWidget(both)

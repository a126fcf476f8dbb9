"""The set-up pane: model, inputs, settings, and the buttons that start and stop a job."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gui import text, theme
from gui.models.quantity import duration_text
from gui.models.run_model import RunModel
from gui.models.setup_model import SetupModel
from gui.widgets.column import Column
from gui.widgets.inputs_table import InputsTable
from gui.widgets.labels import label, set_role
from gui.widgets.model_card import ModelCard
from gui.widgets.model_list import ModelListView
from gui.widgets.settings_chips import SettingsChips


class SetupPane(QWidget):
    """Shows a `SetupModel`. Signals ask the window to act; the pane itself starts nothing."""

    run_requested = Signal()
    cancel_requested = Signal()
    stop_requested = Signal()

    def __init__(self, setup: SetupModel, run: RunModel, more_open: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("setupPane")
        self._setup, self._run = setup, run
        self._engine = "starting"
        self._cancelling = False
        self.list_view = ModelListView(setup.models)
        self.card = ModelCard(setup.models)
        self.inputs = InputsTable(setup.models)
        self.chips = SettingsChips(setup, more_open)
        self._none = label("muted", wraps=True)
        self._captions = {code: label("section") for code in ("setup.model", "setup.inputs", "setup.settings")}
        self._note = label("muted", "runNote", wraps=True)
        self.run_button = self._button("runButton", "primary", self.run_requested.emit)
        self.cancel_button = self._button("cancelButton", "", self._cancel)
        self.stop_button = self._button("stopNowButton", "danger", self.stop_requested.emit)
        self._stops = QWidget()  # a bare layout of hidden buttons would be taken as no wider than nothing, and the note above it as high as that makes it
        self._lay_out()
        self.chips.more_toggled.connect(lambda is_open: QTimer.singleShot(0, self, self._show_more) if is_open else None)
        for signal in (setup.changed, self.inputs.edited, run.state_changed, text.current.changed):
            signal.connect(self.retranslate)
        self.retranslate()

    def set_engine(self, state: str) -> None:
        """`starting`, `ready` or `failed`."""
        self._engine = state
        self.retranslate()

    def retranslate(self) -> None:
        """Say every word again, and show what can be pressed."""
        for code, caption in self._captions.items():
            caption.setText(text.say(code))
        has_model = self._setup.models.current is not None
        self._none.setText(text.say("setup.none"))
        self._none.setVisible(not has_model)
        self._captions["setup.inputs"].setVisible(has_model)
        if self._run.state not in ("queued", "running"):
            self._cancelling = False
        self._show_run_button()
        self._show_stop_buttons()

    def _button(self, name: str, role: str, pressed: object) -> QPushButton:
        button = QPushButton(objectName=name)
        button.setProperty("role", role)
        button.clicked.connect(pressed)
        return button

    def _lay_out(self) -> None:
        inner = Column()
        column = QVBoxLayout(inner)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        groups: tuple[tuple[str, tuple[QWidget, ...]], ...] = (
            ("setup.model", (self._none, self.list_view, self.card)), ("setup.inputs", (self.inputs,)), ("setup.settings", (self.chips,)),
        )
        for code, widgets in groups:
            column.addWidget(self._captions[code])
            for widget in widgets:
                column.addWidget(widget)
            column.addSpacing(8)
        column.addStretch(1)
        self._scroll = scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scroll, 1)
        whole.addLayout(self._foot())

    def _show_more(self) -> None:
        """What was opened below the edge comes into sight: all of it, or, where there is no room for all, from its button on."""
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)  # the column has its new height after this
        inner, bar, gap = self._scroll.widget(), self._scroll.verticalScrollBar(), theme.SPACING[2]
        top = self.chips.more_button.mapTo(inner, QPoint(0, 0)).y() - gap
        end = self.chips.mapTo(inner, QPoint(0, self.chips.height())).y() + gap - self._scroll.viewport().height()
        bar.setValue(max(bar.value(), min(top, end)))

    def _foot(self) -> QVBoxLayout:
        foot, stops = QVBoxLayout(), QHBoxLayout(self._stops)
        foot.setContentsMargins(12, 8, 12, 12)
        foot.setSpacing(8)
        stops.setContentsMargins(0, 0, 0, 0)
        stops.setSpacing(8)
        stops.addWidget(self.cancel_button, 1)
        stops.addWidget(self.stop_button)
        foot.addWidget(self._note)
        foot.addWidget(self.run_button)
        foot.addWidget(self._stops)
        return foot

    def _show_run_button(self) -> None:
        missing = self._setup.missing() or ("" if self.chips.is_valid and self.inputs.is_valid else "run.fix-field")
        busy = self._run.state in ("queued", "running")
        self.run_button.setEnabled(not missing and not busy and self._engine != "failed")
        self.chips.teach_button.setEnabled(self.run_button.isEnabled())
        self._say_run(bool(missing))
        self.run_button.setToolTip(text.say("run.tip"))
        self._note.setText(text.say(missing) if missing and not busy else self._left_out())
        self._note.setVisible(bool(self._note.text()))

    def _say_run(self, missing: bool) -> None:
        """The whole sentence where the button is wide enough for it (fonts differ), a shorter one where not."""
        whole = self._run_text(missing)
        self.run_button.setAccessibleName(whole)
        room = self.run_button.width() - 2 * theme.SPACING[2]
        fits = self.run_button.fontMetrics().horizontalAdvance(whole) <= room
        self.run_button.setText(whole if fits else self._run_text(missing, "run.run-short"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the words again that fit the button."""
        super().resizeEvent(event)
        self._show_run_button()

    def _run_text(self, missing: bool, code: str = "") -> str:
        if self._run.state == "queued":
            return text.say("run.starting" if self._engine == "starting" else "run.waiting")
        if self._run.state == "running":
            return text.say("run.running")
        if self._engine == "failed":
            return text.say("run.engine-failed")
        if missing:
            return text.say("run.plain")
        count, time = len(self._setup.possible()), duration_text(self._setup.estimate_s())
        return text.say(code or ("run.run-one" if count == 1 else "run.run"), count=count, time=time)

    def _left_out(self) -> str:
        if self._setup.models.current is None:
            return ""
        lines = []
        for choice, count in self._setup.left_out():
            reason = text.say_reason(choice.code, choice.values)
            lines.append(text.say("run.left-out-one" if count == 1 else "run.left-out", count=count, reason=reason))
        return "\n".join(lines)

    def _show_stop_buttons(self) -> None:
        busy = self._run.state in ("queued", "running")
        self._stops.setVisible(busy)
        self.cancel_button.setVisible(busy)
        self.cancel_button.setEnabled(not self._cancelling)
        self.cancel_button.setText(text.say("run.cancelling" if self._cancelling else "run.cancel"))
        self.cancel_button.setToolTip(text.say("run.cancel.tip"))
        self.stop_button.setVisible(busy and self._cancelling)
        self.stop_button.setText(text.say("run.stop-now"))
        self.stop_button.setToolTip(text.say("run.stop-now.tip"))
        set_role(self.stop_button, "danger")

    def _cancel(self) -> None:
        self._cancelling = True
        self.retranslate()
        self.cancel_requested.emit()

"""One figure: digits that never move their neighbours, a unit, and a caption below."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.labels import label, set_role

SIZES = {"headline": 28, "figure": 20, "grade": 15}
GRADE_COLOURS = {"good": "good", "noisy": "caution", "poor": "bad"}
LINE_HEIGHT = 36
ICON_SIZE = 16


class Figure(QWidget):
    """`widest` is the longest number with its unit that is expected: room for it is kept from the start."""

    def __init__(self, role: str, widest: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role, self._widest = role, widest
        self.value, self.unit, self.caption = label(role, f"{name}Value"), label("unit", f"{name}Unit"), label("muted", f"{name}Caption")
        self.picture = label()
        self.picture.setVisible(False)
        self._lay_out()

    def show_figure(self, value: str, unit: str, caption: str, tip: str, is_muted: bool = False) -> None:
        """Put in all words at once."""
        if self._role != "grade":
            set_role(self.value, "figure-muted" if is_muted else self._role)
        for made, words in ((self.value, value), (self.unit, unit), (self.caption, caption)):
            if made.text() != words:
                made.setText(words)
        self.setToolTip(tip)
        self.setAccessibleName(f"{caption}: {value} {unit}".strip())
        self._keep_room()

    def show_grade(self, name: str) -> None:
        """A shape beside the word, both in the grade's colour; no shape for an empty name."""
        self.picture.setVisible(bool(name))
        set_role(self.value, f"grade-{name}" if name else "grade")
        if name:
            self.picture.setPixmap(theme.icon(name, GRADE_COLOURS[name]).pixmap(QSize(ICON_SIZE, ICON_SIZE)))
        self._keep_room()

    def _keep_room(self) -> None:
        metrics = QFontMetrics(theme.font(SIZES[self._role]))
        number, _, unit = self._widest.partition(" ")
        widest = metrics.horizontalAdvance(number) + QFontMetrics(theme.font(15)).horizontalAdvance(unit) + 6
        self.layout().activate()
        # Room only grows while a figure is on the screen: what stands beside it never jumps back and forth.
        self.setMinimumWidth(max(self.minimumWidth(), widest, self.sizeHint().width()))

    def _lay_out(self) -> None:
        line, column = QHBoxLayout(), QVBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        for made in (self.picture, self.value, self.unit):
            line.addWidget(made, 0, Qt.AlignmentFlag.AlignVCenter if made is self.picture else Qt.AlignmentFlag.AlignBaseline)
        line.addStretch(1)
        line.addStrut(LINE_HEIGHT)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self.caption)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

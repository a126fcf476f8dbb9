"""Load, prepare, first call and warm-up as one stacked bar with its times below."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from engine import units
from engine.result import Phases
from gui import text, theme
from gui.widgets.labels import label

NAMES = ("load", "prepare", "first_call", "warm_up")
BAR_HEIGHT = 12
SWATCH = 8
LEAST_PX = 3.0


class _Bar(QWidget):
    """The stacked bar alone."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(BAR_HEIGHT)
        self.parts: list[tuple[str, float]] = []

    def paintEvent(self, event: QPaintEvent) -> None:
        """A part that took any time at all is seen."""
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        total = sum(ms for _, ms in self.parts) or 1.0
        room, x = self.width() - LEAST_PX * len(self.parts), 0.0
        for name, ms in self.parts:
            width = LEAST_PX + ms / total * room
            painter.setBrush(colour(name))
            painter.drawRect(QRectF(x, 0, width - 1, BAR_HEIGHT))
            x += width


class _Swatch(QWidget):
    """The bar's colour beside its word."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self.setFixedSize(SWATCH, SWATCH)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A plain square."""
        QPainter(self).fillRect(self.rect(), colour(self._name))


def colour(name: str) -> QColor:
    """A phase's colour; warm-up is as grey as its points."""
    theme_now = theme.colours()
    return QColor(theme_now.faint if name == "warm_up" else theme_now.series[NAMES.index(name)])


class PhaseBar(QWidget):
    """Shows a `Phases`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar, self._note = _Bar(), label("muted")
        self._names: dict[str, QLabel] = {name: label("small") for name in NAMES}
        self._times: dict[str, QLabel] = {name: label("small") for name in NAMES}
        self._parts = label("muted", wraps=True)
        self._lines = QWidget()
        grid = QGridLayout(self._lines)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for place, name in enumerate(NAMES):
            self._times[name].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(_Swatch(name), place, 0)
            grid.addWidget(self._names[name], place, 1)
            grid.addWidget(self._times[name], place, 2, Qt.AlignmentFlag.AlignRight)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._bar)
        column.addWidget(self._note)
        column.addWidget(self._lines)
        column.addWidget(self._parts)

    def show_phases(self, phases: Phases) -> None:
        """Put in the times; what is not known is an em dash."""
        times = {name: getattr(phases, name) for name in NAMES}
        self._bar.parts = [(name, ms) for name, ms in times.items() if ms is not None]
        self._bar.setVisible(bool(self._bar.parts))
        self._bar.update()
        self._note.setVisible(not self._bar.parts)
        self._note.setText(text.say("phase.none"))
        self._lines.setVisible(bool(self._bar.parts))
        self._parts.setText(_load_parts(phases))
        self._parts.setVisible(bool(self._parts.text()))
        for name, ms in times.items():
            self._names[name].setText(text.say(f"phase.{name}"))
            self._times[name].setText(units.format_duration_ms(ms))
            for made in (self._names[name], self._times[name]):
                made.setToolTip(text.say(f"phase.{name}.tip"))


def _load_parts(phases: Phases) -> str:
    """What loading was made of, where it could be told apart."""
    if phases.load_reading is None:
        return ""
    reading = units.format_duration_ms(phases.load_reading)
    if phases.load_moving is None:
        return text.say("phase.load_read", reading=reading)
    return text.say("phase.load_parts", reading=reading, moving=units.format_duration_ms(phases.load_moving))

"""The crosshair that plots over one time axis share: a vertical line at one time in all of them, and a mark on what each reads out there."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen

from gui import theme

MARK_PX = 4.5


class Crosshair(QObject):
    """Where the pointer is, in seconds since the run began; None when it is over no plot. `moved` when it is elsewhere."""

    moved = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.t_s: float | None = None

    def point(self, t_s: float | None) -> None:
        """Put it at a time, or take it away."""
        if t_s != self.t_s:
            self.t_s = t_s
            self.moved.emit()


def paint_line(painter: QPainter, x: float, height: float) -> None:
    """The line itself, from top to bottom."""
    painter.setPen(QPen(QColor(theme.colours().muted), 0, Qt.PenStyle.DotLine))
    painter.drawLine(QPointF(x, 0), QPointF(x, height))


def paint_mark(painter: QPainter, x: float, y: float, colour: str) -> None:
    """A dot on the value that is read out."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(theme.colours().surface))
    painter.setBrush(QColor(colour))
    painter.drawEllipse(QPointF(x, y), MARK_PX, MARK_PX)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

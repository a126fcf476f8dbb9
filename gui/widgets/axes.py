"""Axes and view of a plot over time: plain numbers in one unit, a view that tells when the user moved it."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal

from gui import text, theme

LEFT_WIDTH = 56
BOTTOM_HEIGHT = 22
SMALLEST_S = 1e-4
ZOOM_STEP = 1.0015


class UnitAxis(pg.AxisItem):
    """Ticks that are round numbers in a unit which is given from outside; no prefixes of its own."""

    def __init__(self, side: str) -> None:
        super().__init__(side)
        self.enableAutoSIPrefix(False)
        self.setStyle(tickLength=0, tickTextOffset=6, autoExpandTextSpace=False, hideOverlappingLabels=True, maxTickLevel=0)
        if side == "left":
            self.setWidth(LEFT_WIDTH)
        else:
            self.setHeight(BOTTOM_HEIGHT)
        self._length = 1.0
        self.restyle()

    def set_unit_length(self, length: float) -> None:
        """How much of the data's unit one unit of the axis is."""
        if length != self._length:
            self._length = length
            self.setScale(1.0 / length)

    def restyle(self) -> None:
        """Take the colours and the font of the theme."""
        colours = theme.colours()
        self.setPen(pg.mkPen(colours.border))
        self.setTickPen(pg.mkPen(colours.grid))
        self.setTextPen(pg.mkPen(colours.muted))
        self.setStyle(tickFont=theme.font(11))
        self.setGrid(255)

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """As many digits as the distance between two ticks needs."""
        suffix = text.say("plot.seconds") if self.orientation == "bottom" else ""
        return [f"{each}{suffix}" for each in tick_strings(values, scale, spacing)]


def tick_strings(values: list[float], scale: float, spacing: float) -> list[str]:
    """Plain numbers with thousands apart."""
    places = 0
    while places < 9 and abs(round(spacing * scale, places) - spacing * scale) > abs(spacing * scale) * 1e-6:
        places += 1
    # Adding zero turns -0.0 into 0.0.
    return [f"{round(value * scale, places) + 0.0:,.{places}f}" for value in values]


class TimeView(pg.ViewBox):
    """Wheel zooms time, Shift+wheel the values, dragging moves, a double click asks for everything again."""

    moved_by_user = Signal()
    values_zoomed = Signal()
    reset_requested = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=True, y=False)
        self.disableAutoRange()
        self.setDefaultPadding(0)
        self.setLimits(minXRange=SMALLEST_S)
        self.sigRangeChangedManually.connect(lambda *_: self.moved_by_user.emit())

    def wheelEvent(self, ev: Any, axis: int | None = None) -> None:
        """Zoom around the pointer."""
        factor = ZOOM_STEP ** -ev.delta()
        centre = self.mapToView(ev.pos())
        if ev.modifiers() & Qt.KeyboardModifier.ShiftModifier or axis == 1:
            self.scaleBy(y=factor, center=QPointF(centre.x(), self.viewRange()[1][0]))
            self.values_zoomed.emit()
        else:
            self.scaleBy(x=factor, center=centre)
            self.moved_by_user.emit()
        ev.accept()

    def mouseDoubleClickEvent(self, ev: Any) -> None:
        """Everything again."""
        self.reset_requested.emit()
        ev.accept()

"""The sheet over a plot's grid on which points, lines and bands are painted by hand, in pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from gui.widgets.axes import TimeView


class Canvas(pg.GraphicsObject):
    """Painted by hand over the grid, in pixels of the view."""

    def __init__(self, view: TimeView, paint: Callable[[QPainter], None]) -> None:
        super().__init__()
        self._view, self._paint = view, paint
        self.setParentItem(view)
        self.setZValue(10)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def boundingRect(self) -> QRectF:
        """The whole view."""
        return QRectF(self._view.rect())

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Let the plot paint."""
        self._paint(painter)


def paint_bands(painter: QPainter, bands: list[tuple[float, float]], width: float, height: float, colour: str, strength: float) -> None:
    """Bands from left to right pixel behind the data; what touches on the screen is one band."""
    shade, merged = QColor(colour), list[tuple[float, float]]()
    shade.setAlphaF(strength)
    for left, right in sorted(bands):
        if right < 0 or left > width:
            continue
        if merged and left <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(right, merged[-1][1]))
        else:
            merged.append((left, max(right, left + 2)))
    for left, right in merged:
        painter.fillRect(QRectF(left, 0, right - left, height), shade)

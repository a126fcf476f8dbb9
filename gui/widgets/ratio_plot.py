"""The ratio of a comparison and its interval, narrowing over the blocks, with the band that counts as the same."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.verdict import SAME_WITHIN
from gui import text, theme
from gui.models.comparison_model import ComparisonModel, Step
from gui.models.comparison_words import ROLES, percent

LEFT, RIGHT, TOP, BOTTOM = 56, 12, 22, 22
LEAST_HALF, MOST_HALF, MARGIN = 0.035, 0.5, 0.006
"""Of the range shown, in the ratio: the band always fits, and the wide intervals of the first rounds may reach beyond the edge."""
STEPS_PERCENT = (1, 2, 5, 10, 20, 50)
DOT = 3.5


class RatioPlot(QWidget):
    """Draws the steps of a `ComparisonModel`."""

    def __init__(self, model: ComparisonModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("ratioPlot")
        self._model = model
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.retranslate()

    def sizeHint(self) -> QSize:
        """Wide and low."""
        return QSize(380, 180)

    def minimumSizeHint(self) -> QSize:
        """Enough for the band and two labels."""
        return QSize(200, 110)

    def retranslate(self) -> None:
        """Say every word again."""
        self.setAccessibleName(text.say("compare.plot.name"))
        self.setToolTip(text.say("compare.plot"))
        self.update()

    # -- where things lie ----------------------------------------------------------------------------------------------

    def value_range(self) -> tuple[float, float]:
        """Lowest and highest ratio shown: the band, the newest interval, and most of the older ones."""
        steps = self._model.steps
        if not steps:
            return 1.0 - LEAST_HALF, 1.0 + LEAST_HALF
        middle = len(steps) // 2
        low = min(1.0 - LEAST_HALF, steps[-1][2] - MARGIN, max(sorted(step[2] for step in steps)[middle] - MARGIN, 1.0 - MOST_HALF))
        high = max(1.0 + LEAST_HALF, steps[-1][3] + MARGIN, min(sorted(step[3] for step in steps)[middle] + MARGIN, 1.0 + MOST_HALF))
        return low, high

    def area(self) -> QRectF:
        """The part in which data lie."""
        return QRectF(LEFT, TOP, max(1.0, self.width() - LEFT - RIGHT), max(1.0, self.height() - TOP - BOTTOM))

    def place(self, blocks: float, ratio: float) -> QPointF:
        """Where a ratio after so many blocks lies; kept within the area from above and below."""
        area, (low, high) = self.area(), self.value_range()
        most = max((step[0] for step in self._model.steps), default=1)
        y = area.bottom() - (ratio - low) / (high - low) * area.height()
        return QPointF(area.left() + area.width() * blocks / most, min(max(y, area.top()), area.bottom()))

    # -- painting ------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, band, axes, then the interval and the ratio."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(11))
        painter.fillRect(self.rect(), QColor(theme.colours().surface))
        self._paint_title(painter)
        if not self._model.steps:
            painter.setPen(QColor(theme.colours().muted))
            painter.drawText(self.area(), int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text.say("compare.plot-empty"))
            return
        self._paint_band(painter)
        self._paint_axes(painter)
        self._paint_interval(painter)

    def _paint_title(self, painter: QPainter) -> None:
        metrics = QFontMetrics(painter.font())
        painter.setPen(QColor(theme.colours().muted))
        said = metrics.elidedText(text.say("compare.plot"), Qt.TextElideMode.ElideRight, int(self.area().width()))
        painter.drawText(QPointF(LEFT, TOP - 8), said)

    def _paint_band(self, painter: QPainter) -> None:
        area, colours = self.area(), theme.colours()
        top, bottom = self.place(0, 1.0 + SAME_WITHIN).y(), self.place(0, 1.0 - SAME_WITHIN).y()
        shade = QColor(colours.good)
        shade.setAlphaF(0.13)
        painter.fillRect(QRectF(area.left(), top, area.width(), bottom - top), shade)
        painter.setPen(QPen(QColor(colours.good), 1.0, Qt.PenStyle.DotLine))
        for y in (top, bottom):
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))

    def _paint_axes(self, painter: QPainter) -> None:
        area, colours = self.area(), theme.colours()
        metrics = QFontMetrics(painter.font())
        for ratio in self.ticks():
            y = self.place(0, ratio).y()
            painter.setPen(QColor(colours.muted if ratio == 1.0 else colours.grid))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(colours.muted))
            painter.drawText(QRectF(0, y - 10, LEFT - 6, 20), int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text.say("compare.percent", value=f"{ratio * 100:.0f}"))
        most = text.say("compare.plot-axis", blocks=self._model.steps[-1][0])
        painter.drawText(QPointF(area.right() - metrics.horizontalAdvance(most), self.height() - 6), most)
        painter.drawText(QPointF(area.left(), self.height() - 6), "0")
        same = text.say("compare.plot-band", percent=f"{SAME_WITHIN * 100:.0f}")
        for said, y in ((same, self.place(0, 1.0).y() - 4), (text.say("compare.plot-slower"), area.top() + 12), (text.say("compare.plot-faster"), area.bottom() - 5)):
            painter.drawText(QPointF(area.left() + 6, y), said)

    def ticks(self) -> list[float]:
        """Round ratios within the range, some five of them."""
        low, high = ((end - 1.0) * 100.0 for end in self.value_range())
        step = next((each for each in STEPS_PERCENT if (high - low) / each <= 6.0), math.ceil((high - low) / 6.0))
        return [1.0 + step * number / 100.0 for number in range(math.ceil(low / step), math.floor(high / step) + 1)]

    def _paint_interval(self, painter: QPainter) -> None:
        steps = self._model.steps
        colour = self._colour()
        shade = QColor(colour)
        shade.setAlphaF(0.22)
        upper, lower = [self.place(step[0], step[3]) for step in steps], [self.place(step[0], step[2]) for step in steps]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        painter.drawPolygon(QPolygonF([*upper, *reversed(lower)]))
        painter.setPen(QPen(colour, 1.0))
        for line in (upper, lower):
            painter.drawPolyline(QPolygonF(line))
        painter.setPen(QPen(colour, 2.0))
        painter.drawPolyline(QPolygonF([self.place(step[0], step[1]) for step in steps]))
        self._paint_newest(painter, steps[-1], colour)

    def _paint_newest(self, painter: QPainter, step: Step, colour: QColor) -> None:
        blocks, ratio, low, high = step
        painter.drawLine(self.place(blocks, low), self.place(blocks, high))
        painter.setBrush(colour)
        point = self.place(blocks, ratio)
        painter.drawEllipse(point, DOT, DOT)
        said = percent(ratio)
        painter.setPen(QColor(theme.colours().text))
        width = QFontMetrics(painter.font()).horizontalAdvance(said)
        painter.drawText(QPointF(point.x() - width - 8, point.y() - 6), said)

    def _colour(self) -> QColor:
        colours = theme.colours()
        role = ROLES.get(self._model.verdict, "")
        return QColor(getattr(colours, role) if role else colours.accent)

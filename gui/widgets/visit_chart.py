"""The medians of a row's visits over time, with quartiles, so that drift is seen."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from engine import units
from engine.result import Latency
from engine.visit_figures import VisitFigure, value_range
from gui import text, theme

HEIGHT = 96
DOT = 3.0
LEFT, BOTTOM, TOP = 48, 18, 4
NEAR_PX = 14.0


class VisitChart(QWidget):
    """Shows `VisitFigure`s with the pooled median and its interval."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("visitChart")
        self.setFixedHeight(HEIGHT)
        self.figures: tuple[VisitFigure, ...] = ()
        self._latency: Latency | None = None
        theme.notifier.changed.connect(self.update)

    def show_visits(self, figures: tuple[VisitFigure, ...], latency: Latency | None) -> None:
        """Put in the visits, and the row's latency for line and band."""
        self.figures, self._latency = figures, latency
        medians = [figure.median_ms for figure in figures]
        if medians:
            low, high = (units.format_duration_ms(value) for value in (min(medians), max(medians)))
            self.setAccessibleName(text.say("visits.spoken", n=len(figures), low=low, high=high))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Band and line first, then each visit over them."""
        if not self.figures:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = theme.colours()
        self._paint_axes(painter)
        interval = self._interval()
        if interval is not None:
            band = QColor(colours.accent)
            band.setAlphaF(0.16)
            painter.fillRect(QRectF(QPointF(LEFT, self._y(interval[1])), QPointF(self.width(), self._y(interval[0]))), band)
        if self._latency is not None and self._latency.p50_ms is not None:
            painter.setPen(QPen(QColor(colours.accent), 1.0, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(LEFT, self._y(self._latency.p50_ms)), QPointF(self.width(), self._y(self._latency.p50_ms)))
        for figure in self.figures:
            self._paint_visit(painter, figure)

    def _paint_visit(self, painter: QPainter, figure: VisitFigure) -> None:
        x, colour = self._x(figure), QColor(theme.colours().series[0])
        painter.setPen(QPen(colour, 1.5))
        painter.drawLine(QPointF(x, self._y(figure.low_ms)), QPointF(x, self._y(figure.high_ms)))
        painter.setBrush(colour)
        painter.drawEllipse(QPointF(x, self._y(figure.median_ms)), DOT, DOT)

    def _paint_axes(self, painter: QPainter) -> None:
        colours, font = theme.colours(), theme.font(11)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        low, high = self._range()
        for value in (low + (high - low) * share for share in (0.1, 0.9)):
            y = self._y(value)
            painter.setPen(QColor(colours.grid))
            painter.drawLine(QPointF(LEFT, y), QPointF(self.width(), y))
            painter.setPen(QColor(colours.muted))
            painter.drawText(QRectF(0, y - 10, LEFT - 4, 20), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, units.format_duration_ms(value))
        begin, end = (f"{value:.0f} s" for value in self._times())
        painter.drawText(QPointF(LEFT, self.height() - 4), begin)
        painter.drawText(QPointF(self.width() - metrics.horizontalAdvance(end), self.height() - 4), end)

    def event(self, event: QEvent) -> bool:
        """A visit says its figures where the mouse rests."""
        if isinstance(event, QHelpEvent) and self.figures:
            nearest = min(self.figures, key=lambda figure: abs(self._x(figure) - event.pos().x()))
            if abs(self._x(nearest) - event.pos().x()) <= NEAR_PX:
                QToolTip.showText(event.globalPos(), tip(nearest), self)
            return True
        return super().event(event)

    def _interval(self) -> tuple[float, float] | None:
        return self._latency.p50_ci95_ms if self._latency is not None else None

    def _range(self) -> tuple[float, float]:
        return value_range(self.figures, self._interval())

    def _times(self) -> tuple[float, float]:
        return self.figures[0].start_s, self.figures[-1].end_s

    def _x(self, figure: VisitFigure) -> float:
        begin, end = self._times()
        room = self.width() - LEFT - 4 * DOT
        return LEFT + 2 * DOT + ((figure.start_s + figure.end_s) / 2 - begin) / ((end - begin) or 1.0) * room

    def _y(self, value: float) -> float:
        low, high = self._range()
        return TOP + (high - value) / ((high - low) or 1.0) * (self.height() - TOP - BOTTOM)


def tip(figure: VisitFigure) -> str:
    """One visit in words."""
    low, median, high = (units.format_duration_ms(value) for value in (figure.low_ms, figure.median_ms, figure.high_ms))
    return text.say(
        "visits.tip", start=f"{figure.start_s:.1f}", end=f"{figure.end_s:.1f}", median=median, low=low, high=high, count=units.format_count(figure.count)
    )

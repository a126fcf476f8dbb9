"""The latency plot: every sample as a point, the selected configuration in the accent, the others faint, warm-up grey."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QTimer
from PySide6.QtGui import QColor, QPainter, QPolygonF
from PySide6.QtWidgets import QWidget

from engine import units
from gui import text, theme
from gui.models.row import Row
from gui.models.row_words import short_name
from gui.models.run_model import RunModel
from gui.models.series import XY, Floats
from gui.widgets.crosshair import paint_mark
from gui.widgets.labels import label, set_role
from gui.widgets.raster import Raster, View
from gui.widgets.time_plot import Span, TimePlot

SUBSET = 20_000
"""Quantiles of the range are taken from at most this many samples; extremes from all."""
OTHERS_MOST = 200_000
NEAR_PX = 40


class LatencyPlot(TimePlot):
    """Draws a `RunModel`'s samples."""

    def __init__(self, model: RunModel, parent: QWidget | None = None) -> None:
        self._rasters: dict[tuple[int, bool, bool], Raster] = {}
        self._unit = "ms"
        self.name_label, self.warm_up_label, self.above_label = label("small"), label("muted"), label("caution")
        super().__init__(model, "latencyPlot", has_time_axis=False, parent=parent)
        for made in (self.name_label, self.warm_up_label, self.above_label):
            self.add_to_header(made)
        model.reset.connect(self._rasters.clear)
        self.retranslate()

    def refresh(self) -> None:
        """Draw, if anything is new; rows of a saved run are decoded one at a time, so that opening it never halts the window."""
        waiting = next((row for row in self.model.rows if not row.is_filled), None)
        if waiting is not None and self.isVisible():
            self._seen = (len(waiting.samples),)
            QTimer.singleShot(0, self, self.refresh)
        super().refresh()

    def data_end_s(self) -> float:
        """The time of the last sample."""
        ends = [float(x[-1]) for row in self._drawn_rows() for x, _ in (row.samples.xy(), row.samples.warm_up_xy()) if len(x)]
        return max(ends, default=0.0)

    def time_end_s(self) -> float:
        """Samples and readings share the axis."""
        tracks = [series.xy()[0] for row in self._drawn_rows() for series in row.timeline.values()]
        return max([self.data_end_s(), *(float(t[-1]) for t in tracks if len(t))])

    def value_range(self, span: Span) -> Span | None:
        """The selected row's samples but for rare spikes; other rows only where they are near."""
        row = self.model.selected_row
        series = _within(row.samples.xy(), span) if row is not None else _EMPTY
        if row is not None and not len(series[1]):
            series = _within(row.samples.warm_up_xy(), span)
        if not len(series[1]):
            return None
        low, high = _core(series[1])
        for other in self._drawn_rows():
            values = _within(other.samples.xy(), span)[1]
            if other is not row and len(values):
                near = _core(values)
                if near[1] < 3 * high and near[0] > low / 3:
                    low, high = min(low, near[0]), max(high, near[1])
        room = max(high - low, 0.05 * high)
        return max(0.0, low - 0.15 * room), high + 0.15 * room

    def unit_length(self, top: float) -> float:
        """Milliseconds in the unit that suits the largest value."""
        self._unit, length = units.duration_unit(top)
        return length

    def readout_text(self, t_s: float) -> str:
        """The time, and the sample nearest to it."""
        sample = self._nearest(t_s)
        time = f"{t_s:.3f}" if sample is None else f"{sample[0]:.3f}"
        return text.say("plot.readout", time=time, value=units.format_duration_ms(sample[1]) if sample else units.NONE)

    def update_words(self) -> None:
        """Title with its unit, the selected row's name, what is grey, what is above."""
        row = self.model.selected_row
        has_samples = row is not None and len(row.samples) > 0
        self.title.setText(text.say("plot.latency", unit=self._unit) if has_samples else text.say("plot.latency-plain"))
        self.name_label.setText(short_name(row.configuration, [each.configuration for each in self.model.rows]) if row is not None else "")
        self.warm_up_label.setToolTip(text.say("term.warm-up"))
        self.warm_up_label.setText(text.say("plot.warm-up") if row is not None and len(row.samples.warm_up_xy()[0]) else "")
        above = self._raster(row, False).above_count if row is not None and has_samples else 0
        self.above_label.setText(text.say("plot.above", n=units.format_count(above)) if above else "")
        self.show_empty_note("" if has_samples else self._why_empty())

    def restyle(self) -> None:
        """Take the colours of the theme."""
        super().restyle()
        for made in (self.name_label, self.warm_up_label, self.above_label):
            made.setFont(theme.font(11))
        self.name_label.setStyleSheet(f"color: {theme.colours().accent}")
        set_role(self.above_label, "caution")

    def paint_data(self, painter: QPainter) -> None:
        """Bands, then the others, then the selected row above all."""
        selected = self.model.selected_row
        colours = theme.colours()
        self._paint_bands(painter)
        for row in self._drawn_rows():
            if row is not selected:
                self._paint_points(painter, row, False, colours.accent, 0.3)
        if selected is not None:
            self._paint_points(painter, selected, True, colours.faint, 1.0)
            self._paint_points(painter, selected, False, colours.accent, 1.0)
            self._paint_above(painter, selected)

    def _why_empty(self) -> str:
        if self.model.selected_row is None:
            return text.say("plot.latency-empty")
        return text.say("plot.latency-none" if self.model.selected_row.is_ended else "plot.latency-waiting")

    def _drawn_rows(self) -> list[Row]:
        return [row for row in self.model.rows if row.is_filled or row is self.model.selected_row]

    def _view(self) -> View:
        (left, right), (bottom, top) = self.view.viewRange()
        scale = self.widget.devicePixelRatioF()
        return left, right, bottom, top, round(self.view.width() * scale), round(self.view.height() * scale)

    def _raster(self, row: Row, warm_up: bool) -> Raster:
        x, y = row.samples.warm_up_xy() if warm_up else row.samples.xy()
        if row is not self.model.selected_row and len(x) > OTHERS_MOST:
            step = 1 << int(np.ceil(np.log2(len(x) / OTHERS_MOST)))
            x, y = x[::step], y[::step]
        raster = self._rasters.setdefault((row.index, warm_up, row is self.model.selected_row), Raster())
        raster.draw(x, y, self._view())
        return raster

    def _paint_points(self, painter: QPainter, row: Row, warm_up: bool, colour: str, strength: float) -> None:
        raster = self._raster(row, warm_up)
        if raster.total:
            scale = self.widget.devicePixelRatioF()
            image = raster.image(colour, round((3 if raster.total < 3000 else 2) * scale), strength)
            image.setDevicePixelRatio(scale)
            painter.drawImage(QPointF(0, 0), image)

    def _paint_bands(self, painter: QPainter) -> None:
        selected = self.model.selected_row
        for row in self._drawn_rows():
            if row is selected:
                self.paint_visits(painter, row.visits, theme.colours().accent, 0.09)
            else:
                self.paint_visits(painter, row.visits, theme.colours().text, 0.035)

    def _paint_above(self, painter: QPainter, row: Row) -> None:
        """Marks at the upper edge where samples lie above it."""
        scale = self.widget.devicePixelRatioF()
        for warm_up, colour in ((True, theme.colours().faint), (False, theme.colours().caution)):
            painter.setPen(QColor(colour))
            painter.setBrush(QColor(colour))
            for first, last in self._raster(row, warm_up).above_runs(near=round(4 * scale)):
                left, right = first / scale, last / scale
                painter.drawPolygon(QPolygonF([QPointF(left, 0), QPointF(right, 0), QPointF(right + 2, 4), QPointF(left - 2, 4)]))

    def paint_marks(self, painter: QPainter, t_s: float) -> None:
        """The sample that is read out."""
        sample = self._nearest(t_s)
        if sample is not None:
            paint_mark(painter, self.x_pixel(sample[0]), self.y_pixel(sample[1]), theme.colours().accent)

    def _nearest(self, t_s: float) -> tuple[float, float] | None:
        row = self.model.selected_row
        found = [] if row is None else [_nearest(series, t_s) for series in (row.samples.xy(), row.samples.warm_up_xy()) if len(series[0])]
        best = min(found, key=lambda each: abs(each[0] - t_s), default=None)
        return best if best is not None and abs(self.x_pixel(best[0]) - self.x_pixel(t_s)) <= NEAR_PX else None


_EMPTY: XY = (np.empty(0), np.empty(0))


def _within(series: XY, span: Span) -> XY:
    begin, end = np.searchsorted(series[0], span)
    return series[0][begin:end], series[1][begin:end]


def _core(values: Floats) -> Span:
    """From the smallest to the largest, or, where spikes stand far above, to just above nearly all of them."""
    low, high = float(values.min()), float(values.max())
    body = float(np.quantile(values[:: max(1, len(values) // SUBSET)], 0.995))
    return low, high if high <= body + 1.5 * max(body - low, 0.02 * body) else body + 0.3 * max(body - low, 0.02 * body)


def _nearest(series: XY, t_s: float) -> tuple[float, float]:
    x, y = series
    place = int(np.searchsorted(x, t_s))
    place = min(max(place, 0), len(x) - 1)
    if place and abs(x[place - 1] - t_s) < abs(x[place] - t_s):
        place -= 1
    return float(x[place]), float(y[place])

"""The memory plot: resident memory of the worker on a CPU; used, reserved and allocated on a device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from engine import devices, units
from gui import text, theme
from gui.models.row import Row
from gui.models.run_model import RunModel
from gui.models.series import XY, Floats
from gui.widgets.crosshair import paint_mark
from gui.widgets.time_plot import Span, TimePlot

LABEL_GAP = 14.0
HOLE_S = 1.0
"""Readings further apart than this are not joined by a line: nobody looked in between."""


@dataclass(frozen=True)
class Line:
    """One track as it is drawn."""

    code: str
    """Of its words, or the device that it stands for."""
    series: XY
    colour: str

    @property
    def name(self) -> str:
        """As it is written beside its end."""
        return text.say(self.code) if self.code in text.TABLE else self.code


class MemoryPlot(TimePlot):
    """Draws the readings of the selected row of a `RunModel`."""

    def __init__(self, model: RunModel, parent: QWidget | None = None) -> None:
        self._unit = "MiB"
        super().__init__(model, "memoryPlot", has_time_axis=True, parent=parent)
        self.retranslate()

    def data_end_s(self) -> float:
        """The time of the last reading."""
        return max((float(line.series[0][-1]) for line in self.lines()), default=0.0)

    def value_range(self, span: Span) -> Span | None:
        """From zero, so that the height of a line is its size."""
        tops = [float(values.max()) for line in self.lines() if len(values := _within(line.series, span)[1])]
        return (0.0, 1.4 * max(tops)) if tops and max(tops) > 0 else None

    def unit_length(self, top: float) -> float:
        """Bytes in the unit that suits the largest value."""
        self._unit, length = units.bytes_unit(top)
        return float(length)

    def readout_text(self, t_s: float) -> str:
        """Every line's value at a time."""
        parts = []
        for line in self.lines():
            value = _at(line.series, t_s)
            if value is not None:
                parts.append(text.say("plot.readout-named", name=line.name, value=units.format_bytes(value)))
        return "   ".join(parts)

    def update_words(self) -> None:
        """Title with its unit, or the sentence of an empty plot."""
        has_lines = bool(self.lines())
        code = "plot.memory-gpu" if self._is_on_device() else "plot.memory"
        self.title.setText(text.say(code, unit=self._unit) if has_lines else text.say("plot.memory-plain"))
        self.show_empty_note("" if has_lines else text.say("plot.memory-empty"))

    def lines(self) -> list[Line]:
        """The tracks of the selected row that stand for memory where it runs."""
        row = self.model.selected_row
        if row is None:
            return []
        series = theme.colours().series
        names = _device_names(row) if self._is_on_device() else {"worker_resident_bytes": "track.worker_resident_bytes"}
        found = [(code, row.timeline[name].xy()) for name, code in names.items() if name in row.timeline]
        return [Line(code, xy, series[place % len(series)]) for place, (code, xy) in enumerate(found) if len(xy[0])]

    def paint_data(self, painter: QPainter) -> None:
        """Bands of the visits, the lines, their names at their ends."""
        row = self.model.selected_row
        if row is None:
            return
        self.paint_visits(painter, row.visits, theme.colours().accent, 0.09)
        lines = self.lines()
        for line in lines:
            painter.setPen(QPen(QColor(line.colour), 0))
            for part in self._polylines(line.series):
                painter.drawPolyline(part)
        self._paint_names(painter, lines)

    def paint_marks(self, painter: QPainter, t_s: float) -> None:
        """Each line where it is read out."""
        for line in self.lines():
            value = _at(line.series, t_s)
            if value is not None:
                paint_mark(painter, self.x_pixel(t_s), self.y_pixel(value), line.colour)

    def _polylines(self, series: XY) -> list[QPolygonF]:
        (left, right), _ = self.view.viewRange()
        x, y = _thinned(*_within(series, (left, right), beyond=1), most=2 * max(1, round(self.view.width())))
        holes = np.flatnonzero(np.diff(x) > HOLE_S) + 1
        parts = zip(np.split(x, holes), np.split(y, holes), strict=True)
        return [QPolygonF([QPointF(self.x_pixel(t), self.y_pixel(v)) for t, v in zip(xs.tolist(), ys.tolist(), strict=True)]) for xs, ys in parts]

    def _paint_names(self, painter: QPainter, lines: list[Line]) -> None:
        """Beside the end of each line, nudged apart, instead of a legend."""
        font = theme.font(11)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        span: Span = tuple(self.view.viewRange()[0])
        ends = [(self.y_pixel(float(y[-1])), float(x[-1]), line) for line in lines for x, y in [_within(line.series, span)] if len(x)]
        ground, free = QColor(theme.colours().surface), 0.0
        ground.setAlphaF(0.8)
        for y_line, t_s, line in sorted(ends, key=lambda each: each[0]):
            # Above its line; below it where the name of the line above already stands there.
            top = y_line - LABEL_GAP if y_line - LABEL_GAP >= free else max(free, y_line + 2)
            free = top + LABEL_GAP
            width = metrics.horizontalAdvance(line.name)
            left = max(2.0, min(self.x_pixel(t_s), self.view.width()) - 2 - width)
            painter.fillRect(QRectF(left - 2, top, width + 4, LABEL_GAP - 1), ground)
            painter.setPen(QColor(line.colour))
            painter.drawText(QPointF(left, top + metrics.ascent()), line.name)

    def _is_on_device(self) -> bool:
        row = self.model.selected_row
        return row is not None and not devices.on_cpu(row.configuration.device)


def _device_names(row: Row) -> dict[str, str]:
    device = row.configuration.device
    if devices.is_joint(device):
        numbers = [devices.gpu_index(member) for member in devices.members(device)]
        by_process = any(f"gpu{index}_process_bytes" in row.timeline for index in numbers)
        return {f"gpu{index}_{'process' if by_process else 'memory'}_bytes": f"cuda:{index}" for index in numbers}
    index = devices.gpu_index(device) or 0
    return {
        f"gpu{index}_memory_bytes": "track.gpu_memory_bytes", f"gpu{index}_process_bytes": "track.gpu_process_bytes",
        "reserved_bytes": "track.reserved_bytes", "allocated_bytes": "track.allocated_bytes",
    }


def _within(series: XY, span: Span, beyond: int = 0) -> XY:
    begin, end = np.searchsorted(series[0], span)
    part = slice(max(0, int(begin) - beyond), int(end) + beyond)
    return series[0][part], series[1][part]


def _thinned(x: Floats, y: Floats, most: int) -> XY:
    """At most about `most` points: of each stretch its smallest and its largest value, in their order."""
    size = len(x) * 2 // most
    if size < 2:
        return x, y
    whole = len(x) // size * size
    grid = y[:whole].reshape(-1, size)
    starts = np.arange(0, whole, size)
    places = np.sort(np.stack([starts + grid.argmin(axis=1), starts + grid.argmax(axis=1)], axis=1), axis=1).ravel()
    places = np.unique(np.append(places, len(x) - 1))
    return x[places], y[places]


def _at(series: XY, t_s: float) -> float | None:
    x, y = series
    place = int(np.searchsorted(x, t_s, side="right")) - 1
    return float(y[place]) if place >= 0 and t_s - x[place] <= HOLE_S else None



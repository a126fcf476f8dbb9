"""The three charts, as one Bokeh document; colours are set in the page, where the theme is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from bokeh.core.json_encoder import serialize_json
from bokeh.document import Document
from bokeh.models import BasicTickFormatter, ColumnDataSource, DataRange1d, HoverTool, LogTicker, NoOverlap, Range1d
from bokeh.models.glyphs import Line, Scatter, Step, VStrip
from bokeh.plotting import figure
from bokeh.resources import Resources

from engine.report.labels import Labels
from engine.report.series import Series
from engine.units import bytes_unit, duration_unit

LOG_FROM = 8.0
"""Where latencies lie further apart than this factor, a linear axis would press the short ones flat."""
DASHES = {"worker_resident_bytes": "solid", "process_bytes": "solid", "memory_bytes": "solid", "reserved_bytes": "dashed", "allocated_bytes": "dotted"}
HEIGHT = 300
_COLOUR = "#777777"  # until the page's script knows the theme


def charts_of(series: Sequence[Series], labels: Labels) -> tuple[str, dict[str, str]]:
    """What BokehJS needs to draw, as JSON that is safe within a script element, and each chart's root id by name; no data, no chart."""
    times = DataRange1d(range_padding=0.02)  # shared: panning one chart over time moves the other
    charts: dict[str, Any] = {}
    if any(one.shown for one in series):
        charts["latency"] = _latency(series, labels, times)
    if any(len(one.curve[0]) > 1 for one in series):
        charts["distribution"] = _distribution(series, labels)
    if any(one.tracks for one in series):
        charts["memory"] = _memory(series, labels, times)
    if not charts:
        return "", {}
    document = Document()
    for chart in charts.values():
        document.add_root(chart)
    return _script_safe(serialize_json({"charts": document.to_json(deferred=False)})), {name: str(chart.id) for name, chart in charts.items()}


def _script_safe(json: str) -> str:
    """Within a script element only these can end it or begin a comment; in JSON they stand in strings alone."""
    return json.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def library() -> str:
    """BokehJS itself, without the parts that no chart here needs."""
    return "\n".join(Resources(mode="inline", components=["bokeh"]).js_raw)


def _latency(series: Sequence[Series], labels: Labels, times: DataRange1d) -> Any:
    unit, length = _unit(series)
    is_log = _spread(one.steady[1] for one in series) > LOG_FROM
    chart = _figure(labels("axis.time"), labels("axis.latency", unit=unit), x_range=times, y_axis_type="log" if is_log else "linear")
    for one in series:
        _bands(chart, one)
        _dots(chart, one, "warm-up", ColumnDataSource({"x": one.warm_up[0], "y": one.warm_up[1] / length, "visit": np.zeros(len(one.warm_up[0]))}))
        _dots(chart, one, "steady", ColumnDataSource({"x": one.steady[0], "y": one.steady[1] / length, "visit": one.visit.astype(np.float32)}))
    _decimal(chart.yaxis, is_log)
    chart.add_tools(HoverTool(tooltips=[("s", "@x{0.000}"), (unit, "@y{0.0000}")], renderers=_named(chart, "steady"), mode="mouse", point_policy="snap_to_data"))
    return chart


def _bands(chart: Any, one: Series) -> None:
    if one.visits:
        source = ColumnDataSource({"x0": np.array([start for start, _ in one.visits]), "x1": np.array([end for _, end in one.visits])})
        _add(chart, source, VStrip(x0="x0", x1="x1", fill_color=_COLOUR, fill_alpha=0.1, line_color=None), one, "band")


def _dots(chart: Any, one: Series, role: str, source: ColumnDataSource) -> None:
    if len(source.data["x"]):
        _add(chart, source, Scatter(x="x", y="y", size=3, fill_color=_COLOUR, line_color=None, fill_alpha=0.65), one, role)


def _distribution(series: Sequence[Series], labels: Labels) -> Any:
    unit, length = _unit(series)
    is_log = _spread(one.curve[0] for one in series) > LOG_FROM
    chart = _figure(labels("axis.latency", unit=unit), labels("axis.share"), y_range=Range1d(0, 101), x_axis_type="log" if is_log else "linear")
    for one in series:
        if len(one.curve[0]) > 1:
            source = ColumnDataSource({"x": one.curve[0] / length, "y": one.curve[1]})
            glyph = Line(x="x", y="y", line_color=_COLOUR, line_width=2) if one.curve_is_of_figures else Step(x="x", y="y", mode="after", line_color=_COLOUR, line_width=2)
            _add(chart, source, glyph, one, "line")
    _decimal(chart.xaxis, is_log)
    chart.add_tools(HoverTool(tooltips=[(unit, "@x{0.0000}"), ("%", "@y{0.00}")], mode="mouse", line_policy="nearest"))
    return chart


def _memory(series: Sequence[Series], labels: Labels, times: DataRange1d) -> Any:
    unit, length = bytes_unit(max(float(track.values.max()) for one in series for track in one.tracks))
    chart = _figure(labels("axis.time"), labels("axis.memory", unit=unit), x_range=times, y_range=DataRange1d(start=0, range_padding=0.06))
    for one in series:
        for track in one.tracks:
            source = ColumnDataSource({"x": track.t_s, "y": (track.values / length).astype(np.float32)})
            _add(chart, source, Line(x="x", y="y", line_color=_COLOUR, line_width=2, line_dash=DASHES[track.kind]), one, "line")
    chart.add_tools(HoverTool(tooltips=[("s", "@x{0.000}"), (unit, "@y{0.00}")], mode="mouse", line_policy="nearest"))
    return chart


def _figure(x_label: str, y_label: str, **ranges: Any) -> Any:
    chart = figure(
        height=HEIGHT, min_border_left=64, sizing_mode="stretch_width", x_axis_label=x_label, y_axis_label=y_label, tools="pan,box_zoom,wheel_zoom,reset,save",
        active_drag="box_zoom", active_scroll=None, background_fill_color=None, border_fill_color=None, outline_line_color=None, output_backend="canvas", **ranges,
    )
    chart.toolbar.logo = None
    chart.toolbar.autohide = False
    for axis in (*chart.xaxis, *chart.yaxis):
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size = axis.major_label_text_font_size = "12px"
        axis.minor_tick_line_color = None
    return chart


def _add(chart: Any, source: ColumnDataSource, glyph: Any, one: Series, role: str) -> None:
    """The page's script finds a renderer by its tags: what it is, and whose."""
    renderer = chart.add_glyph(source, glyph)
    renderer.tags = [role, one.index, one.slot]
    renderer.nonselection_glyph = renderer.selection_glyph = renderer.muted_glyph = None


def _named(chart: Any, role: str) -> list[Any]:
    return [renderer for renderer in chart.renderers if renderer.tags[0] == role]


def _decimal(axes: Iterable[Any], is_log: bool) -> None:
    """Plain numbers on a logarithmic axis too."""
    for axis in axes:
        axis.formatter = BasicTickFormatter(use_scientific=False)
        if is_log:
            axis.ticker = LogTicker(mantissas=[1, 2, 5], desired_num_ticks=12)
            axis.major_label_policy = NoOverlap(min_distance=8)


def _unit(series: Sequence[Series]) -> tuple[str, float]:
    """The unit that suits the middle of the latencies, and its length in ms."""
    middles = [float(np.median(one.steady[1])) for one in series if len(one.steady[1])] or [1.0]
    return duration_unit(float(np.median(middles)))


def _spread(columns: Iterable[Any]) -> float:
    """How many times the highest lies above the lowest."""
    found = [column[column > 0] for column in columns]
    found = [column for column in found if len(column)]
    return max(float(column.max()) for column in found) / min(float(column.min()) for column in found) if found else 1.0



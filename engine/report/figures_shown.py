"""What the page draws of one row beyond its table: its visits, its memory's parts, and what its figures mean beside one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import numpy as np

from engine.devices import on_cpu
from engine.remarks import remarks
from engine.report.labels import Labels
from engine.result import Latency, Outcome
from engine.sampling import SamplesError, decode
from engine.units import NONE, format_bytes, format_count, format_duration_ms, significant
from engine.visit_figures import VisitFigure, value_range, visit_figures
from engine.waterfall import Waterfall, waterfall

WIDTH, HEIGHT = 640, 150
LEFT, RIGHT, TOP, BOTTOM = 76, 12, 10, 24
GREY = ("cached", "others", "rest")


@dataclass(frozen=True)
class Bar:
    """One part of the memory: where its bar begins and how long it is, in % of the whole."""

    name: str
    size: str
    left: float
    width: float
    is_grey: bool


@dataclass(frozen=True)
class Shown:
    """The drawings and sentences of one row; empty where there is nothing to draw."""

    visits_svg: str = ""
    bars: tuple[Bar, ...] = ()
    sum_line: str = ""
    times: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()


def shown_of(outcome: Outcome, labels: Labels) -> Shown:
    """Everything of a row that has figures."""
    if outcome.latency is None or not outcome.latency.count:
        return Shown()
    fall = waterfall(outcome.memory, outcome.configuration.device)
    return Shown(
        visits_svg=visits_svg(_visits(outcome), outcome.latency, labels), bars=() if fall is None else _bars(fall, labels),
        sum_line="" if fall is None else _sum_line(fall, outcome.configuration.device, labels), times=_times(outcome, labels),
        remarks=tuple(labels.reason(reason) for reason in remarks(outcome)),
    )


def _visits(outcome: Outcome) -> tuple[VisitFigure, ...]:
    """Each visit's figure; none where the run keeps a reduction of its samples only, which has other medians, or cannot be read."""
    if outcome.samples is None or outcome.samples.reduced_from is not None:
        return ()
    try:
        steady = decode(outcome.samples).steady()
    except SamplesError:        # the row says so already
        return ()
    t_s, edges = steady.start_ns / 1e9, np.flatnonzero(np.diff(steady.visit)) + 1
    firsts, lasts = np.concatenate(([0], edges)), np.concatenate((edges, [len(steady)])) - 1
    return visit_figures(t_s, steady.latency_ns / 1e6, [(float(t_s[first]), float(t_s[last])) for first, last in zip(firsts, lasts, strict=True) if len(steady)])


def visits_svg(figures: tuple[VisitFigure, ...], latency: Latency, labels: Labels) -> str:
    """The visits' medians with their quartiles over time, the pooled median as a line and its interval as a band; empty for fewer than two."""
    if len(figures) < 2:
        return ""
    low, high = value_range(figures, latency.p50_ci95_ms)
    begin, end = figures[0].start_s, figures[-1].end_s

    def x(figure: VisitFigure) -> float:
        return LEFT + 8 + ((figure.start_s + figure.end_s) / 2 - begin) / ((end - begin) or 1.0) * (WIDTH - LEFT - RIGHT - 16)

    def y(value_ms: float) -> float:
        return TOP + (high - value_ms) / ((high - low) or 1.0) * (HEIGHT - TOP - BOTTOM)

    parts = [_band(latency, y), *(_axis(low + (high - low) * share, y) for share in (0.1, 0.5, 0.9))]
    for figure in figures:
        words = escape(_words(figure, labels))
        parts.append(
            f'<g><title>{words}</title><line class="visit" x1="{x(figure):.1f}" x2="{x(figure):.1f}" y1="{y(figure.low_ms):.1f}" y2="{y(figure.high_ms):.1f}"/>'
            f'<circle class="visit" cx="{x(figure):.1f}" cy="{y(figure.median_ms):.1f}" r="4"/></g>'
        )
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 6}">{begin:.0f} s</text><text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" class="end">{end:.0f} s</text>')
    return f'<svg class="visits" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(labels("visits.graph"))}">{"".join(parts)}</svg>'


def _band(latency: Latency, place: Callable[[float], float]) -> str:
    shape = ""
    if latency.p50_ci95_ms is not None:
        low, high = latency.p50_ci95_ms
        shape = f'<rect class="interval" x="{LEFT}" width="{WIDTH - LEFT - RIGHT}" y="{place(high):.1f}" height="{max(1.0, place(low) - place(high)):.1f}"/>'
    if latency.p50_ms is None:
        return shape
    return f'{shape}<line class="pooled" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{place(latency.p50_ms):.1f}" y2="{place(latency.p50_ms):.1f}"/>'


def _axis(value_ms: float, place: Callable[[float], float]) -> str:
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{place(value_ms):.1f}" y2="{place(value_ms):.1f}"/>'
        f'<text class="end" x="{LEFT - 6}" y="{place(value_ms) + 4:.1f}">{escape(format_duration_ms(value_ms))}</text>'
    )


def _words(figure: VisitFigure, labels: Labels) -> str:
    low, median, high = (format_duration_ms(value) for value in (figure.low_ms, figure.median_ms, figure.high_ms))
    return labels("visits.tip", start=f"{figure.start_s:.1f}", end=f"{figure.end_s:.1f}", median=median, low=low, high=high, n=format_count(figure.count))


def _bars(fall: Waterfall, labels: Labels) -> tuple[Bar, ...]:
    total = max(fall.sum_bytes, fall.total_bytes or 0, 1)
    return tuple(
        Bar(labels(f"part.{part.code}"), format_bytes(part.bytes), part.start_bytes / total * 100.0, part.bytes / total * 100.0, part.code in GREY) for part in fall.parts
    )


def _sum_line(fall: Waterfall, device: str, labels: Labels) -> str:
    if fall.missing:
        return labels("part.missing", names=labels.join(labels(f"part.{code}") for code in fall.missing))
    if fall.covered_percent is None:
        return labels("part.sum-only", sum=format_bytes(fall.sum_bytes))
    total = format_bytes(fall.total_bytes)
    return labels("part.adds-up-cpu", total=total) if on_cpu(device) else labels("part.adds-up", percent=significant(fall.covered_percent), total=total)


def _times(outcome: Outcome, labels: Labels) -> tuple[tuple[str, str], ...]:
    """Host, device, enqueue and busy time together, then copies, rest and energy; nothing where the host's time stands alone."""
    copies, energy = outcome.copies, outcome.energy or {}
    rested_ms = outcome.idle_latency.p50_ms if outcome.idle_latency is not None else None
    found = {
        "host": format_duration_ms(outcome.latency.p50_ms if outcome.latency is not None else None),
        "device": format_duration_ms(outcome.device_latency.p50_ms if outcome.device_latency is not None else None),
        "enqueue": format_duration_ms(outcome.enqueue_p50_ms), "busy": format_duration_ms(outcome.gpu_busy_ms),
        "to-device": format_duration_ms(copies.to_device_ms if copies is not None else None),
        "from-device": format_duration_ms(copies.from_device_ms if copies is not None else None), "rested": format_duration_ms(rested_ms),
        "joules": f"{significant(energy['joules_per_item'])} J" if "joules_per_item" in energy else NONE,
        "watts": f"{significant(energy['mean_watts'])} W" if "mean_watts" in energy else NONE,
    }
    pairs = tuple((labels(f"times.{code}"), value) for code, value in found.items() if value != NONE)
    return pairs if len(pairs) > 1 else ()

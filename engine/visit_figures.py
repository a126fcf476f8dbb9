"""What each visit of a row showed, so that drift between visits is seen; for the window's graph and the page's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from engine.statistics import rank


class VisitFigure(msgspec.Struct, frozen=True):
    """One visit: when, and the quartiles of its calls (nearest-rank), in ms."""

    start_s: float
    end_s: float
    low_ms: float
    median_ms: float
    high_ms: float
    count: int


def visit_figures(t_s: npt.NDArray[Any], latency_ms: npt.NDArray[Any], bands: Iterable[tuple[float, float]]) -> tuple[VisitFigure, ...]:
    """A figure for each band (start and end, seconds) that holds steady samples; `t_s` are their ascending starts."""
    found = []
    for start_s, end_s in bands:
        first, last = np.searchsorted(t_s, start_s, "left"), np.searchsorted(t_s, end_s, "right")
        part = latency_ms[first:last]
        if len(part):
            ranks = [rank(len(part), p) for p in (0.25, 0.5, 0.75)]
            low, middle, high = (float(value) for value in np.partition(part, ranks)[ranks])
            found.append(VisitFigure(float(start_s), float(end_s), low, middle, high, len(part)))
    return tuple(found)


def value_range(figures: Iterable[VisitFigure], interval: tuple[float, float] | None) -> tuple[float, float]:
    """Lowest and highest latency that a graph of the visits has to show, in ms, with a tenth of their distance as a margin."""
    ends = [end for figure in figures for end in (figure.low_ms, figure.high_ms)] + list(interval or ())
    low, high = min(ends), max(ends)
    margin = (high - low or abs(high) or 1.0) / 10.0
    return low - margin, high + margin

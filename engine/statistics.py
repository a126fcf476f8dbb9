"""Percentiles, sample floors and intervals: pure functions on arrays of nanoseconds.

numpy sorts, partitions and sums without the interpreter lock (1,000,000 samples: 0.1 s of work, at most 0.3 ms held), so these may run beside the
thread that paints.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.result import Latency

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.99
"""How sure it must be that the samples reach beyond the percentile that is shown."""
NS_PER_MS = 1e6


@functools.cache
def sample_floor(p: float, confidence: float = CONFIDENCE) -> int:
    """The fewest samples that may show percentile `p`: two of them lie beyond it (below it for p < 0.5) with `confidence`.

    The binomial rule of MLPerf LoadGen's early stopping, with one sample discarded: p90 64, p95 130, p99 662, p99.9 6,636.
    """
    if not 0.0 < p < 1.0:
        raise ValueError(f"percentile {p} is not between 0 and 1")
    tail = min(p, 1.0 - p)

    def fewer_than_two(n: int) -> float:
        return (1.0 - tail) ** (n - 1) * (1.0 - tail + n * tail)

    low, high = 1, 2
    while fewer_than_two(high) > 1.0 - confidence:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fewer_than_two(middle) <= 1.0 - confidence else (middle, high)
    return high


def samples_missing(count: int, p: float) -> int:
    """How many more samples percentile `p` needs before it may be shown."""
    return max(0, sample_floor(p) - count)


def rank(n: int, p: float) -> int:
    """Index of the nearest-rank percentile in `n` sorted samples: the ceil(p n)-th smallest."""
    # 0.07 * 100 is 7.000000000000001 in binary: rounding first keeps the rank that the decimal numbers name.
    return min(n - 1, max(0, math.ceil(round(p * n, 6)) - 1))


def percentile_ns(samples: npt.NDArray[Any], p: float) -> int:
    """The nearest-rank percentile `p` (0..1) of at least one sample."""
    if len(samples) == 0:
        raise ValueError("no samples")
    index = rank(len(samples), p)
    return int(np.partition(samples, index)[index])


def relative_iqr(samples: npt.NDArray[Any]) -> float:
    """Interquartile range over median, the spread that torch.utils.benchmark warns about; 0 where the median is 0."""
    ranks = [rank(len(samples), p) for p in (0.25, 0.5, 0.75)]
    low, middle, high = (int(value) for value in np.partition(samples, ranks)[ranks])
    return (high - low) / middle if middle else 0.0


def split_visits(samples: npt.NDArray[Any], visit: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """The samples of each visit, in the order of the visits' numbers."""
    if len(samples) != len(visit):
        raise ValueError(f"{len(samples)} samples but {len(visit)} visit numbers")
    if len(samples) == 0:
        return []
    order = np.argsort(visit, kind="stable")
    edges = np.flatnonzero(np.diff(visit[order])) + 1
    return np.split(samples[order], edges)


def visit_medians(samples: npt.NDArray[Any], visit: npt.NDArray[Any]) -> Int64s:
    """The nearest-rank median of each visit, in ns."""
    return np.array([percentile_ns(part, 0.5) for part in split_visits(samples, visit)], dtype=np.int64)


def t_cdf(t: float, df: int) -> float:
    """Student's distribution function for whole degrees of freedom (finite series, Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    theta = math.atan2(t, math.sqrt(df))
    sine, cosine = math.sin(theta), math.cos(theta)
    term = total = cosine if df % 2 else 1.0
    for k in range(3 if df % 2 else 2, df, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    central = 2.0 / math.pi * (theta + sine * (total if df > 1 else 0.0)) if df % 2 else sine * total
    return 0.5 + central / 2.0


@functools.cache
def t_quantile(p: float, df: int) -> float:
    """The point below which Student's t with `df` degrees of freedom falls with probability `p` (0.5 <= p < 1), by bisection."""
    if df < 1 or not 0.5 <= p < 1.0:
        raise ValueError(f"no t quantile for p={p}, df={df}")
    low, high = 0.0, 1.0
    while t_cdf(high, df) < p:
        high *= 2.0
    for _ in range(80):
        middle = (low + high) / 2.0
        low, high = (middle, high) if t_cdf(middle, df) < p else (low, middle)
    return (low + high) / 2.0


def median_interval(medians: npt.NDArray[Any], pooled: float | None = None, confidence: float = 0.95) -> tuple[float, float] | None:
    """Interval of the median from the visits' medians by Student's t; None for fewer than two visits, whose error is unknown.

    The two-level design of Kalibera and Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013: what differs between visits is the error.
    Where `pooled`, the median of all samples, lies off the centre of the visits (some were disturbed), that distance is part of the error too:
    without it the interval held the truth in 0.42 of the cases on the worst recorded series, with it in 1.00.
    """
    count = len(medians)
    if count < 2:
        return None
    centre = float(np.mean(medians))
    other = centre if pooled is None else float(pooled)
    half = t_quantile(0.5 + confidence / 2.0, count - 1) * float(np.std(medians, ddof=1)) / math.sqrt(count)
    return max(0.0, min(centre, other) - half), max(centre, other) + half


def _interval_ms(latency_ns: Int64s, visit: npt.NDArray[Any], p50_ns: int) -> tuple[float, float] | None:
    """The interval of the median in ms."""
    interval = median_interval(visit_medians(latency_ns, visit), p50_ns)
    return None if interval is None else (interval[0] / NS_PER_MS, interval[1] / NS_PER_MS)


def summarize(latency_ns: Int64s, visit: npt.NDArray[Any]) -> Latency:
    """The figures of steady samples; what their number does not carry is None."""
    count = len(latency_ns)
    if count == 0:
        return Latency(count=0, visits=0)
    ordered = np.sort(latency_ns)

    def shown(p: float) -> float | None:
        return None if count < sample_floor(p) else int(ordered[rank(count, p)]) / NS_PER_MS

    p50_ms = shown(0.5)
    return Latency(
        count=count,
        # numpy's unique would hold the interpreter for 10 ms here; sorting frees it.
        visits=1 + int(np.count_nonzero(np.diff(np.sort(visit)))),
        mean_ms=float(np.mean(ordered)) / NS_PER_MS,
        stdev_ms=float(np.std(ordered, ddof=1)) / NS_PER_MS if count > 1 else None,
        min_ms=int(ordered[0]) / NS_PER_MS,
        max_ms=int(ordered[-1]) / NS_PER_MS,
        p25_ms=shown(0.25),
        p50_ms=p50_ms,
        p75_ms=shown(0.75),
        p50_ci95_ms=None if p50_ms is None else _interval_ms(latency_ns, visit, int(ordered[rank(count, 0.5)])),
        p90_ms=shown(0.9),
        p95_ms=shown(0.95),
        p99_ms=shown(0.99),
    )


def relative_half_width(latency: Latency) -> float | None:
    """The larger distance from the median to an end of its interval, over the median: the +- that a reader takes from it."""
    if latency.p50_ms is None or latency.p50_ci95_ms is None or latency.p50_ms <= 0.0:
        return None
    low, high = latency.p50_ci95_ms
    return max(high - latency.p50_ms, latency.p50_ms - low) / latency.p50_ms


def throughput_per_s(latency_ns: Int64s, batch_size: int) -> float | None:
    """Items a second while calls follow one another: batch size times calls over the time spent in them; None without samples."""
    total_ns = int(np.sum(latency_ns))
    return batch_size * len(latency_ns) * 1e9 / total_ns if total_ns > 0 else None

"""Percentiles, sample floors and intervals: pure functions on arrays of nanoseconds.

numpy sorts, partitions and sums without the interpreter lock (1,000,000 samples: 0.1 s of work, at most 0.3 ms held), so these may run beside the
thread that paints.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.result import Latency

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.99
"""How sure it must be that the samples reach beyond the percentile that is shown."""
NS_PER_MS = 1e6
UNSEEN_VISITS = 0.15
"""Of a visit's samples: so many may have been on the other side of the median and were missed. Chosen on simulated series with two speeds, where it
raises the share of intervals that hold the median from 0.89 to 0.92, while the interval of a quiet series stays below 1.3 %."""


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


@functools.cache
def order_rank(count: int, confidence: float = 0.95) -> int | None:
    """The k for which the k-th smallest and the k-th largest of `count` values enclose their median with `confidence`; None where even the ends do not.

    The sign test turned round (W. R. Thompson, "On confidence ranges for the median", Annals of Mathematical Statistics 7, 1936): each value lies
    below the median with probability 1/2 whatever their distribution is, so one that is far off moves no end.
    """
    outside, found = 0.0, None
    for k in range(1, count // 2 + 1):
        outside += 2.0 * math.comb(count, k - 1) / 2.0**count
        if outside > 1.0 - confidence:
            break
        found = k
    return found


def share_interval(ordered: npt.NDArray[Any], parts: Sequence[npt.NDArray[Any]], confidence: float = 0.95) -> tuple[float, float] | None:
    """Interval of the median from how the share of samples below it differs between visits; None for fewer than two. `ordered`: all samples, sorted.

    R. S. Woodruff, "Confidence intervals for medians and other position measures", JASA 47, 1952, with the visits as the clusters: the error of the
    share is carried to the samples' own distribution, so where a model runs now fast, now slow, the interval reaches from one to the other. `UNSEEN_VISITS`
    is added: visits that agree do not prove that nothing else happens between them. Half a visit's share stays beyond each end, where single samples
    would decide.
    """
    count = len(parts)
    if count < 2:
        return None
    middle = ordered[rank(len(ordered), 0.5)]
    weights = np.array([len(part) for part in parts]) / len(ordered)
    shares = np.array([np.count_nonzero(part <= middle) / len(part) for part in parts])
    error = math.sqrt(count / (count - 1) * float(np.sum((weights * (shares - np.sum(weights * shares))) ** 2)))
    half = min(t_quantile(0.5 + confidence / 2.0, count - 1) * error + UNSEEN_VISITS / count, 0.5 - 0.5 / count)
    low, high = ordered[rank(len(ordered), 0.5 - half)], ordered[rank(len(ordered), 0.5 + half)]
    return float(min(middle, low)), float(max(middle, high))


def visits_interval(ordered: npt.NDArray[Any], parts: Sequence[npt.NDArray[Any]], confidence: float = 0.95) -> tuple[float, float] | None:
    """The interval of the median that is shown; None for one visit. `ordered`: all samples, sorted; `parts`: those of each visit.

    Student's t on the visits' medians, no wider than the sign test allows (from 6 visits on: a few visits that something disturbed do not blow it up),
    and no narrower than Woodruff's. Each alone fails somewhere: t where a model has two speeds (held the truth in 0.82 of simulated series, together
    0.92) or a few visits were disturbed (intervals of several times the median), Woodruff's with few visits (0.85). tests/benchmarks/bench_coverage.py.
    """
    medians = np.array([percentile_ns(part, 0.5) for part in parts], dtype=np.int64)
    found = median_interval(medians, float(ordered[rank(len(ordered), 0.5)]), confidence)
    spread = share_interval(ordered, parts, confidence)
    if found is None or spread is None:
        return None
    low, high = found
    if (k := order_rank(len(medians), confidence)) is not None:
        medians.sort()
        low, high = max(low, float(medians[k - 1])), min(high, float(medians[-k]))
    return min(low, spread[0]), max(high, spread[1])


def trend_score(values: Sequence[float] | npt.NDArray[Any]) -> float:
    """How much values follow one another instead of scattering, in standard deviations: below -1.3 in 10 of 100 cases by chance, 0 for fewer than 4.

    The rank version of von Neumann's ratio (R. Bartels, JASA 77, 1982): squared steps from rank to rank over squared distances from the mean rank.
    """
    count = len(values)
    if count < 4:
        return 0.0
    array = np.asarray(values, dtype=np.float64)
    # Equal values share the mean of their ranks.
    ranks = (array[:, None] > array[None, :]).sum(axis=1) + (array[:, None] == array[None, :]).sum(axis=1) / 2.0
    scatter = float(np.sum((ranks - ranks.mean()) ** 2))
    if scatter == 0.0:
        return 0.0
    ratio = float(np.sum(np.diff(ranks) ** 2)) / scatter
    variance = 4.0 * (count - 2) * (5.0 * count**2 - 2.0 * count - 9.0) / (5.0 * count * (count + 1) * (count - 1) ** 2)
    return (ratio - 2.0) / math.sqrt(variance)


def summarize(latency_ns: Int64s, visit: npt.NDArray[Any]) -> Latency:
    """The figures of steady samples; what their number does not carry is None."""
    count = len(latency_ns)
    if count == 0:
        return Latency(count=0, visits=0)
    ordered = np.sort(latency_ns)

    def shown(p: float) -> float | None:
        return None if count < sample_floor(p) else int(ordered[rank(count, p)]) / NS_PER_MS

    p50_ms, parts = shown(0.5), split_visits(latency_ns, visit)
    interval = visits_interval(ordered, parts)
    return Latency(
        count=count,
        visits=len(parts),
        mean_ms=float(np.mean(ordered)) / NS_PER_MS,
        stdev_ms=float(np.std(ordered, ddof=1)) / NS_PER_MS if count > 1 else None,
        min_ms=int(ordered[0]) / NS_PER_MS,
        max_ms=int(ordered[-1]) / NS_PER_MS,
        p25_ms=shown(0.25),
        p50_ms=p50_ms,
        p75_ms=shown(0.75),
        p50_ci95_ms=None if p50_ms is None or interval is None else (interval[0] / NS_PER_MS, interval[1] / NS_PER_MS),
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

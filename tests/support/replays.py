"""Latency series, recorded and simulated, and a plan replayed on them as the engine would have measured them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from engine import stopping, trust
from engine.job import Plan
from engine.result import Latency, Reason
from engine.statistics import Floats, Int64s, percentile_ns, relative_half_width, summarize

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SIMULATED_S = 60.0
CALL_NS = 4e6
"""Of a simulated call that nothing disturbs."""


class Series(msgspec.Struct):
    """A long series: starts and latencies in ns, and the median of all of it, which an interval should hold."""

    name: str
    start: Int64s
    latency: Int64s
    truth_ns: int
    length_s: float
    """Without the repetitions that a short one is continued with."""


class Replay(msgspec.Struct):
    """What one replayed configuration would have shown."""

    latency: Latency
    stopped: Reason
    trust: trust.Trust
    span_s: float
    visits: int

    def holds(self, truth_ns: int) -> bool:
        """Whether it has an interval with the truth in it."""
        ends = self.latency.p50_ci95_ms
        return ends is not None and ends[0] <= truth_ns / 1e6 <= ends[1]

    def misses_by(self, truth_ns: int) -> float:
        """How far its median lies off, over the truth."""
        return abs((self.latency.p50_ms or 0.0) * 1e6 / truth_ns - 1.0)


def recorded(name: str = "*", skip_s: float = 1.0, least_s: float = 120.0) -> list[Series]:
    """The recorded series (host latency) without their first second, each going on at its beginning until it is long enough."""
    found = []
    for path in sorted(DATA.glob(f"{name}.npz")):
        with np.load(path) as data:
            start, latency = data["start_ns"].astype(np.int64), data["host_ns"].astype(np.int64)
        keep = start >= start[0] + int(skip_s * 1e9)
        start, latency = start[keep] - start[keep][0], latency[keep]
        period = int(start[-1] + latency[-1])
        rounds = max(3, int(least_s * 1e9 // period) + 1)
        repeated = np.concatenate([start + k * period for k in range(rounds)])
        found.append(Series(path.stem, repeated, np.tile(latency, rounds), percentile_ns(latency, 0.5), period / 1e9))
    return found


def _independent(rng: np.random.Generator, n: int) -> Floats:
    """Nothing but noise, 0.5 to 8 %."""
    return np.exp(rng.normal(0.0, np.exp(rng.uniform(np.log(0.005), np.log(0.08))), n))


def _ar1(rng: np.random.Generator, n: int) -> Floats:
    """A level that wanders by 1 to 10 % and comes back, with a correlation time of 0.02 to 3 s."""
    calls = np.exp(rng.uniform(np.log(0.02), np.log(3.0))) * 1e9 / CALL_NS
    phi, sigma = np.exp(-1.0 / calls), rng.uniform(0.01, 0.1)
    noise = rng.normal(0.0, sigma * np.sqrt(1.0 - phi * phi), n)
    level = np.empty(n)
    level[0] = rng.normal(0.0, sigma)
    for i in range(1, n):
        level[i] = phi * level[i - 1] + noise[i]
    return np.exp(level)


def _two_regimes(rng: np.random.Generator, n: int) -> Floats:
    """A fast and a slow state, 5 to 60 % apart, that take turns after 0.1 to 5 s on average each."""
    dwell = np.exp(rng.uniform(np.log(0.1), np.log(5.0), 2)) * 1e9 / CALL_NS
    lengths = np.maximum(1, np.ceil(rng.exponential(1.0, (int(n / dwell.mean()) + 50, 2)) * dwell)).astype(int).ravel()
    slow = rng.uniform(0.05, 0.6)
    state = np.repeat(np.arange(len(lengths)) % 2, lengths)[int(rng.integers(0, 50)) :]
    state = np.resize(state, n)
    return (1.0 + slow * state) * np.exp(rng.normal(0.0, rng.uniform(0.003, 0.03), n))


def _spikes(rng: np.random.Generator, n: int) -> Floats:
    """A steady level with 0.1 to 10 % of calls 2 to 20 times as long, alone or in bursts."""
    latency = np.exp(rng.normal(0.0, rng.uniform(0.003, 0.03), n))
    burst = int(rng.integers(1, 40))
    begins = rng.random(n) < np.exp(rng.uniform(np.log(0.001), np.log(0.1))) / burst
    spiked = np.convolve(begins, np.ones(burst))[:n] > 0
    return np.where(spiked, latency * rng.uniform(2.0, 20.0, n), latency)


def _random_walk(rng: np.random.Generator, n: int) -> Floats:
    """A level that never comes back: it has gone 10 to 40 % after a minute, in either direction."""
    steps = rng.normal(0.0, rng.uniform(0.1, 0.4) / np.sqrt(SIMULATED_S * 1e9 / CALL_NS), n)
    return np.exp(np.cumsum(steps)) * np.exp(rng.normal(0.0, 0.01, n))


KINDS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "independent": _independent, "ar1": _ar1, "two-regimes": _two_regimes, "spikes": _spikes, "random-walk": _random_walk,
}


def simulated(kind: str, seed: int, length_s: float = SIMULATED_S) -> Series:
    """One simulated series of a kind; equal seeds give equal series."""
    rng = np.random.default_rng([sorted(KINDS).index(kind), seed])
    latency = (KINDS[kind](rng, int(length_s * 1e9 / CALL_NS)) * CALL_NS).astype(np.int64)
    start = np.concatenate(([0], np.cumsum(latency[:-1])))
    return Series(f"{kind}-{seed}", start, latency, percentile_ns(latency, 0.5), float(start[-1] + latency[-1]) / 1e9)


def cut_visit(start: Int64s, begin_s: float, plan: Plan) -> tuple[int, int]:
    """First and last+1 index of the visit that begins at `begin_s`; the series goes on beyond it."""
    # One sample stays behind the visit: its start is the visit's end.
    first = min(len(start) - 3, int(np.searchsorted(start, int(begin_s * 1e9))))
    last = max(first + 1, int(np.searchsorted(start, start[first] + int(plan.visit_s * 1e9))))
    last = min(last, len(start) - 1)
    while last < len(start) - 1 and not stopping.visit_over(last - first, float(start[last] - start[first]) / 1e9, plan):
        last += 1
    return first, last


def replay(series: Series, begin_s: float, plan: Plan) -> Replay:
    """One configuration measured alone, as the engine would: visits when due until a rule says it is over."""
    start, latency = series.start, series.latency
    due_s, measured_s = begin_s, 0.0
    parts: list[Int64s] = []
    starts: list[Int64s] = []
    while True:
        first, last = cut_visit(start, due_s, plan)
        parts.append(latency[first:last])
        starts.append(start[first:last])
        measured_s += float(np.sum(latency[first:last])) / 1e9
        end_s = float(start[last]) / 1e9
        if len(parts) >= plan.visits_min:
            visit = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
            taken = np.concatenate(parts)
            figures = summarize(taken, visit)
            decision = stopping.configuration_over(figures, len(parts), measured_s, end_s - begin_s, plan)
            if decision is not None:
                half = relative_half_width(figures)
                graded = trust.grade(taken, np.concatenate(starts), visit, decision.reason(), half_width=half)
                return Replay(figures, decision.reason(), graded, end_s - begin_s, len(parts))
        due_s = max(end_s, stopping.next_visit_due_s(len(parts), begin_s, due_s, plan))

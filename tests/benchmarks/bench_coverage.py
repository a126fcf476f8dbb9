"""How often the standard plan's interval holds the median of the whole series, replayed on the recorded series, and what grades come of it.

python -m tests.benchmarks.bench_coverage [replays]

Visits are cut from a series where the plan would have taken them, from random starts. A series shorter than a replay goes on at its beginning; one
shorter than the plan's spread (marked *) is therefore seen more than once, and its share says little.
"""

from __future__ import annotations

import collections
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from engine import stopping, trust
from engine.job import PLANS, Plan
from engine.result import Latency, Reason
from engine.statistics import Int64s, relative_half_width, summarize

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
REPLAYS = 200


class Replay(msgspec.Struct):
    """What one replayed configuration would have shown."""

    latency: Latency
    stopped: Reason
    trust: trust.Trust
    span_s: float


def load(path: Path, skip_s: float = 1.0) -> tuple[Int64s, Int64s]:
    """Start and host latency of a series, in ns, without its first second (warm-up), repeated to a minute and more."""
    with np.load(path) as data:
        start, latency = data["start_ns"].astype(np.int64), data["host_ns"].astype(np.int64)
    keep = start >= start[0] + int(skip_s * 1e9)
    start, latency = start[keep] - start[keep][0], latency[keep]
    period = int(start[-1] + latency[-1])
    rounds = max(3, int(60e9 // period) + 1)
    return np.concatenate([start + k * period for k in range(rounds)]), np.tile(latency, rounds)


def cut_visit(start: Int64s, begin_s: float, plan: Plan) -> tuple[int, int]:
    """First and last+1 index of the visit that begins at `begin_s`."""
    first = int(np.searchsorted(start, int(begin_s * 1e9)))
    last = max(first + 1, int(np.searchsorted(start, start[first] + int(plan.visit_s * 1e9))))
    while not stopping.visit_over(last - first, float(start[last] - start[first]) / 1e9, plan):
        last += 1
    return first, last


def replay(start: Int64s, latency: Int64s, begin_s: float, plan: Plan) -> Replay:
    """One configuration measured alone, as the engine would: visits when due until a rule says it is over."""
    due_s, measured_s = begin_s, 0.0
    parts: list[Int64s] = []
    starts: list[Int64s] = []
    while True:
        first, last = cut_visit(start, due_s, plan)
        parts.append(latency[first:last])
        starts.append(start[first:last])
        measured_s += float(np.sum(latency[first:last])) / 1e9
        end_s = float(start[last]) / 1e9
        visit = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        figures = summarize(np.concatenate(parts), visit)
        decision = stopping.configuration_over(figures, len(parts), measured_s, end_s - begin_s, plan)
        if decision is not None:
            graded = trust.grade(np.concatenate(parts), np.concatenate(starts), visit, decision.reason())
            return Replay(figures, decision.reason(), graded, end_s - begin_s)
        due_s = max(end_s, stopping.next_visit_due_s(len(parts), begin_s, due_s, plan))


def describe(name: str, truth_ms: float, runs: Sequence[Replay]) -> str:
    """The line of one series under one plan."""
    errors = [abs((run.latency.p50_ms or 0.0) / truth_ms - 1.0) * 100.0 for run in runs]
    intervals = [run.latency.p50_ci95_ms for run in runs]
    held = np.mean([interval is not None and interval[0] <= truth_ms <= interval[1] for interval in intervals])
    widths = [relative_half_width(run.latency) for run in runs]
    half = np.median([width * 100.0 for width in widths if width is not None] or [np.nan])
    grades = collections.Counter(run.trust.grade for run in runs)
    codes = collections.Counter(reason.code for run in runs for reason in run.trust.reasons)
    ends = collections.Counter(run.stopped.code for run in runs)
    shares = " ".join(f"{grade} {grades[grade] / len(runs):4.2f}" for grade in trust.GRADES)
    visits, span_s = np.mean([run.latency.visits for run in runs]), np.mean([run.span_s for run in runs])
    return (
        f"{name:25} held {held:4.2f}  half {half:5.2f} %  error {np.median(errors):5.2f} max {max(errors):6.2f} %  visits {visits:4.1f} in {span_s:4.1f} s"
        f"  {shares}  {dict(ends)} {dict(codes)}"
    )


def main(replays: int = REPLAYS) -> None:
    """Print a table for each plan."""
    for name, plan in PLANS.items():
        print(name)
        for path in sorted(DATA.glob("*.npz")):
            start, latency = load(path)
            once = int(np.searchsorted(start, start[-1] / max(3, round(start[-1] / 60e9))))
            truth_ms = summarize(latency, np.zeros(len(latency), np.int32)).p50_ms or 0.0
            begins = np.random.default_rng(1).uniform(0.0, min(20.0, float(start[once]) / 1e9), replays)
            runs = [replay(start, latency, float(begin), plan) for begin in begins]
            print(describe(path.stem, truth_ms, runs), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REPLAYS)

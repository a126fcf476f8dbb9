"""How often the standard plan's interval holds the median of a whole series, and what grades come of it: on recorded and on simulated series.

python -m tests.benchmarks.bench_coverage [replays] [series of each simulated kind]

Visits are cut from a series where the plan would have taken them, from random starts. A recorded series that is shorter than a replay goes on at its
beginning. The form of the interval was chosen while looking at the recorded series and at simulated ones of seeds below 1,000; here others are drawn.
"""

from __future__ import annotations

import collections
import sys
import time
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from engine import trust
from engine.job import PLANS, Plan
from engine.statistics import relative_half_width
from tests.support.replays import KINDS, Replay, Series, recorded, replay, simulated

REPLAYS, EACH = 200, 200
FIRST_SEED = 1000
MISS = 0.05
"""A quick run that misses the long-run median by more should not be graded good."""
DRIFTS = {"drift-slower", "drift-faster", "visits-wander"}


class Line(msgspec.Struct):
    """What came of many replays."""

    name: str
    held: float
    missed: int
    missed_and_warned: int
    drifting: float
    good: float


def tell(name: str, runs: Sequence[tuple[Series, Replay]]) -> Line:
    """Print and return the line of one series or kind under one plan."""
    errors = np.array([run.misses_by(series.truth_ns) for series, run in runs])
    held = float(np.mean([run.holds(series.truth_ns) for series, run in runs]))
    widths = [width * 100.0 for _, run in runs if (width := relative_half_width(run.latency)) is not None]
    grades = collections.Counter(run.trust.grade for _, run in runs)
    codes = collections.Counter(reason.code for _, run in runs for reason in run.trust.reasons)
    ends = collections.Counter(run.stopped.code for _, run in runs)
    halves = "/".join(f"{value:.2f}" for value in np.percentile(widths, (10, 50, 90))) if widths else "-"
    shares = " ".join(f"{grade} {grades[grade] / len(runs):4.2f}" for grade in trust.GRADES)
    visits, span_s = np.mean([run.visits for _, run in runs]), np.mean([run.span_s for _, run in runs])
    print(
        f"{name:24} held {held:5.3f}  half {halves:>18} %  error {np.median(errors) * 100:5.2f} max {errors.max() * 100:7.2f} %"
        f"  visits {visits:4.1f} in {span_s:5.1f} s  {shares}  {dict(ends)} {dict(codes)}", flush=True,
    )
    warned = sum(error > MISS and run.trust.grade != "good" for error, (_, run) in zip(errors, runs, strict=True))
    drifting = float(np.mean([bool(DRIFTS & {reason.code for reason in run.trust.reasons}) for _, run in runs]))
    return Line(name, held, int(np.sum(errors > MISS)), warned, drifting, grades["good"] / len(runs))


def of_recorded(plan: Plan, replays: int) -> list[Line]:
    """Each recorded series, from random starts."""
    lines = []
    for series in recorded():
        begins = np.random.default_rng(1).uniform(0.0, min(20.0, series.length_s), replays)
        lines.append(tell(series.name, [(series, replay(series, float(begin), plan)) for begin in begins]))
    return lines


def of_simulated(plan: Plan, each: int) -> list[Line]:
    """Each kind: so many series, one replay of each from a random start; as long as the plan's visits can take, and half as long again."""
    longest_s = max(36.0, 1.2 * (plan.spread_s + (plan.visits_max - plan.visits_min) * plan.spread_s / max(1, plan.visits_min - 1) / 2.0))
    lines = []
    for kind in KINDS:
        runs = []
        for seed in range(FIRST_SEED, FIRST_SEED + each):
            series = simulated(kind, seed, 1.7 * longest_s)
            latest = max(0.0, series.length_s - longest_s)
            runs.append((series, replay(series, float(np.random.default_rng(seed).uniform(0.0, latest)), plan)))
        lines.append(tell(kind, runs))
    return lines


def bars(standard: list[Line], standard_simulated: list[Line], quick: list[Line]) -> Iterator[tuple[str, float, float]]:
    """What must hold: words, what was seen, the bar."""
    steady = [line for line in standard_simulated if line.name != "random-walk"]
    (walk,) = (line for line in standard_simulated if line.name == "random-walk")
    for name, lines in (("recorded", standard), ("simulated", steady)):
        if lines:
            yield f"interval holds the whole series' median, worst {name}", min(line.held for line in lines), 0.85
            yield f"interval holds the whole series' median, mean of {name}", float(np.mean([line.held for line in lines])), 0.92
    yield "random walk: a reason says that it drifts", walk.drifting, 0.90
    yield "random walk: the grade is not good", 1.0 - walk.good, 0.90
    missed = sum(line.missed for line in quick)
    yield f"quick runs off by over 5 % ({missed}) that are noisy or poor", sum(line.missed_and_warned for line in quick) / max(1, missed), 0.90
    yield "simulated, independent: the standard plan's grade is good", next(line.good for line in steady if line.name == "independent"), 0.90


def main(replays: int = REPLAYS, each: int = EACH) -> int:
    """Print a table for each plan and whether the bars are met; 1 where one is not."""
    began = time.perf_counter()
    found: dict[str, tuple[list[Line], list[Line]]] = {}
    for name, plan in PLANS.items():
        print(name)
        # No recorded series is as long as a publication takes, and a quarter of the simulated ones says as much as is needed of it.
        found[name] = (of_recorded(plan, replays), of_simulated(plan, each)) if name != "publication" else ([], of_simulated(plan, each // 4))
    met = True
    for words, seen, bar in bars(*found["standard"], [*found["quick"][0], *found["quick"][1]]):
        met &= seen >= bar
        print(f"{'PASS' if seen >= bar else 'FAIL'}  {words}: {seen:.3f} (at least {bar:.2f})")
    print(f"{time.perf_counter() - began:.0f} s")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:3])))

"""The time left, as real jobs tell it, over the time that was left: at 10, 30, 50, 70 and 90 % of each job.

python -m tests.benchmarks.bench_time_left [quick] [standard] [publication]

Bar: within 30 % of the truth from the first tenth on. A job of one and of three configurations, fast (well below 1 ms a call) and slow (0.2 s).
"""

from __future__ import annotations

import bisect
import sys
import tempfile
import time
from pathlib import Path

from engine.events import Progressed
from engine.job import PLANS, Configuration
from engine.result import Run
from engine.supervisor import Engine
from tests.benchmarks import rig
from tests.support import jobs, nets

AT = (0.1, 0.3, 0.5, 0.7, 0.9)
WITHIN = 0.30
FAST, SLOW = (64, (1, 8, 32)), (2048, (900, 1000, 1100))
"""Width of the network and batch sizes."""
LEAST_S = 0.5
"""Less time than that left is not judged: it is no more than one look at the standings."""


def measure(folder: Path, plan: str, width: int, sizes: tuple[int, ...]) -> tuple[list[tuple[float, float]], float, Run]:
    """Run a job: (seconds since its beginning, seconds left as told) of each progress, how long it took, and the run."""
    told: list[tuple[float, float]] = []
    began = time.perf_counter()

    def listen(event: object) -> None:
        if isinstance(event, Progressed) and event.seconds_left is not None:
            told.append((time.perf_counter() - began, event.seconds_left))

    engine = Engine(listen, keep_history=False)
    try:
        engine.start()
        engine.warm_up()
        configurations = tuple(Configuration(batch_size=size) for size in sizes)
        job, info = jobs.make_job(jobs.save(folder, nets.Linears(width), f"{width}.pth"), f"Linears({width})", (f"f32[B,{width}]",), configurations, PLANS[plan])
        told.clear()
        began = time.perf_counter()
        run = engine.run_job(job, info)
        return told, time.perf_counter() - began, run
    finally:
        engine.close()


def ratios(told: list[tuple[float, float]], took_s: float) -> list[float]:
    """Estimate over truth at each share of the job: what was told last by then."""
    found = []
    for share in AT:
        at, left_s = told[max(0, bisect.bisect_right(told, (share * took_s, float("inf"))) - 1)]
        found.append(left_s / max(took_s - at, 1e-9))
    return found


def main(plans: list[str]) -> int:
    """One line a job; 1 where one was off by more than the bar."""
    print(rig.machine())
    off = 0
    with rig.places() as home, tempfile.TemporaryDirectory(dir=home) as folder:
        for plan in plans or list(PLANS):
            for speed, (width, sizes) in (("fast", FAST), ("slow", SLOW)):
                for count in (1, 3):
                    told, took_s, run = measure(Path(folder), plan, width, sizes[:count])
                    found = ratios(told, took_s)
                    judged = [ratio for share, ratio in zip(AT, found, strict=True) if (1.0 - share) * took_s >= LEAST_S]
                    good = all(abs(ratio - 1.0) <= WITHIN for ratio in judged)
                    off += not good
                    p50 = ", ".join(f"{outcome.latency.p50_ms:.3g}" for outcome in run.outcomes if outcome.latency and outcome.latency.p50_ms)
                    visits = [outcome.latency.visits for outcome in run.outcomes if outcome.latency]
                    shown = "  ".join(f"{share:.0%} {ratio:.2f}" for share, ratio in zip(AT, found, strict=True))
                    print(f"{'PASS' if good else 'FAIL'}  {plan:11} {speed} x{count}  {took_s:6.1f} s  {shown}  p50 {p50} ms  visits {visits}", flush=True)
    print(f"{off} jobs off by more than {WITHIN:.0%}")
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Readings a second while a model is measured, and what taking them costs it: `python -m tests.benchmarks.bench_sampling [rounds]`.

One engine, one worker, blocks of the same model with the monitor's tick and without it, in turn (A B B A in every round).
"""

from __future__ import annotations

import sys
import time

import numpy as np

from engine import supervisor
from engine.events import MonitorSampled
from engine.recorder import Recorder
from engine.supervisor import Engine
from engine.visits import Visitor
from engine.watch import MachineWatch
from tests.benchmarks import rig
from tests.benchmarks.bench_own_cost import interval

VISIT_S = 1.5
RATE_BAR_HZ = 50.0


def main(rounds=10):
    """Print the rate and the ratio of medians with its interval."""
    print(rig.machine())
    job, info = rig.real_job("pnet", visit_s=VISIT_S, visit_limit_s=VISIT_S)
    events = []
    with rig.places() as folder:
        engine = Engine(events.append, history_folder=folder)
        try:
            engine.start()
            record = Recorder(0, job, job.configurations[0], info, 2)
            visitor = Visitor(engine.workers, lambda event: None, 0, engine.monitor)
            watch = MachineWatch(engine.monitor, visitor, events.append, 0)
            visitor.start(record)
            logs = [one_round(engine, visitor, watch, record) for _ in range(rounds)]
        finally:
            engine.close()
    times = [event.t_ns for event in events if isinstance(event, MonitorSampled)]
    gaps = np.diff(times) / 1e9
    rate = 1.0 / float(np.mean(gaps[gaps < 0.5]))
    ratio, low, high = interval(np.array(logs))
    rig.say("median with readings over median without, pnet.pt", "the interval holds 1, or the ratio is below 1.01: " + ("met" if low <= 1.0 or ratio < 1.01 else "MISSED"), ratio=ratio, ci95=[low, high], rounds=rounds)
    rig.say("readings a second while measuring", "at least 50: " + ("met" if rate >= RATE_BAR_HZ else "MISSED"), hz=rate)


def one_round(engine, visitor, watch, record):
    """Log of the ratio with over without, of one round."""
    found = [p50(engine, visitor, watch, record, watched) for watched in (True, False, False, True)]
    return float(np.log(found[0] * found[3] / found[1] / found[2]) / 2)


def p50(engine, visitor, watch, record, watched):
    """Median of one visit's calls."""
    before = len(record.samples.steady())
    tick = engine.pump.every(supervisor.MONITOR_S, lambda: watch.tick(None)) if watched else None
    began = time.perf_counter()
    visitor.visit(record, rested=True)
    assert time.perf_counter() - began >= VISIT_S
    if tick is not None:
        engine.pump.cancel(tick)
    return float(np.median(record.samples.steady().latency_ns[before:]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

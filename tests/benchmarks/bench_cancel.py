"""Stop now inside one endless forward: from the call to the worker's death: `python -m tests.benchmarks.bench_cancel [times]`.

Two kinds of forward that never end, in turn: one call into C that holds the interpreter lock, and a Python loop. The worker is surely inside it: its phase is
the first call and it has used CPU time there.
"""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import psutil

from engine.supervisor import Engine
from tests.benchmarks import rig
from tests.benchmarks.weights import linears

BAR_S = 1.0
BUSY_S = 0.2


def one(engine, path, what):
    """Seconds from `stop_now` to the worker's end, and to the end of the run."""
    engine.allow()
    job, info = rig.make_job(path, f"Misbehaving({what!r}, 1)", "f32[B,16]")
    runs = []
    thread = threading.Thread(target=lambda: runs.append(engine.run_job(job, info)))
    thread.start()
    worker = inside(engine)
    began = time.perf_counter()
    engine.stop_now()
    while lives(worker):
        time.sleep(0.001)
    gone = time.perf_counter() - began
    thread.join(10)
    over = time.perf_counter() - began
    if runs[0].outcomes[0].status != "cancelled":
        raise RuntimeError(f"the run ended as {runs[0].outcomes[0].status}")
    return gone, over


def inside(engine):
    """The worker, once it has spent a while in its first call."""
    worker, entered = None, None
    while entered is None or cpu(worker) < entered + BUSY_S:
        time.sleep(0.005)
        if engine.workers.alive and PHASES and PHASES[-1] == "first-call":
            worker = worker or psutil.Process(engine.workers.alive[0].pid)
            entered = cpu(worker) if entered is None else entered
    PHASES.clear()
    return worker


def lives(process):
    """Whether it is there and no zombie; it may go between two looks."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def cpu(process):
    """CPU seconds used."""
    times = process.cpu_times()
    return times.user + times.system


PHASES: list[str] = []


def main(times=20):
    """Half of them inside C, half inside Python."""
    print(rig.machine())
    with rig.places() as folder:
        path = linears(folder)
        engine = Engine(lambda event: PHASES.append(event.phase) if type(event).__name__ == "PhaseStarted" else None)
        engine.warm_up()
        try:
            results = [one(engine, path, ("endless", "spin")[turn % 2]) for turn in range(times)]
        finally:
            engine.close()
    gone, over = (np.array(part) for part in zip(*results, strict=True))
    rig.say(
        "stop now", f"worker gone within {BAR_S:g} s", times=times, median_s=round(float(np.median(gone)), 4), worst_s=round(float(gone.max()), 4),
        worst_until_the_run_is_over_s=round(float(over.max()), 4),
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""How long the engine's dearest calls keep another thread from running: no call in the window's process may hold the interpreter over 10 ms.

python -m tests.benchmarks.bench_interpreter_hold
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from engine import history, sampling, trust
from engine.job import Configuration
from engine.monitor import Monitor
from engine.result import ModelInfo, Outcome, Run
from engine.statistics import summarize

MILLION = 1_000_000


def held(call: Callable[[], object], rounds: int = 5) -> tuple[float, float]:
    """Median duration of a call and the longest pause of a thread that only looks at the clock meanwhile, in ms."""
    longest, stop, durations = [0.0], threading.Event(), []

    def watch() -> None:
        last = time.perf_counter()
        while not stop.is_set():
            now = time.perf_counter()
            longest[0] = max(longest[0], now - last)
            last = now

    watcher = threading.Thread(target=watch)
    watcher.start()
    time.sleep(0.05)
    longest[0] = 0.0
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        durations.append(time.perf_counter() - began)
    stop.set()
    watcher.join()
    return float(np.median(durations)) * 1e3, longest[0] * 1e3


def arrays(count: int) -> sampling.SampleArrays:
    """Samples as a fast model gives them, with the columns of a GPU."""
    latency = np.random.default_rng(0).integers(30_000, 60_000, count)
    visit = (np.arange(count) * 10 // count).astype(np.int32)
    return sampling.SampleArrays(
        start_ns=np.cumsum(latency), latency_ns=latency, phase=np.ones(count, np.uint8), visit=visit, device_ns=latency - 5, enqueue_ns=latency - 9
    )


def main() -> None:
    """Print a line for each call."""
    many, model = arrays(MILLION), ModelInfo(path="model.pt", sha256="0", kind="module")
    encoded = sampling.encode_for_run(many)
    outcomes = tuple(Outcome(configuration=Configuration(batch_size=n + 1), status="ok", samples=encoded) for n in range(12))
    monitor = Monitor()
    with tempfile.TemporaryDirectory() as folder:
        writer = history.RunWriter(Path(folder))
        path = writer.begin(Run(id="bench", model=model))
        writer.finish(Run(id="bench", model=model, outcomes=outcomes))
        calls: dict[str, Callable[[], object]] = {
            "summarize, 1,000,000 samples": lambda: summarize(many.latency_ns, many.visit),
            "grade, 1,000,000 samples": lambda: trust.grade(many.latency_ns, many.start_ns, many.visit, None),
            "reduce and encode 1,000,000 samples": lambda: sampling.encode_for_run(many),
            "decode 200,000 samples": lambda: sampling.decode(encoded),
            "add the 12th outcome of 200,000 samples": lambda: writer.add_outcome(11, msgspec.structs.replace(outcomes[11])),
            f"load that run ({path.stat().st_size / 1e6:.0f} MB)": lambda: history.load_run(path),
            "list the runs": lambda: history.list_runs(Path(folder)),
            "one reading of the monitor": lambda: monitor.sample(None),
        }
        for name, call in calls.items():
            duration_ms, longest_ms = held(call)
            print(f"{name:45} takes {duration_ms:7.2f} ms, another thread waited at most {longest_ms:5.2f} ms", flush=True)
    monitor.close()


if __name__ == "__main__":
    main()

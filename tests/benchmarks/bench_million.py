"""A run of 1,000,000 samples, measured by a real worker, drawn, kept, and made into a page: `python -m tests.benchmarks.bench_million [samples]`.

The real window with the real engine. Memory is the window's resident memory after less before (a short run came first, so that plots and libraries
are there); the page is written twice, by the window's Save report and by the `report` command alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from engine.events import JobFinished, ReportSaved
from tests.benchmarks import rig
from tests.benchmarks.bench_stall import steady_blocks
from tests.benchmarks.weights import linears


class Memory:
    """Resident memory of this process, followed by a timer."""

    def __init__(self):
        from PySide6.QtCore import QTimer

        self._process = psutil.Process()
        self.before = self.peak = self.now()
        self._timer = QTimer(interval=50)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def now(self):
        """MB of memory in RAM."""
        return self._process.memory_info().rss / 1e6

    def _tick(self):
        self.peak = max(self.peak, self.now())

    def stop(self):
        """Follow no more."""
        self._timer.stop()


def main(count=1_000_000):
    """One visit of so many samples."""
    print(rig.machine())
    with rig.places() as folder:
        path = linears(folder)
        program = rig.Program()
        program.measure(*rig.make_job(path, "Linears", "f32[B,16]", visit_s=0.5))
        program.for_seconds(2.0)
        watch, memory = rig.Watch(program.window.bench.latency_plot.canvas), Memory()
        others = rig.Others(os.getpid())
        measure(program, watch, path, count)
        pan(program, watch)
        page = Path(folder, "page.html")
        save(program, watch, page)
        rig.say("other programs meanwhile", None, share=f"{others.share():.1%}")
        memory.stop()
        rig.say("memory of the window", "grows by at most 200 MB", before_mb=round(memory.before), grown_mb=round(memory.now() - memory.before), peak_grown_mb=round(memory.peak - memory.before))
        run_path = program.session.run.run_path
        rig.say("kept run", None, size_mb=round(Path(run_path).stat().st_size / 1e6, 1))
        command(run_path, Path(folder, "alone.html"))
        program.close()


def measure(program, watch, path, count):
    """The run itself, and what follows its last sample: figures of a million samples, writing the run."""
    program.log.clear()
    watch.start()
    run = program.measure(*rig.make_job(path, "Linears", "f32[B,16]", visit_samples=count, visit_limit_s=200.0, measuring_limit_s=200.0), seconds=240)
    program.for_seconds(2.0)
    watch.stop()
    blocks = steady_blocks(program.log)
    first, last = blocks[0][0], blocks[-1][0]
    finished = next(at for at, event in program.log if isinstance(event, JobFinished))
    program.log.clear()
    rig.say("measuring", "20 frames/s or more", samples=run.outcomes[0].latency.count, **watch.between(first, last))
    rig.say("the last 5 s of it, all samples there", "20 frames/s or more", **watch.between(last - 5, last))
    rig.say("figures and keeping the run", "stall at most 50 ms", took_s=round(finished - last, 2), **watch.between(last, finished + 1.9))


def pan(program, watch):
    """The user drags the plot: every frame draws all of it anew."""
    import itertools

    from PySide6.QtCore import QTimer

    view, turn = program.window.bench.latency_plot.view, itertools.count()
    drag = QTimer(interval=16)
    drag.timeout.connect(lambda: (view.translateBy(x=0.02 if next(turn) % 40 < 20 else -0.02), view.moved_by_user.emit()))
    watch.start()
    began = time.perf_counter()
    drag.start()
    program.for_seconds(5.0)
    drag.stop()
    watch.stop()
    rig.say("dragging the plot", "20 frames/s or more", **watch.between(began, time.perf_counter()))


def save(program, watch, page):
    """Save report, as the button does, while the window lives."""
    watch.start()
    began = time.perf_counter()
    program.session.save_report(str(page))
    program.until(lambda: any(isinstance(event, ReportSaved) for _, event in program.log), 60)
    told, answer = next((at, event) for at, event in program.log if isinstance(event, ReportSaved))
    program.for_seconds(0.5)
    watch.stop()
    if answer.failure is not None:
        raise RuntimeError(answer.failure.summary)
    rig.say(
        "Save report", "page at most 3 MB, within 5 s, stall at most 50 ms", took_s=round(told - began, 2), page_mb=round(page.stat().st_size / 1e6, 2),
        **watch.between(began, told + 0.4),
    )


def command(run_path, page):
    """The `report` command by itself."""
    began = time.perf_counter()
    subprocess.run([sys.executable, str(rig.ROOT / "main.py"), "report", run_path, "-o", str(page)], cwd=rig.ROOT, check=True, stdout=subprocess.DEVNULL)
    rig.say("report command", "page at most 3 MB, within 5 s", took_s=round(time.perf_counter() - began, 2), page_mb=round(page.stat().st_size / 1e6, 2))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

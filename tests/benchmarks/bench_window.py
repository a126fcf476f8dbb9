"""How the window keeps up: drawing rate and longest stall while samples pour in, and with a million of them. Run by hand.

    python -m tests.benchmarks.bench_window

Samples arrive on the GUI thread as the engine's events do; a 5 ms timer that fires late tells how long the thread was held (`longest_stall_ms`, wall time; on a machine that is busy
with other things the kernel adds to it), and the thread's own processor time in between (`longest_busy_ms`) tells the window's share.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import sys
import time

import numpy as np
import psutil
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from engine import events
from engine.job import PLANS, Configuration, Job, ModelSource
from gui import theme
from gui.models.run_model import RunModel
from gui.widgets.bench import Bench
from gui.widgets.details_pane import DetailsPane
from gui.widgets.status_strip import StatusStrip
from tests.support.runs import make_model, make_outcome, make_samples

FRAME_MS = 33
SIZE = (1288, 800)
RATE_PER_S = 20_000
BLOCK_S = 0.06


class Watch:
    """Counts paints of the latency plot, and how late a timer of 5 ms fires."""

    def __init__(self, canvas):
        self._reset()
        paint = canvas._paint
        canvas._paint = lambda painter: (self._count(), paint(painter))
        self._timer = QTimer(interval=5)
        self._timer.timeout.connect(self._tick)

    def _count(self):
        self.frames += 1

    def _reset(self):
        self.frames, self.stall_ms, self.busy_ms, self._last = 0, 0.0, 0.0, None

    def _tick(self):
        now = time.perf_counter(), time.thread_time()
        if self._last is not None:
            self.stall_ms = max(self.stall_ms, (now[0] - self._last[0]) * 1e3 - 5)
            self.busy_ms = max(self.busy_ms, (now[1] - self._last[1]) * 1e3)
        self._last = now

    def during(self, seconds):
        """Run the event loop for a while; returns its figures."""
        self._reset()
        loop, start = QEventLoop(), time.perf_counter()
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        self._timer.start()
        loop.exec()
        self._timer.stop()
        rate = self.frames / (time.perf_counter() - start)
        return {"frames_per_s": round(rate, 1), "longest_stall_ms": round(self.stall_ms, 1), "longest_busy_ms": round(self.busy_ms, 1)}


class Feed:
    """Blocks at `RATE_PER_S`, readings at 20 Hz, progress at 10 Hz, as from a running job."""

    def __init__(self, model):
        self.model, self.sent, self._start = model, 0, time.perf_counter()
        self._random, self._visit = np.random.default_rng(3), itertools.count()
        self._timer = QTimer(interval=int(BLOCK_S * 1000))
        self._timer.timeout.connect(self._send)
        self._readings = QTimer(interval=50)
        self._readings.timeout.connect(self._read)

    def start(self):
        self._timer.start()
        self._readings.start()

    def stop(self):
        self._timer.stop()
        self._readings.stop()

    def _send(self):
        due = int((time.perf_counter() - self._start) * RATE_PER_S) - self.sent
        send(self.model, self.sent, due, self._random)
        self.sent += due

    def _read(self):
        t_ns = int((time.perf_counter() - self._start) * 1e9)
        self.model.apply(events.MonitorSampled(0, t_ns, {"worker_resident_bytes": 9e8 + 1e7 * np.sin(t_ns / 1e9), "machine_cpu_percent": 50.0}))
        self.model.apply(events.Progressed(min(1.0, t_ns / 2e10), 20.0, 0, "steady"))


def send(model, first, count, random):
    """Apply one block that goes on where the last one ended."""
    start_ns = (np.arange(first, first + count) * (1e9 / RATE_PER_S)).astype(np.int64)
    latency_ns = (45_000 * random.lognormal(0, 0.05, count)).astype(np.int64)
    latency_ns[random.random(count) < 0.002] *= 6
    model.apply(events.BlockMeasured(index=0, visit=first // 20_000, steady=True, start_ns=start_ns, latency_ns=latency_ns))


def make_window(model):
    """Figures, plots, table, details and status, refreshed by one timer as in the program."""
    whole, column = QWidget(), QVBoxLayout()
    whole.setLayout(column)
    bench, views = Bench(model), [DetailsPane(model), StatusStrip(model)]
    for view in (bench, *views):
        column.addWidget(view)
    views[0].setMaximumHeight(120)
    whole.resize(*SIZE)
    timer = QTimer(whole, interval=FRAME_MS)
    timer.timeout.connect(lambda: [view.refresh() for view in (bench, *views)])
    timer.start()
    whole.show()
    return whole, bench, timer


def start_model():
    """A model in which one of two configurations runs."""
    model, info = RunModel(), make_model()
    job = Job("bench", ModelSource(info.path, "state-dict"), (), (Configuration(), Configuration(precision="bf16")), PLANS["standard"])
    model.apply(events.JobStarted(job, info, 0, None))
    model.apply(events.PhaseStarted(0, "steady"))
    return model


def live(app):
    """20,000 samples a second for 15 s."""
    model = start_model()
    whole, bench, timer = make_window(model)
    feed, watch = Feed(model), Watch(bench.latency_plot.canvas)
    watch.during(1.0)
    feed.start()
    figures = watch.during(15.0)
    feed.stop()
    close(app, whole, timer)
    return {"samples": feed.sent, **figures}


def million(app, count=1_000_000):
    """A million samples: standing, while more arrive, and while the user drags the plot."""
    process = psutil.Process()
    model = start_model()
    whole, bench, timer = make_window(model)
    watch = Watch(bench.latency_plot.canvas)
    watch.during(1.0)
    before, random = process.memory_info().rss, np.random.default_rng(3)
    for first in range(0, count, 10_000):
        send(model, first, 10_000, random)
        app.processEvents()
    watch.during(1.0)
    grown = (process.memory_info().rss - before) / 2**20
    feed = Feed(model)
    feed.sent, feed._start = count, time.perf_counter() - count / RATE_PER_S
    feed.start()
    arriving = watch.during(6.0)
    feed.stop()
    dragged = pan(bench, watch)
    model.apply(events.OutcomeUpdated(0, make_outcome(samples=make_samples()), final=True))
    close(app, whole, timer)
    return {"more_arriving": arriving, "dragged": dragged, "memory_grown_mib": round(grown, 1)}


def pan(bench, watch):
    """Move the view a little with every turn of the event loop, as dragging does."""
    view, turn = bench.latency_plot.view, itertools.count()
    drag = QTimer(interval=16)
    drag.timeout.connect(lambda: (view.translateBy(x=0.02 if next(turn) % 40 < 20 else -0.02), view.moved_by_user.emit()))
    drag.start()
    result = watch.during(5.0)
    drag.stop()
    return result


def close(app, whole, timer):
    """Let the window go before the interpreter ends."""
    timer.stop()
    whole.close()
    whole.deleteLater()
    app.processEvents()


def main():
    """Print the figures as JSON."""
    app = QApplication(sys.argv[:1])
    theme.apply_theme(app, "dark")
    machine = {"cores": os.cpu_count(), "machine": platform.processor() or platform.machine(), "platform": app.platformName(), "load": os.getloadavg()[0]}
    print(json.dumps({"machine": machine, "live_20000_per_s": live(app), "one_million": million(app)}, indent=1))


if __name__ == "__main__":
    main()

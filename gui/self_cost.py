"""One round of the program's own cost: the real window with the real engine in this process, a lone loop in turn with it. Started by `doctor --self-cost`.

Own cost: median under the program with its window drawing (A) over the same loop in a lone Python process with the same window drawing beside it (B): the window
is fed with the events of A, at their pace, from a thread. Cost of watching: A over the lone loop while the window stands still (C). A round is A B C C B A.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QEventLoop, QTimer

from engine.events import BlockMeasured, MonitorSampled, OutcomeUpdated, PhaseStarted, Progressed
from engine.inputs import parse_input
from engine.job import PLANS, Configuration, Job, ModelSource
from engine.launch import die_with_parent
from engine.result import ModelInfo, Run
from engine.self_cost.lone import Lone
from engine.self_cost.others import Others
from engine.self_cost.rounds import STRETCHES, Round, RoundSpec
from gui import app as application

LIVE = (BlockMeasured, MonitorSampled, OutcomeUpdated, PhaseStarted, Progressed)
TICK_MS = 5
START_S = 120.0
REST_S = 0.3
"""Between two stretches."""


class Program:
    """The window and its engine, as `gui.app.main` puts them together, in this process."""

    def __init__(self) -> None:
        self.app = application.make_application()
        self._application = application.Application(self.app, application.engine_thread, native_dialogs=False)
        self.session, self.window = self._application.session, self._application.window
        self.log: list[tuple[float, object]] = []
        self._application.open([])
        self.until(lambda: self.session.engine_state != "starting", START_S)
        if self.session.engine_state != "ready":
            raise RuntimeError("the engine did not start")
        self.engine: Any = self._application._engine  # noqa: SLF001 - the round speaks in the engine's place
        self.engine.told.connect(self._note)

    def _note(self, event: object) -> None:
        self.log.append((time.perf_counter(), event))

    def until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Run the event loop until something is so; the loop sleeps as the program's own does."""
        loop, deadline = QEventLoop(), time.monotonic() + seconds
        poll = QTimer(interval=TICK_MS)
        poll.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() > deadline else None)
        poll.start()
        loop.exec()
        poll.stop()
        if not condition():
            raise TimeoutError(f"not within {seconds:g} s")

    def for_seconds(self, seconds: float) -> None:
        """Let the program live for a while."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end, seconds + 5)

    def begin(self, job: Job, info: ModelInfo) -> None:
        """Start a job as the Run button does, once its job is made."""
        self.session.run.set_queued(job, info)
        self.engine.run_job(job, info)

    def measure(self, job: Job, info: ModelInfo, seconds: float = 120.0) -> Run:
        """Run a job to its end; the finished run. Raises RuntimeError when its first row failed."""
        self.begin(job, info)
        self.until(lambda: self.session.run.run is not None, seconds)
        run: Run = self.session.run.run
        if (error := run.outcomes[0].error) is not None:
            raise RuntimeError(error.summary)
        return run

    def close(self) -> None:
        """Stop everything, let plots go before the interpreter."""
        self._application.interrupt()
        self.app.processEvents()
        application.let_go(self.app, self._application)
        del self.window, self._application


class Replay:
    """Sends the events of a finished job to the window again, at the pace at which they came."""

    def __init__(self, program: Program, job: Job, info: ModelInfo, log: list[tuple[float, object]]) -> None:
        self._program, self._job, self._info = program, job, info
        begin = next(index for index, (_, event) in enumerate(log) if isinstance(event, PhaseStarted) and event.phase == "warm-up")
        self._events = [(at - log[begin][0], event) for at, event in log[begin:] if isinstance(event, LIVE)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, name="replay")

    def start(self) -> None:
        """From the beginning of warm-up on."""
        self._program.session.run.set_queued(self._job, self._info)
        self._program.session.run.state = "running"
        self._thread.start()

    def stop(self) -> None:
        """No more of it."""
        self._stop.set()
        self._thread.join()

    def _send(self) -> None:
        began = time.perf_counter()
        for at, event in self._events:
            if self._stop.wait(max(0.0, began + at - time.perf_counter())):
                return
            self._program.engine.told.emit(event)


class Paints:
    """Counts how often a canvas is painted."""

    def __init__(self, canvas: Any) -> None:
        self.count = 0
        paint = canvas._paint  # noqa: SLF001 - watched, not changed

        def counted(painter: object) -> None:
            paint(painter)
            self.count += 1

        canvas._paint = counted  # noqa: SLF001


def job_of(spec: RoundSpec) -> tuple[Job, ModelInfo]:
    """A job of one visit as long as a stretch, and what the window knows of the file."""
    limit = spec.seconds + 5
    plan = msgspec.structs.replace(PLANS["quick"], visit_s=spec.seconds, visit_samples=1, visit_limit_s=limit, measuring_limit_s=limit)
    source = ModelSource(spec.weights, "state-dict", spec.architecture)
    configuration = Configuration(device=spec.device, threads=spec.threads, precision=spec.precision)
    data = Path(spec.weights).read_bytes()
    info = ModelInfo(path=spec.weights, sha256=hashlib.sha256(data).hexdigest(), kind="state-dict", file_bytes=len(data))
    return Job(id=f"self-cost-{time.monotonic_ns()}", model=source, inputs=(parse_input(spec.input),), configurations=(configuration,), plan=plan), info


class OneRound:
    """Six stretches in turn; `tell` hears before each which one it is."""

    def __init__(self, spec: RoundSpec, tell: Callable[[int], None]) -> None:
        self._spec, self._tell = spec, tell
        self._drawn: tuple[Job, ModelInfo, list[tuple[float, object]]] | None = None
        self._run: Run | None = None

    def measure(self, top: int) -> Round:
        """The whole round; what is no descendant of process `top` counts as another program."""
        lone = Lone(self._spec)
        try:
            program = Program()
            try:
                lone.wait_ready()
                self._under_program(program, 0.3)       # plots are made, torch's first calls are over
                done = self._stretches(program, lone, top)
                lone.close()
                return done
            finally:
                program.close()
        finally:
            lone.kill()

    def _stretches(self, program: Program, lone: Lone, top: int) -> Round:
        paints = Paints(program.window.bench.latency_plot.canvas)
        medians, rates, others = [], {}, Others(top)
        for number, what in enumerate(STRETCHES):
            self._tell(number)
            program.for_seconds(REST_S)
            paints.count, began = 0, time.perf_counter()
            medians.append(self._under_program(program, self._spec.seconds) if what == "A" else self._lone(program, lone, what == "B"))
            rates[what] = round(paints.count / (time.perf_counter() - began), 1)
        assert self._run is not None
        return Round(
            medians_ns=tuple(medians), frames_per_s=rates, others=others.share(), window=program.app.platformName(), environment=self._run.environment
        )

    def _under_program(self, program: Program, seconds: float) -> float:
        """Stretch A: p50 in ns; what is needed to draw the same again is kept."""
        job, info = job_of(msgspec.structs.replace(self._spec, seconds=seconds))
        program.log.clear()
        self._run = program.measure(job, info)
        self._drawn = job, info, list(program.log)
        latency = self._run.outcomes[0].latency
        assert latency is not None
        assert latency.p50_ms is not None, "fewer calls than a median needs"
        return latency.p50_ms * 1e6

    def _lone(self, program: Program, lone: Lone, with_drawing: bool) -> float:
        """Stretches B and C: the lone loop's median in ns."""
        assert self._drawn is not None
        replay = Replay(program, *self._drawn) if with_drawing else None
        if replay:
            replay.start()
        try:
            return lone.ask(f"loop {self._spec.seconds} {self._spec.warm_up_s}", lambda is_over: program.until(is_over, self._spec.seconds + 60))
        finally:
            if replay:
                replay.stop()


def main(arguments: list[str]) -> int:
    """`SPEC`, a RoundSpec as JSON: lines of JSON on standard output, `{"stretch": n}` before each and at last `{"round": ...}`."""
    parent = os.getppid()
    die_with_parent(parent)
    spec = msgspec.json.decode(arguments[0], type=RoundSpec)
    done = OneRound(spec, lambda number: print(json.dumps({"stretch": number}), flush=True)).measure(parent)
    print(json.dumps({"round": msgspec.to_builtins(done)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""An engine for tests of the window: looks like `EngineThread`, notes what it is asked, and says what the test tells it to."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from PySide6.QtCore import QObject, Signal

from engine import events
from engine.candidates import Candidate
from engine.capabilities import Facts
from engine.inputs import parse_input
from engine.job import Configuration, InputSource, InputSpec, Job, ModelSource
from engine.result import Failure, ModelInfo, Run
from tests.support.runs import make_model, make_outcome

FACTS = Facts(torch="2.13.0", quantized_engines=("fbgemm",), cpu_flags=("avx2",), cpu_name="Test CPU", cores=4, memory_bytes=16 << 30, python="3.11.2")


class FakeEngine(QObject):
    """`calls` lists (name, arguments) in order; `emit` delivers an event as the engine would."""

    told = Signal(object)

    def __init__(self, ready: bool = True) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []
        self._ready = ready
        self.files: dict[str, events.FileInspected] = {}
        self.places: dict[tuple[str, str | None], events.FileInspected] = {}
        """Answers about other places of a checkpoint, by path and place."""
        self.examined: dict[str, events.ModelExamined] = {}
        """Answers to `examine`, by path; the source is put in when they are given."""
        self.ranked: dict[str, events.ClassesRanked] = {}

    def names(self) -> list[str]:
        """What was asked, in order."""
        return [call[0] for call in self.calls]

    def emit(self, event: object) -> None:
        """Say something."""
        self.told.emit(event)

    def start_engine(self) -> None:
        self.calls.append(("start_engine",))
        if self._ready:
            self.emit(events.EngineReady(FACTS))

    def examine(self, source: ModelSource, inputs: tuple[InputSpec, ...] = (), python: str | None = None) -> None:
        self.calls.append(("examine", source, inputs, python))
        if source.path in self.examined:
            self.emit(msgspec.structs.replace(self.examined[source.path], source=source, asked=inputs))

    def rank_classes(self, source: ModelSource, candidates: tuple[Candidate, ...], config: dict[str, Any], python: str | None = None) -> None:
        self.calls.append(("rank_classes", source, candidates, config, python))
        if source.path in self.ranked:
            self.emit(msgspec.structs.replace(self.ranked[source.path], asked=tuple(each.spec for each in candidates)))

    def probe(self, python: str | None = None) -> None:
        self.calls.append(("probe", python))

    def stop_looking(self, path: str | None = None) -> None:
        self.calls.append(("stop_looking", path))

    def inspect(self, path: str, near: tuple[str, ...] = (), at: str | None = None) -> None:
        self.calls.append(("inspect", path, *([near] if near or at else []), *([at] if at else [])))
        if path in self.files:
            event = self.places.get((path, at), self.files[path])
            if at in event.weights_places and (path, at) not in self.places and event.info is not None:
                event = msgspec.structs.replace(event, info=msgspec.structs.replace(event.info, weights_at=at))
            self.emit(event)

    def run_job(self, job: Job, info: ModelInfo) -> None:
        self.calls.append(("run_job", job, info))

    def compare(self, job_a: Job, info_a: ModelInfo, job_b: Job, info_b: ModelInfo) -> None:
        self.calls.append(("compare", job_a, info_a, job_b, info_b))

    def keep_measuring(self, run: Run, index: int, run_path: str | None = None) -> None:
        self.calls.append(("keep_measuring", run, index, run_path))

    def cancel(self) -> None:
        self.calls.append(("cancel",))

    def stop_now(self) -> None:
        self.calls.append(("stop_now",))

    def save_report(self, run: Run, path: str, language: str = "en") -> None:
        self.calls.append(("save_report", run, path, language))

    def load_run(self, path: str) -> None:
        self.calls.append(("load_run", path))

    def list_history(self) -> None:
        self.calls.append(("list_history",))

    def close(self) -> None:
        self.calls.append(("close",))


def answer_examination(engine: FakeEngine, failure: Failure | None = None, given: str = "f32[B,3]") -> None:
    """Answer the last question to load a model: an input was found that ran, or `failure` says why not."""
    name, source, inputs, *_ = engine.calls[-1]
    assert name == "examine"
    ran = (msgspec.structs.replace(parse_input(given), source="guessed", ran=True),)
    engine.emit(events.ModelExamined(path=source.path, source=source, asked=inputs, inputs=ran if failure is None else inputs, failure=failure))


def inspected(path: str, kind: str = "torchscript", **changes: Any) -> events.FileInspected:
    """What the engine says about a model file."""
    info = make_model(path, kind=kind, architecture=None, saved_on=("cuda:0",), tensors=13, values=6632)
    return msgspec.structs.replace(events.FileInspected(path=path, info=info), **changes)


def examined(path: str, *inputs: str, failure: Failure | None = None, source: InputSource = "guessed") -> events.ModelExamined:
    """What the engine says about a model that it loaded once: inputs that it ran with, or why it did not."""
    specs = tuple(msgspec.structs.replace(parse_input(each), source=source, ran=failure is None) for each in inputs)
    return events.ModelExamined(path=path, source=ModelSource(path, "torchscript"), inputs=specs, failure=failure)


def block(index: int, count: int = 10, start_s: float = 1.0, steady: bool = True, visit: int = 0, ms: float = 2.0) -> events.BlockMeasured:
    """`count` equal samples, one after another."""
    latency = np.full(count, int(ms * 1e6), np.int64)
    start = int(start_s * 1e9) + np.cumsum(latency) - latency
    return events.BlockMeasured(index=index, visit=visit, steady=steady, start_ns=start, latency_ns=latency)


def replay(job: Job, info: ModelInfo) -> list[object]:
    """The events of a whole small run, in the order in which the engine sends them."""
    told: list[object] = [events.JobStarted(job, info, 0, "/history/run.json")]
    outcomes = []
    for index, configuration in enumerate(job.configurations):
        told += [events.PhaseStarted(index, phase) for phase in ("starting", "load", "prepare", "first-call", "warm-up")]
        told += [block(index, 20, 1.0 + index, steady=False), events.PhaseStarted(index, "steady"), block(index, 50, 1.1 + index)]
        told.append(events.MonitorSampled(index, int((1.2 + index) * 1e9), {"worker_resident_bytes": 3e8, "machine_cpu_percent": 40.0}))
        told.append(events.Progressed((index + 1) / len(job.configurations), 4.0, index, "steady"))
        outcomes.append(make_outcome(configuration))
        told.append(events.OutcomeUpdated(index, outcomes[-1], True))
    told.append(events.JobFinished(finished_run(job, info, tuple(outcomes)), "/history/run.json"))
    return told


def finished_run(job: Job, info: ModelInfo, outcomes: tuple[Any, ...] = ()) -> Run:
    """The run that a job ends as."""
    return Run(id=job.id, created_at="2026-01-02T03:04:05+00:00", model=info, inputs=job.inputs, outcomes=outcomes or _all(job.configurations))


def _all(configurations: tuple[Configuration, ...]) -> tuple[Any, ...]:
    return tuple(make_outcome(configuration) for configuration in configurations)

"""A comparison as a run: two records measured in turn, kept in the history, told as events."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine import environment
from engine.capabilities import Facts
from engine.command_line import compare_line
from engine.comparing import PLAN, Comparer, TurnVisitor, comparable, inputs_note
from engine.events import ComparisonFinished, ComparisonStarted
from engine.job import Job
from engine.keeper import Keeper
from engine.monitor import Monitor
from engine.pump import Pump
from engine.recorder import Recorder
from engine.result import Application, ModelInfo, Outcome, Run
from engine.resume import job_of
from engine.runner import PROGRESS_S, Flags
from engine.self_cost import result as self_cost
from engine.version import VERSION
from engine.watch import MachineWatch
from engine.workers import Workers, interpreter_of

MONITOR_S = 1 / 60


class Side(msgspec.Struct, frozen=True):
    """A or B: its job of one configuration, its model, and what is known of the Python that runs it."""

    job: Job
    info: ModelInfo
    facts: Facts | None


class ComparisonRun:
    """Makes the run of one comparison with an engine's parts."""

    def __init__(self, workers: Workers, pump: Pump, flags: Flags, emit: Callable[[object], None], monitor: Monitor, folder: Path | None, keeps: bool) -> None:
        self._workers, self._pump, self._flags, self._emit, self._monitor = workers, pump, flags, emit, monitor
        self._folder, self._keeps = folder, keeps

    def measure(self, a: Side, b: Side, recorder: Callable[[int, Job, ModelInfo, Facts | None], Recorder]) -> Run:
        """The run with its verdict, or as far as it got; `recorder` makes the record of a job's one configuration."""
        a, b = (msgspec.structs.replace(side, job=comparable(side.job)) for side in (a, b))
        zero_ns = time.perf_counter_ns()
        run = self._begun(a, b)
        records = recorder(0, a.job, a.info, a.facts), recorder(1, b.job, b.info, b.facts)
        if a.job.inputs != b.job.inputs:
            records[1].note(*inputs_note(b.job))
        keeper = Keeper(self._folder, run) if self._keeps else None
        self._emit(ComparisonStarted(
            job_a=a.job, job_b=b.job, model_a=a.info, model_b=b.info, start_ns=zero_ns, run_path=str(keeper.path) if keeper and keeper.path else None
        ))
        comparer = self._compared(records, zero_ns, keeper)
        return self._finished(run, records, comparer, keeper)

    def _begun(self, a: Side, b: Side) -> Run:
        interpreter = interpreter_of(a.job.interpreter)
        return Run(
            id=uuid.uuid4().hex, app=Application(version=VERSION), created_at=datetime.now(UTC).isoformat(timespec="seconds"), model=a.info, inputs=a.job.inputs,
            environment=environment.collect(a.facts, self._monitor.gpus, interpreter), plan=msgspec.to_builtins(PLAN), command=compare_line(a.job, b.job),
            finished=False, other_model=b.info if b.info.path != a.info.path or b.info.sha256 != a.info.sha256 or b.job.model != a.job.model else None,
        )

    def _compared(self, records: tuple[Recorder, Recorder], zero_ns: int, keeper: Keeper | None) -> Comparer:
        visitor = TurnVisitor(self._workers, self._emit, zero_ns, self._monitor)
        watch = MachineWatch(self._monitor, visitor, self._emit, zero_ns)
        comparer = Comparer(
            records, visitor, self._workers, self._pump, self._flags, self._emit, lambda record: _keep(keeper, record, comparer), watch
        )
        ticks = [self._pump.every(MONITOR_S, comparer.tick), self._pump.every(PROGRESS_S, comparer.report_progress)]
        try:
            comparer.run()
        finally:
            for tick in ticks:
                self._pump.cancel(tick)
            comparer.release_all()
        return comparer

    def _finished(self, run: Run, records: tuple[Recorder, Recorder], comparer: Comparer, keeper: Keeper | None) -> Run:
        other = run.other_model
        run = msgspec.structs.replace(
            run, model=_known(run.model, records[0]), other_model=_known(other, records[1]) if other else None, comparison=comparer.comparison(),
            outcomes=tuple(_outcome(record) for record in records), finished=True, environment=environment.finished(run.environment),
        )
        run = self_cost.with_own_cost(run)
        save_failure = keeper.finish(run) if keeper else None
        path = str(keeper.path) if keeper and keeper.path and save_failure is None else None
        self._emit(ComparisonFinished(run=run, run_path=path, failure=comparer.failure, save_failure=save_failure))
        return run


def _keep(keeper: Keeper | None, record: Recorder, comparer: Comparer) -> None:
    """A crash of the program costs the last seconds, not the rounds."""
    if keeper is not None:
        keeper.keep_comparison(comparer.comparison())
        keeper.keep(record)


def _outcome(record: Recorder) -> Outcome:
    outcome = record.final
    assert outcome is not None, "a comparer that has run has concluded both"
    return outcome


def _known(model: ModelInfo, record: Recorder) -> ModelInfo:
    """The model with what loading it told."""
    loaded = record.loaded
    if loaded is None:
        return model
    return msgspec.structs.replace(
        model, parameters=loaded.parameters, buffers=loaded.buffers, weights_bytes=model.weights_bytes or loaded.weights_bytes,
        architecture=model.architecture or loaded.architecture,
    )


def side_of(run: Run, index: int, job: Job | None = None) -> tuple[Job, ModelInfo]:
    """One row of a run as a side of a comparison; `job` is the one that made the run, where it is still known (it says more than the run does)."""
    info = run.other_model if index == 1 and run.other_model is not None else run.model
    made = job if job is not None and job.id == run.id else job_of(msgspec.structs.replace(run, model=info))
    configuration = run.outcomes[index].configuration
    options = {name: value for name, value in configuration.options.items() if name != "batch"}      # the batch that was looked for was found
    return msgspec.structs.replace(made, configurations=(msgspec.structs.replace(configuration, options=options),)), info

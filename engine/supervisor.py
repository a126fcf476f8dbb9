"""The engine without Qt: inspects files, probes the machine, runs jobs, and owns every process that this takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from engine import devices, environment, extras, resume
from engine.candidates import Candidate
from engine.capabilities import Facts, check, default_threads
from engine.comparison import ComparisonRun, Side
from engine.events import ClassesRanked, EngineReady, FileInspected, JobFinished, JobStarted, ModelExamined, MonitorSampled
from engine.finding import Finder
from engine.indexing import Indexer
from engine.job import InputSpec, Job, ModelSource
from engine.keeper import Keeper
from engine.looking import Looker
from engine.monitor import Monitor
from engine.out_of_memory import offered
from engine.probing import probe
from engine.pump import Pump
from engine.recorder import Recorder
from engine.replica_set import recorder_for
from engine.replicas import ReplicaVisitor
from engine.result import Application, ModelInfo, Run
from engine.runner import PROGRESS_S, Flags, JobRunner
from engine.scaling import scaled
from engine.self_cost import result as self_cost
from engine.version import VERSION
from engine.watch import MachineWatch
from engine.words import failure
from engine.workers import ConfigurationEnded, Interrupted, Workers, interpreter_of

MONITOR_S = 1 / 60
"""The graphs want 50 readings a second at least, a busy machine takes some."""
IDLE_S = 1.0
OWN_LOAD_S = 180.0
"""So long after a job the load average, a mean over about a minute, still holds what the job itself took."""


def _ignore(event: object) -> None:
    """Nobody listens."""


class Engine:
    """One engine: use it from one thread; only `cancel`, `stop_now` and `wake` may come from others."""

    def __init__(
        self, emit: Callable[[object], None] = _ignore, python: str | None = None, history_folder: Path | None = None, keep_history: bool = True
    ) -> None:
        self.emit = emit
        self.flags = Flags()
        self.pump = Pump()
        self.facts: Facts | None = None
        self._facts_of = ""
        """The interpreter that `facts` are about."""
        self._python = python
        self._folder = history_folder
        self._keep_history = keep_history
        self.workers = Workers(self.pump, lambda: self.flags.stop)
        self.monitor = Monitor()
        self._idle_due = 0.0
        self._measuring = False
        self._measured_s = -OWN_LOAD_S
        """When the last job ended, on the monotonic clock."""

    # -- life ------------------------------------------------------------------------------------------------------

    def start(self, python: str | None = None) -> Facts:
        """Find out what this machine can do with an interpreter's torch; raises ConfigurationEnded with the reason it cannot."""
        self.facts = self.probe(python)
        self._facts_of = interpreter_of(python or self._python)
        self.emit(EngineReady(self.facts))
        return self.facts

    def probe(self, python: str | None = None) -> Facts:
        """Facts about this machine and the torch of an interpreter, from the cache where nothing has changed."""
        return probe(self.workers, self.monitor, interpreter_of(python or self._python))

    def warm_up(self) -> None:
        """Have the fork server ready, so that the next worker starts in milliseconds."""
        self.workers.warm_up(interpreter_of(self._python))

    def idle(self, timeout_s: float) -> None:
        """Let time pass until something happens or `wake` is called, reading the machine once a second."""
        if time.monotonic() >= self._idle_due:
            self._idle_due = time.monotonic() + IDLE_S
            self.emit(MonitorSampled(None, 0, self.monitor.sample(None)))
        self.pump.turn(timeout_s)

    def wake(self) -> None:
        """End a wait; from any thread."""
        self.pump.wake()

    def cancel(self) -> None:
        """Let the running configuration finish and begin no other; from any thread or a signal handler."""
        self.flags.cancel = True
        self.pump.wake()

    def stop_now(self) -> None:
        """Stop everything; workers are gone within a second. From any thread or a signal handler."""
        self.flags.cancel = self.flags.stop = True
        self.pump.wake()

    def leave(self) -> None:
        """Stop everything now and begin nothing else; from any thread."""
        self.flags.closing = True
        self.stop_now()

    def allow(self) -> None:
        """Forget an earlier cancel or stop, before new work begins; an engine that is to end does no new work."""
        self.flags.cancel = self.flags.stop = False
        if self.flags.closing:      # asked last: `leave` may come from another thread at any line here
            self.flags.cancel = self.flags.stop = True

    def close(self) -> None:
        """End every process of the engine and free its pipes."""
        self.workers.close()
        self.monitor.close()
        self.pump.close()

    @property
    def measuring(self) -> bool:
        """Whether a job runs."""
        return self._measuring

    # -- work ------------------------------------------------------------------------------------------------------

    def inspect(self, path: str, near: tuple[str, ...] = (), at: str | None = None) -> FileInspected:
        """Know a file by its bytes, in a short-lived child; nothing of it is run. Classes are looked for beside it and in `near` (Python files, folders).

        `at` is the place in a checkpoint that the answer is about.
        """
        inspected = self._inspect(path, near, at)
        self.emit(inspected)
        return inspected

    def examine(self, source: ModelSource, inputs: tuple[InputSpec, ...] = (), python: str | None = None) -> ModelExamined:
        """Load the model once and find inputs that its forward runs with; raises Interrupted when that is stopped."""
        examined = self._looker().examine(source, inputs, interpreter_of(python or self._python))
        self.emit(examined)
        return examined

    def rank_classes(
        self, source: ModelSource, candidates: tuple[Candidate, ...], config: dict[str, Any], python: str | None = None
    ) -> ClassesRanked:
        """Build candidates for bare weights and say how well each fits: imports their files, so only after the user's yes. Raises Interrupted."""
        ranked = self._looker().rank(source, candidates, config, interpreter_of(python or self._python))
        self.emit(ranked)
        return ranked

    def index_libraries(self, python: str | None = None) -> None:
        """Fill the index of torchvision's and timm's architectures, minutes the first time; told by LibraryIndexed. Raises Interrupted."""
        Indexer(self.workers, self.emit, interpreter_of(python or self._python)).run()

    def _looker(self) -> Looker:
        return Looker(self.workers, self.pump, self.emit, default_threads(self.facts))

    def _inspect(self, path: str, near: tuple[str, ...] = (), at: str | None = None) -> FileInspected:
        """Look into the file while the machine is watched; a stop ends it."""
        from engine.files import InspectionProcess

        process = InspectionProcess(path, near=near, at=at)
        descriptor = process.fileno()
        self.pump.watch(descriptor, lambda: None)
        try:
            while (inspected := process.poll()) is None:
                if self.flags.stop:
                    process.kill()
                else:
                    self.idle(process.deadline - time.monotonic())
        finally:
            process.kill()
            self.pump.unwatch(descriptor)
        return inspected

    def run_job(self, job: Job, info: ModelInfo) -> Run:
        """Measure all configurations; the run is complete or as far as it got."""
        interpreter = interpreter_of(job.interpreter)
        facts = self._facts_about(interpreter)
        run = Run(
            id=job.id, app=Application(version=VERSION), created_at=datetime.now(UTC).isoformat(timespec="seconds"), model=info, inputs=job.inputs,
            environment=environment.collect(facts, self.monitor.gpus, interpreter), plan=msgspec.to_builtins(job.plan),
            command=self._command(job), finished=False,
        )
        zero_ns = time.perf_counter_ns()
        records = [self._recorder(index, job, info, facts) for index in range(len(job.configurations))]
        return self._measure(run, job, records, zero_ns)

    def compare(self, job_a: Job, info_a: ModelInfo, job_b: Job, info_b: ModelInfo, unchanged: bool = False) -> Run:
        """Measure two configurations in turn, one in each job, until it is shown whether B is faster; the run has two outcomes and the comparison.

        `unchanged`: first make sure that the files are still those that the infos speak of.
        """
        for info in {each.sha256: each for each in (info_a, info_b)}.values() if unchanged else ():
            self._check_unchanged(info.path, info.sha256)
        a, b = (Side(job, info, self._facts_about(interpreter_of(job.interpreter))) for job, info in ((job_a, info_a), (job_b, info_b)))
        parts = ComparisonRun(self.workers, self.pump, self.flags, self.emit, self.monitor, self._folder, self._keep_history)
        self._measuring = True
        try:
            return parts.measure(a, b, lambda index, job, info, facts: self._recorder(index, job, info, facts, at=0))
        finally:
            self._measuring, self._measured_s = False, time.monotonic()

    def keep_measuring(self, run: Run, index: int, run_path: str | None = None) -> Run:
        """Append visits to one finished configuration of a run, whose file must be the one that was measured."""
        job = resume.job_of(run)
        resume.check(run, index)
        self._check_unchanged(job.model.path, run.model.sha256)
        zero_ns = resume.zero_ns(run)
        record = resume.recorder(run, job, index, self.facts.cores if self.facts else None)
        return self._measure(run, job, [record], zero_ns, Path(run_path) if run_path else None)

    def _check_unchanged(self, path: str, sha256: str) -> None:
        """Raise ConfigurationEnded where a file is no longer what was measured, Interrupted on stop."""
        inspected = self._inspect(path)
        if self.flags.stop:
            raise Interrupted
        if inspected.refusal is not None:
            raise ConfigurationEnded(inspected.refusal)
        if inspected.info is None or inspected.info.sha256 != sha256:
            raise ConfigurationEnded(failure("failed", "file-changed", {"file": Path(path).name}))

    def _facts_about(self, interpreter: str) -> Facts | None:
        """Facts of the Python that runs a job; None where it cannot be asked (its rows will say why) or the user stops."""
        if self.facts is None or interpreter == self._facts_of:
            return self.facts
        try:
            return self.probe(interpreter)
        except (ConfigurationEnded, Interrupted):
            return None

    def _recorder(self, index: int, job: Job, info: ModelInfo, facts: Facts | None, at: int | None = None) -> Recorder:
        """The record of the configuration with this index, or at another place in its job."""
        configuration = job.configurations[index if at is None else at]
        record = recorder_for(index, job, configuration, info, facts.cores if facts else None)
        record.load_before = environment.load_average() if time.monotonic() - self._measured_s >= OWN_LOAD_S else None
        if at is not None and devices.is_joint(configuration.device):
            record.fail(failure("unsupported", "compare-replicas", {"device": configuration.device}))
            return record
        if facts is not None and not (choice := check(facts, info.kind, record.configuration)).available:
            record.fail(failure("unsupported", choice.code, choice.values))
        return record

    def _measure(self, run: Run, job: Job, records: list[Recorder], zero_ns: int, path: Path | None = None) -> Run:
        keeper = Keeper(self._folder, run, path) if self._keep_history else None
        self.emit(JobStarted(job, run.model, zero_ns, str(keeper.path) if keeper and keeper.path else None))
        visitor = ReplicaVisitor(self.workers, self.emit, zero_ns, self.monitor)
        watch = MachineWatch(self.monitor, visitor, self.emit, zero_ns)
        runner = JobRunner(
            records, visitor, self.workers, self.pump, self.flags, self.emit, lambda record: keeper.keep(record) if keeper else None, watch,
            lambda record: extras.measure(record, visitor, self.monitor), Finder(visitor, self.workers, self.monitor, self.emit),
        )
        ticks = [self.pump.every(MONITOR_S, lambda: watch.tick(runner)), self.pump.every(PROGRESS_S, runner.report_progress)]
        self._measuring = True
        try:
            runner.run()
        finally:
            self._measuring, self._measured_s = False, time.monotonic()
            for tick in ticks:
                self.pump.cancel(tick)
            runner.release_all()
        return self._finish(run, records, keeper)

    def _finish(self, run: Run, records: list[Recorder], keeper: Keeper | None) -> Run:
        concluded = {record.index: record.conclude() for record in records}
        outcomes = tuple(concluded.get(index) or run.outcomes[index] for index in range(max(len(run.outcomes), len(records))))
        loaded = next((record.loaded for record in records if record.loaded), None)
        model = run.model
        if loaded is not None:
            model = msgspec.structs.replace(
                model, parameters=loaded.parameters, buffers=loaded.buffers, weights_bytes=model.weights_bytes or loaded.weights_bytes,
                architecture=model.architecture or loaded.architecture,
            )
        run = msgspec.structs.replace(
            run, model=model, outcomes=scaled(offered(outcomes)), finished=True, environment=environment.finished(run.environment)
        )
        run = self_cost.with_own_cost(run)
        save_failure = keeper.finish(run) if keeper else None
        self.emit(JobFinished(run, str(keeper.path) if keeper and keeper.path and save_failure is None else None, save_failure))
        return run

    def _command(self, job: Job) -> str:
        from engine.command_line import command_line

        return command_line(job)

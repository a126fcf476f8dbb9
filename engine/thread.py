"""The engine on a thread of its own, for the window: commands in from any thread, events out as a Qt signal."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import QThread, Signal

from engine import history, storage
from engine.candidates import Candidate
from engine.events import EngineFailed, HistoryListed, ReportSaved, RunLoaded
from engine.failures import last_line
from engine.job import InputSpec, Job, ModelSource
from engine.page import write_report_in_child
from engine.process import EngineLost
from engine.result import Failure, ModelInfo, Run
from engine.supervisor import Engine
from engine.words import failure
from engine.workers import ConfigurationEnded, Interrupted

REPORT_S = 60.0


class _Task(NamedTuple):
    """Something to do: a job's number (0: none), the file that is looked at, and the work."""

    number: int
    looking_at: str | None
    work: Callable[[], object]


class EngineThread(QThread):
    """Runs one `Engine`; every event of engine.events arrives on `told`, in order, on the receiver's thread."""

    told = Signal(object)

    def __init__(self, history_folder: Path | None = None) -> None:
        super().__init__()
        self.setObjectName("engine")
        self._engine = Engine(self.told.emit, history_folder=history_folder)
        self._folder = history_folder
        self._tasks: deque[_Task] = deque()
        self._lock = threading.Lock()
        """Of the tasks and of what is being looked at: a task is either still to be taken back, or known to run."""
        self._closing = False
        self._looking_at: str | None = None
        self._submitted = self._running = 0
        """Jobs are numbered from 1: the last one that was asked for, and the one that runs (0: none)."""
        self._cancelled = self._stopped = 0
        """Jobs up to these numbers are to be cancelled or stopped, even while they wait behind something else."""

    # -- commands: from any thread, returning at once ---------------------------------------------------------------

    def start_engine(self) -> None:
        """Start the thread, the fork server and the probe; answered by EngineReady or EngineFailed."""
        self._submit(self._start)
        self.start()

    def inspect(self, path: str, near: tuple[str, ...] = (), at: str | None = None) -> None:
        """Know a file by its bytes (of a checkpoint: what lies at `at`); answered by FileInspected."""
        self._submit(lambda: self._engine.inspect(path, near, at), looking_at=path)

    def examine(self, source: ModelSource, inputs: tuple[InputSpec, ...] = (), python: str | None = None) -> None:
        """Load a model once and find inputs that it runs with; answered by Looking and ModelExamined."""
        self._submit(lambda: self._engine.examine(source, inputs, python), looking_at=source.path)

    def rank_classes(self, source: ModelSource, candidates: tuple[Candidate, ...], config: dict[str, Any], python: str | None = None) -> None:
        """Build candidates for bare weights, which imports their files; answered by Looking and ClassesRanked."""
        self._submit(lambda: self._engine.rank_classes(source, candidates, config, python), looking_at=source.path)

    def probe(self, python: str | None = None) -> None:
        """Find out what an interpreter's torch can do; answered by EngineReady or EngineFailed."""
        self._submit(lambda: self._engine.start(python))

    def stop_looking(self, path: str | None = None) -> None:
        """End what looks at a file (at any, without a path), and forget what waits to; no answer comes from it, but for an inspection's refusal."""
        with self._lock:
            self._tasks = deque(task for task in self._tasks if task.looking_at is None or path not in (None, task.looking_at))
            if self._looking_at is not None and path in (None, self._looking_at):
                self._engine.stop_now()

    def run_job(self, job: Job, info: ModelInfo) -> None:
        """Measure; answered by JobStarted, many events, and JobFinished."""
        self._submit(lambda: self._engine.run_job(job, info), is_job=True)

    def keep_measuring(self, run: Run, index: int, run_path: str | None = None) -> None:
        """Append visits to one row of a run; answered as `run_job` is."""
        self._submit(lambda: self._engine.keep_measuring(run, index, run_path), is_job=True)

    def compare(self, job_a: Job, info_a: ModelInfo, job_b: Job, info_b: ModelInfo) -> None:
        """Measure two configurations in turn, if their files are unchanged; answered by ComparisonStarted, many events, and ComparisonFinished."""
        self._submit(lambda: self._engine.compare(job_a, info_a, job_b, info_b, unchanged=True), is_job=True)

    def save_report(self, run: Run, path: str, language: str = "en") -> None:
        """Make the page in a child process; answered by ReportSaved."""
        self._submit(lambda: self._save_report(run, Path(path), language))

    def load_run(self, path: str) -> None:
        """Read a run; answered by RunLoaded."""
        self._submit(lambda: self._load_run(path))

    def list_history(self) -> None:
        """List the runs on disk; answered by HistoryListed."""
        self._submit(lambda: self.told.emit(HistoryListed(history.list_runs(self._folder or storage.history_folder()))))

    def cancel(self) -> None:
        """Let the running configuration finish and begin no other."""
        self._cancelled = self._submitted
        if self._running:
            self._engine.cancel()

    def stop_now(self) -> None:
        """Stop everything now."""
        self._stopped = self._submitted
        if self._running:
            self._engine.stop_now()

    def close(self) -> None:
        """Stop everything and wait; afterwards no process of the engine lives and the thread is over."""
        self._closing = True
        self._engine.leave()
        if self.isRunning():
            self.wait()
        self._engine.close()

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _submit(self, task: Callable[[], object], is_job: bool = False, looking_at: str | None = None) -> None:
        with self._lock:
            self._submitted += is_job
            self._tasks.append(_Task(self._submitted if is_job else 0, looking_at, task))
        self._engine.wake()

    def run(self) -> None:
        """Do tasks in order, and read the machine while there are none."""
        while not self._closing:
            if not self._tasks:
                self._engine.idle(0.2)
                continue
            with self._lock:
                task = self._tasks.popleft() if self._tasks else None
                if task is not None:
                    self._begin(task)
            if task is None:      # it was taken back
                continue
            try:
                task.work()
            except Interrupted:
                continue
            except ConfigurationEnded as ended:
                self.told.emit(EngineFailed(ended.failure))
            except Exception as error:
                details = {"traceback": traceback.format_exc()}
                self.told.emit(EngineFailed(failure("engine-failed", "program-failed", {"error": f"{type(error).__name__}: {error}"}, details)))
            finally:
                with self._lock:
                    self._running, self._looking_at = 0, None

    def _begin(self, task: _Task) -> None:
        """A job that was cancelled or stopped while it waited begins so: it ends at once, with its outcomes. The order of these lines loses no request."""
        number = task.number
        self._engine.allow()
        self._running, self._looking_at = number, task.looking_at
        if number and number <= self._stopped:
            self._engine.stop_now()
        elif number and number <= self._cancelled:
            self._engine.cancel()

    def _start(self) -> None:
        try:
            self._engine.warm_up()
            self._engine.start()
        except EngineLost as error:
            self.told.emit(EngineFailed(failure("engine-lost", "engine-failed", {"error": last_line(str(error))}, {"log": str(error)})))

    def _load_run(self, path: str) -> None:
        try:
            self.told.emit(RunLoaded(path, history.load_run(Path(path))))
        except history.HistoryError as error:
            self.told.emit(RunLoaded(path, None, error.failure))

    def _save_report(self, run: Run, path: Path, language: str) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="model-dyno-") as folder:
                kept = Path(folder, "run.json")
                history.save_run(run, kept)
                self.told.emit(self._make_page(kept, path, language))
        except storage.StorageError as error:
            self.told.emit(ReportSaved(str(path), error.failure))
        except OSError as error:  # no place for temporary files, no process to be had
            self.told.emit(ReportSaved(str(path), storage.StorageError(path, error).failure))

    def _make_page(self, run_path: Path, path: Path, language: str) -> ReportSaved:
        """Wait for the `report` command without holding the thread: it goes on watching the machine and can be closed."""
        process = write_report_in_child(run_path, path, language)
        deadline = time.monotonic() + REPORT_S
        try:
            while process.poll() is None and not self._closing and time.monotonic() < deadline:
                self._engine.idle(0.05)
        finally:
            if process.poll() is None:
                process.kill()
            said = process.communicate()[1].decode("utf-8", errors="replace")
        if process.returncode == 0:
            return ReportSaved(str(path))
        lines = [line for line in said.splitlines() if line.strip()]
        return ReportSaved(str(path), _report_failure(path, lines, process))


def _report_failure(path: Path, lines: list[str], process: subprocess.Popen[bytes]) -> Failure:
    values = {"path": str(path), "error": lines[0] if lines else f"exit code {process.returncode}"}
    return failure("disk-full" if "space" in values["error"] else "failed", "report-failed", values, {"log": "\n".join(lines[-20:])})

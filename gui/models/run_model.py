"""The run on the screen: takes the engine's events, keeps rows and the selection; views read it and poll `revision`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from PySide6.QtCore import QObject, Signal

from engine.events import (
    BatchTried,
    BlockMeasured,
    JobFinished,
    JobStarted,
    MonitorSampled,
    OutcomeUpdated,
    PhaseStarted,
    Progressed,
)
from engine.job import Job
from engine.result import ModelInfo, Outcome, Run
from gui.models.row import Row, RowState
from gui.models.saved import rows_of

State = Literal["empty", "ready", "queued", "running", "done", "failed"]


class RunModel(QObject):
    """Rows, selection and progress of one run.

    Signals: `reset` (all rows are new; `row_added` only for one that joins them later), `row_changed` / `samples_appended` (index of the row), `selection_changed` (index or -1),
    `timeline_appended`, `progress_changed`, `state_changed` (see `State`), `followed_changed` (whether the newest row is followed).
    `revision` grows with every change whatever; a view that draws by timer compares it and draws only then.
    """

    reset = Signal()
    row_added = Signal(int)
    row_changed = Signal(int)
    selection_changed = Signal(int)
    samples_appended = Signal(int)
    timeline_appended = Signal()
    progress_changed = Signal()
    state_changed = Signal(str)
    followed_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.revision = 0
        self.state: State = "empty"
        self.rows: list[Row] = []
        self.selected: int | None = None
        self.is_following = True
        self.job: Job | None = None
        self.model: ModelInfo | None = None
        self.run: Run | None = None
        self.run_path: str | None = None
        self.progress: Progressed | None = None
        self.start_ns = 0
        self.readings: dict[str, float] = {}
        self._handlers: dict[Any, Callable[[Any], None]] = {
            JobStarted: self._on_started,
            PhaseStarted: self._on_phase,
            BatchTried: self._on_try,
            BlockMeasured: self._on_block,
            MonitorSampled: self._on_monitor,
            OutcomeUpdated: self._on_outcome,
            Progressed: self._on_progress,
            JobFinished: self._on_finished,
        }

    @property
    def selected_row(self) -> Row | None:
        """The row that figures, graphs and details show."""
        return None if self.selected is None else self.rows[self.selected]

    def select(self, index: int | None, by_user: bool = False) -> None:
        """Show another row; a user's choice ends following the newest one."""
        if by_user and self.state in ("queued", "running"):
            self._set_following(False)
        if index == self.selected or (index is not None and not 0 <= index < len(self.rows)):
            return
        self.selected = index
        self.revision += 1
        self.selection_changed.emit(-1 if index is None else index)

    def follow_live(self) -> None:
        """Select the newest row, and each newer one from now on."""
        self._set_following(True)
        self.select(self._newest())

    def set_ready(self, has_model: bool) -> None:
        """A model was chosen or taken away while nothing was run; a shown run stays."""
        if self.state in ("empty", "ready"):
            self._set_state("ready" if has_model else "empty")

    def clear(self, has_model: bool) -> None:
        """Forget the run that is shown."""
        self._fill([], None, None)
        self._set_state("ready" if has_model else "empty")

    def set_queued(self, job: Job, model: ModelInfo | None = None) -> None:
        """Run was pressed: every row waits for the engine."""
        self.job, self.model, self.run, self.run_path, self.progress = job, model, None, None, None
        self._fill([Row(index, configuration) for index, configuration in enumerate(job.configurations)], 0, None)
        self._set_following(True)
        self._set_state("queued")

    def load(self, run: Run, path: str | None = None) -> None:
        """Show a saved run as a finished one is shown."""
        self.job, self.model, self.run_path = None, run.model, path
        self._fill(rows_of(run), 0 if run.outcomes else None, run)
        self._set_state(_end_state(self.rows))

    @classmethod
    def from_run(cls, run: Run, parent: QObject | None = None) -> RunModel:
        """A model that shows `run`."""
        model = cls(parent)
        model.load(run)
        return model

    def abort(self) -> None:
        """The engine gave up in the middle: rows without an outcome have failed."""
        for row in self.rows:
            if not row.is_ended:
                row.state = "failed"
                row.revision += 1
                self.row_changed.emit(row.index)
        self.progress = None
        self.progress_changed.emit()
        self._set_state(_end_state(self.rows))

    def apply(self, event: object) -> None:
        """Take one event of the engine; what is not about a run is ignored."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)
            self.revision += 1

    def _on_started(self, event: JobStarted) -> None:
        self.start_ns, self.run_path, self.model = event.start_ns, event.run_path, event.model
        shown = self.job.id if self.job else self.run.id if self.run else None
        if shown != event.job.id or len(self.rows) != len(event.job.configurations):
            self.set_queued(event.job, event.model)
        self.job = event.job
        self._set_state("running")

    def _on_phase(self, event: PhaseStarted) -> None:
        row = self._row(event.index)
        if row is None or row.state == event.phase:
            return
        began = row.state == "queued"
        row.state = _phase(event.phase)
        row.revision += 1
        self.row_changed.emit(event.index)
        if began and self.is_following:
            self.select(event.index)

    def _on_try(self, event: BatchTried) -> None:
        row = self._row(event.index)
        if row is not None:
            row.try_batch(event)
            self.row_changed.emit(event.index)

    def _on_block(self, event: BlockMeasured) -> None:
        row = self._row(event.index)
        if row is not None:
            row.add_block(event)
            self.samples_appended.emit(event.index)

    def _on_monitor(self, event: MonitorSampled) -> None:
        self.readings = {**self.readings, **event.values}
        row = self._row(event.index)
        if row is not None:
            for name, value in event.values.items():
                row.add_reading(name, event.t_ns / 1e9, value)
        self.timeline_appended.emit()

    def _on_outcome(self, event: OutcomeUpdated) -> None:
        row = self._row(event.index)
        if row is not None:
            row.set_outcome(event.outcome, event.final)
            self.row_changed.emit(event.index)

    def _on_progress(self, event: Progressed) -> None:
        self.progress = event
        self.progress_changed.emit()

    def _on_finished(self, event: JobFinished) -> None:
        self.run, self.run_path = event.run, event.run_path
        for row, outcome in zip(self.rows, event.run.outcomes, strict=False):
            if not row.is_ended or _says_more(outcome, row.outcome):
                row.set_outcome(outcome, final=True)
                self.row_changed.emit(row.index)
        self.progress = None
        self.progress_changed.emit()
        self._set_state(_end_state(self.rows))

    def _row(self, index: int | None) -> Row | None:
        return self.rows[index] if index is not None and 0 <= index < len(self.rows) else None

    def _newest(self) -> int | None:
        begun = [row.index for row in self.rows if row.state != "queued"]
        active = [row.index for row in self.rows if row.is_active]
        return (active or begun or [0])[-1] if self.rows else None

    def _fill(self, rows: list[Row], selected: int | None, run: Run | None) -> None:
        self.rows, self.run, self.progress = rows, run, None
        self.selected = None
        self.revision += 1
        self.reset.emit()
        self.select(selected)

    def _set_following(self, following: bool) -> None:
        if following != self.is_following:
            self.is_following = following
            self.revision += 1
            self.followed_changed.emit(following)

    def _set_state(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self.revision += 1
            self.state_changed.emit(state)


def _says_more(outcome: Outcome, shown: Outcome | None) -> bool:
    """Whether the finished run knows what a row could not: what other rows of it showed."""
    return shown is not None and (outcome.notes != shown.notes or outcome.error != shown.error)


def _phase(name: str) -> RowState:
    phases: dict[str, RowState] = {
        "finding": "finding", "starting": "starting", "load": "load", "prepare": "prepare", "first-call": "first-call", "warm-up": "warm-up", "steady": "steady", "rest": "rest",
    }
    return phases[name]


def _end_state(rows: list[Row]) -> State:
    """A run that was stopped is done as far as it came; it failed when no row has a figure."""
    return "done" if any(row.outcome is not None and row.outcome.latency is not None for row in rows) else "failed"

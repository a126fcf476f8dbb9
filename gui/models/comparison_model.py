"""The comparison on the screen: its two sides, its ratio as it narrows, its verdict; takes the engine's events, never touches the run that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from engine import verdict
from engine.events import ComparisonFinished, ComparisonStarted, ComparisonUpdated, Progressed
from engine.job import Job
from engine.result import Comparison, Failure, ModelInfo, Run

State = Literal["empty", "queued", "running", "done"]
Step = tuple[int, float, float, float]
"""Blocks of each, ratio, both ends of its interval."""


@dataclass(frozen=True)
class Side:
    """A row as one side of a comparison."""

    job: Job
    info: ModelInfo
    name: str
    run_id: str
    index: int
    run_path: str | None = None

    def is_row(self, run_id: str, index: int) -> bool:
        """Whether it is this row of that run."""
        return (self.run_id, self.index) == (run_id, index)


class ComparisonModel(QObject):
    """`changed` after every change; `revision` grows with it, for views that draw by timer."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.revision = 0
        self.state: State = "empty"
        self.names = ("", "")
        self.comparison: Comparison | None = None
        self.progress: Progressed | None = None
        self.failure: Failure | None = None
        self.run: Run | None = None
        self.run_path: str | None = None
        self.is_stopping = False

    @property
    def is_busy(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("queued", "running")

    @property
    def steps(self) -> tuple[Step, ...]:
        """How the interval narrowed."""
        return verdict.drawable(self.comparison.steps) if self.comparison is not None else ()

    @property
    def verdict(self) -> str:
        """What was found; empty while it runs and where it ended early."""
        if self.state != "done" or self.comparison is None:
            return ""
        if self.comparison.verdict == verdict.CANNOT_TELL and (self.failure is not None or self._was_stopped()):
            return ""
        return self.comparison.verdict

    def set_queued(self, a: str, b: str) -> None:
        """Two rows, by name, are to be compared."""
        self._reset("queued", a, b)

    def show(self, run: Run, path: str | None, names: tuple[str, str]) -> None:
        """Show a saved comparison as it ended."""
        self._reset("done", *names)
        self.comparison, self.run, self.run_path = run.comparison, run, path
        self.failure = next((outcome.error for outcome in run.outcomes if outcome.error is not None), None)
        self._tell()

    def clear(self) -> None:
        """Forget it: there is none any more."""
        self._reset("empty", "", "")

    def stop_asked(self) -> None:
        """The user pressed Stop once."""
        self.is_stopping = True
        self._tell()

    def apply(self, event: object) -> None:
        """Take one event of a comparison that runs."""
        if isinstance(event, ComparisonStarted):
            self.state, self.run_path = "running", event.run_path
        elif isinstance(event, ComparisonUpdated):
            self.comparison = event.comparison
        elif isinstance(event, Progressed):
            self.progress = event
        elif isinstance(event, ComparisonFinished):
            self._finish(event)
        else:
            return
        self._tell()

    def _finish(self, event: ComparisonFinished) -> None:
        self.state, self.run, self.run_path, self.failure = "done", event.run, event.run_path, event.failure
        self.comparison, self.progress, self.is_stopping = event.run.comparison, None, False

    def _was_stopped(self) -> bool:
        return self.run is not None and any(outcome.status == "cancelled" for outcome in self.run.outcomes)

    def _reset(self, state: State, a: str, b: str) -> None:
        self.state, self.names = state, (a, b)
        self.comparison, self.progress, self.failure, self.run, self.run_path, self.is_stopping = None, None, None, None, None, False
        self._tell()

    def _tell(self) -> None:
        self.revision += 1
        self.changed.emit()

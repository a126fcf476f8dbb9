"""Progress on a terminal's standard error; silent everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.events import BatchTried, ComparisonFinished, ComparisonStarted, ComparisonUpdated, JobFinished, JobStarted, Looking, Progressed
from engine.result import Comparison, Failure
from engine.words import say


class Progress:
    """Takes the engine's events and draws one line."""

    def __init__(self) -> None:
        self.run_path: Path | None = None
        self.save_failure: Failure | None = None
        self._bar: Any = None
        self._task: Any = None
        self._count = 0
        self._finding: dict[str, int] = {}
        self._standing = ""
        """Of a comparison: the ratio so far."""
        self.also: Callable[[object], None] = lambda event: None
        """Who else wants the events."""

    @property
    def kept(self) -> Path | None:
        """Where the whole run lies in the history; None when it is not kept or could not be."""
        return self.run_path if self.save_failure is None else None

    def __enter__(self) -> None:
        if not sys.stderr.isatty():
            return
        from rich import progress
        from rich.console import Console

        columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), progress.TextColumn("{task.fields[left]}"))
        self._bar = progress.Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=4)
        self._bar.start()
        self._task = self._bar.add_task("", total=1.0, left="")

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def say(self, text: str) -> None:
        """Show what is being done."""
        if self._bar is not None:
            self._bar.update(self._task, description=text)

    def take(self, event: object) -> None:
        """One event of the engine."""
        self.also(event)
        if isinstance(event, JobStarted):
            self._count = len(event.job.configurations)
            self.run_path = Path(event.run_path) if event.run_path else None
        elif isinstance(event, ComparisonStarted):
            self._count = 2
            self.run_path = Path(event.run_path) if event.run_path else None
        elif isinstance(event, ComparisonUpdated):
            self._standing = _standing(event.comparison)
        elif isinstance(event, JobFinished | ComparisonFinished):
            self.run_path = Path(event.run_path) if event.run_path else self.run_path
            self.save_failure = event.save_failure
        elif isinstance(event, Looking):
            self.say(say(f"looking-{event.what}", {"seconds": event.waiting_s}))
        elif isinstance(event, BatchTried):
            self._finding = {} if event.probe is not None else {"index": event.index + 1, "count": self._count, "batch": event.batch_size, "number": event.number}
        elif isinstance(event, Progressed) and self._bar is not None:
            left = "" if event.seconds_left is None else f"{event.seconds_left:.0f} s"
            where = "" if event.index is None else f"{event.index + 1}/{self._count} {event.phase}"
            where = say("finding-batch", self._finding) if event.phase == "finding" and self._finding else where
            self._bar.update(self._task, completed=event.fraction, description=f"{where} {self._standing}".rstrip(), left=left)


def _standing(comparison: Comparison) -> str:
    """The ratio so far, which narrows."""
    if comparison.ratio is None or comparison.ci95 is None:
        return ""
    low, high = comparison.ci95
    return f"{comparison.ratio:.3f} ({low:.3f}-{high:.3f})"      # square brackets would be markup here

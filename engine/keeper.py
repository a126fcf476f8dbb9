"""Keeps a run on disk while it goes, so that nothing that was measured is lost; a full disk stops the keeping, not the measuring."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from engine import storage
from engine.history import RunWriter
from engine.recorder import Recorder
from engine.result import Comparison, Failure, Run

PARTIAL_S = 3.0
"""Unfinished outcomes are written this often at most."""


class Keeper:
    """The history file of one run."""

    def __init__(self, folder: Path | None, run: Run, path: Path | None = None) -> None:
        self.failure: Failure | None = None
        self._run = run
        self._writer = RunWriter(folder or storage.history_folder())
        self._written_s = time.monotonic()
        try:
            self._writer.begin(run, path)
        except storage.StorageError as error:
            self.failure = error.failure

    @property
    def path(self) -> Path | None:
        """Where the run lies; None when it could not be begun."""
        return self._writer.path

    def keep(self, record: Recorder) -> None:
        """Write a finished outcome; an unfinished one only when the last writing is a while ago."""
        if self.failure is not None or (not record.over and time.monotonic() - self._written_s < PARTIAL_S):
            return
        outcome = record.conclude() if record.over else record.interim()
        try:
            self._writer.add_outcome(record.index, outcome)
        except storage.StorageError as error:
            self.failure = error.failure
        self._written_s = time.monotonic()

    def keep_comparison(self, comparison: Comparison) -> None:
        """Where a comparison stands: written with the next outcome."""
        self._run = msgspec.structs.replace(self._run, comparison=comparison)
        self._writer.replace_head(self._run)

    def finish(self, run: Run) -> Failure | None:
        """Write the run as it ended; the reason when that (or the beginning) failed. A disk that was full for a while gets another try."""
        try:
            if self._writer.path is None:
                self._writer.begin(run)
            self._writer.finish(run)
        except storage.StorageError as error:
            self.failure = error.failure
            return self.failure
        return None

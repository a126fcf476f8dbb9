"""The engine as the session sees it; tests put another in its place."""

from __future__ import annotations

from typing import Any, Protocol

from engine.candidates import Candidate
from engine.job import InputSpec, Job, ModelSource
from engine.result import ModelInfo, Run


class EngineLike(Protocol):
    """The part of `engine.thread.EngineThread` that is used here; every method returns at once."""

    def inspect(self, path: str, near: tuple[str, ...] = (), at: str | None = None) -> None:
        """Answered by `FileInspected`."""

    def examine(self, source: ModelSource, inputs: tuple[InputSpec, ...] = (), python: str | None = None) -> None:
        """Answered by `Looking` and `ModelExamined`."""

    def rank_classes(self, source: ModelSource, candidates: tuple[Candidate, ...], config: dict[str, Any], python: str | None = None) -> None:
        """Answered by `Looking` and `ClassesRanked`."""

    def probe(self, python: str | None = None) -> None:
        """Answered by `EngineReady` or `EngineFailed`."""

    def stop_looking(self, path: str | None = None) -> None:
        """End an inspection, examination or search."""

    def run_job(self, job: Job, info: ModelInfo) -> None:
        """Answered by `JobStarted` ... `JobFinished`."""

    def keep_measuring(self, run: Run, index: int, run_path: str | None = None) -> None:
        """Answered as `run_job` is."""

    def compare(self, job_a: Job, info_a: ModelInfo, job_b: Job, info_b: ModelInfo) -> None:
        """Answered by `ComparisonStarted` ... `ComparisonFinished`."""

    def cancel(self) -> None:
        """Finish the running configuration."""

    def stop_now(self) -> None:
        """End the running configuration."""

    def save_report(self, run: Run, path: str, language: str = "en") -> None:
        """Answered by `ReportSaved`."""

    def load_run(self, path: str) -> None:
        """Answered by `RunLoaded`."""

    def list_history(self) -> None:
        """Answered by `HistoryListed`."""

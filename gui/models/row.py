"""One row of the results: a configuration, where it stands, its samples and readings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from engine.events import BatchTried, BlockMeasured
from engine.job import Configuration
from engine.result import Outcome
from gui.models.series import SeriesBuffer

RowState = Literal[
    "queued", "finding", "starting", "load", "prepare", "first-call", "warm-up", "steady", "rest",
    "done", "failed", "cancelled", "unsupported", "out-of-memory",
]
ACTIVE = ("finding", "starting", "load", "prepare", "first-call", "warm-up", "steady")
ENDED = ("done", "failed", "cancelled", "unsupported", "out-of-memory")
Band = tuple[float, float]


class Row:
    """What is known about one configuration; `revision` grows with every change of state or figures."""

    def __init__(self, index: int, configuration: Configuration, fill: Callable[[Row], None] | None = None) -> None:
        self.index = index
        self.configuration = configuration
        self.state: RowState = "queued"
        self.outcome: Outcome | None = None
        self.revision = 0
        self.are_samples_broken = False
        self.trying: BatchTried | None = None
        """While its largest batch is sought: which one is tried."""
        self._samples = SeriesBuffer()
        self._timeline: dict[str, SeriesBuffer] = {}
        self._visits: dict[int, Band] = {}
        # A saved run is decoded row by row, when a row is first looked at: a click stays quick however large the run is.
        self._fill = fill

    @property
    def samples(self) -> SeriesBuffer:
        """Latency in ms over seconds since the run's start."""
        self._filled()
        return self._samples

    @property
    def timeline(self) -> dict[str, SeriesBuffer]:
        """Readings by name (`worker_resident_bytes`, ...) over seconds since the run's start."""
        self._filled()
        return self._timeline

    @property
    def visits(self) -> list[Band]:
        """Start and end, in seconds since the run's start, of each measured stretch."""
        self._filled()
        return [self._visits[number] for number in sorted(self._visits)]

    @property
    def is_filled(self) -> bool:
        """Whether samples and readings are decoded; reading them does it."""
        return self._fill is None

    @property
    def is_active(self) -> bool:
        """Whether a worker is busy with this row."""
        return self.state in ACTIVE

    @property
    def is_ended(self) -> bool:
        """Whether its outcome is final."""
        return self.state in ENDED

    def add_block(self, block: BlockMeasured) -> None:
        """Append the samples of one block."""
        if not len(block.start_ns):
            return
        self.samples.extend(block.start_ns / 1e9, block.latency_ns / 1e6, warm_up=not block.steady)
        if block.steady:
            self.widen_visit(block.visit, float(block.start_ns[0]) / 1e9, float(block.start_ns[-1] + block.latency_ns[-1]) / 1e9)

    def widen_visit(self, visit: int, start_s: float, end_s: float) -> None:
        """Let the band of `visit` cover this stretch too."""
        old = self._visits.get(visit, (start_s, end_s))
        self._visits[visit] = (min(old[0], start_s), max(old[1], end_s))

    def try_batch(self, event: BatchTried) -> None:
        """A batch is tried; what was measured of one that did not fit after all goes."""
        self.trying = event
        self.revision += 1
        if len(self.samples):
            self._samples = SeriesBuffer()
            self._visits.clear()

    def add_reading(self, name: str, t_s: float, value: float) -> None:
        """Append one reading of the timeline."""
        self.timeline.setdefault(name, SeriesBuffer()).append(t_s, value)

    def set_outcome(self, outcome: Outcome, final: bool) -> None:
        """Take figures so far, or the one outcome."""
        self.outcome, self.configuration = outcome, outcome.configuration
        if final:
            self.state = state_of(outcome)
        self.revision += 1

    def _filled(self) -> None:
        if self._fill is not None:
            fill, self._fill = self._fill, None
            fill(self)


def state_of(outcome: Outcome) -> RowState:
    """The row state that an outcome's status means."""
    states: dict[str, RowState] = {"ok": "done", "out-of-memory": "out-of-memory", "unsupported": "unsupported", "cancelled": "cancelled"}
    return states.get(outcome.status, "failed")

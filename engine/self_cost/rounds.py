"""Rounds until enough of them were quiet: which count, when to give up, and what they amount to."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from engine.result import Environment
from engine.self_cost.result import Place, SelfCost, ratios

OTHERS_MOST = 0.04
"""Share of the machine that other programs may take during a round that counts."""
TRIES = 3
"""So many times the rounds that are wanted are tried at most."""
LEAST = 2
"""Rounds that an interval needs."""
STRETCHES = "ABCCBA"


class RoundSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a round measures: weights and their class file, as both the program and the lone loop load them."""

    weights: str
    architecture: str
    """`/path/file.py:Class(...)`."""
    input: str
    device: str = "cpu"
    threads: int = 1
    seconds: float = 2.0
    warm_up_s: float = 0.3
    precision: str = "fp32"


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """Medians in ns of the six stretches, and what else happened."""

    medians_ns: tuple[float, float, float, float, float, float]
    frames_per_s: dict[str, float]
    """In the last stretch of each kind: `A` under the program, `B` beside the lone loop, `C` while the window stands still."""
    others: float
    window: str
    environment: Environment

    @property
    def is_quiet(self) -> bool:
        """Whether it says something about the program."""
        return self.others <= OTHERS_MOST


class Standing(msgspec.Struct, frozen=True):
    """How far it is: told before and after each round."""

    quiet: int
    disturbed: int
    wanted: int
    seconds_left: float | None
    last: Round | None = None


class Rounds:
    """Takes rounds one after another; `take` measures one, `clock` is in seconds."""

    def __init__(
        self, take: Callable[[], Round], wanted: int, limit_s: float, tell: Callable[[Standing], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._take, self._wanted, self._limit_s, self._tell, self._clock = take, wanted, limit_s, tell, clock
        self.quiet: list[Round] = []
        self.disturbed = 0
        self.ran_out = False
        """The time was over before there were enough."""

    def run(self) -> None:
        """Until there are enough, too many were disturbed, or another round would not fit into the time."""
        began, longest = self._clock(), 0.0
        self._say(None, None)
        while len(self.quiet) < self._wanted and len(self.quiet) + self.disturbed < TRIES * self._wanted:
            at = self._clock()
            if longest and at - began + longest > self._limit_s:
                self.ran_out = True
                return
            taken = self._take()
            longest = max(longest, self._clock() - at)
            if taken.is_quiet:
                self.quiet.append(taken)
            else:
                self.disturbed += 1
            self._say(taken, longest * (self._wanted - len(self.quiet)))

    def result(self, spec: RoundSpec, model: str) -> SelfCost:
        """What the quiet rounds amount to; there must be one."""
        medians = tuple(one.medians_ns for one in self.quiet)
        own, watching = ratios(medians)
        last = self.quiet[-1]
        return SelfCost(
            place=Place.of(last.environment, spec.device), device=spec.device, model=model, own=own, watching=watching, rounds=len(medians), wanted=self._wanted,
            disturbed=self.disturbed, seconds=spec.seconds, measured_at=datetime.now(UTC).isoformat(timespec="seconds"), window=last.window,
            frames_per_s=(self._rate("A"), self._rate("B")), rounds_ns=medians,
        )

    def _rate(self, what: str) -> float:
        return sum(one.frames_per_s.get(what, 0.0) for one in self.quiet) / len(self.quiet)

    def _say(self, last: Round | None, seconds_left: float | None) -> None:
        self._tell(Standing(len(self.quiet), self.disturbed, self._wanted, seconds_left, last))

"""Trying proposals, and changes of those that fail, until one forward has run for real."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from engine.worker.guessing.changes import changes, with_numbers
from engine.worker.guessing.graph import GraphTrials
from engine.worker.guessing.proposals import key_of
from engine.worker.guessing.sizes import fitting, is_flatten
from engine.worker.guessing.trial import Attempt, Proposal, Trials
from engine.worker.inputs import tensors_in

BATCH = 2
"""Two rows show that B is a batch dimension."""
OTHER_BATCHES = (4, 8, 1)
_DEPTH = 4
_FIRST = 12
_EARLY = 3
"""Proposals whose batch is varied at once: for a batch that must be a multiple of four, other shapes may run by chance."""
_CHAIN = 60
"""Attempts that grow from one proposal."""
_SIZES_S = 2.0


@dataclass
class Search:
    """One search on one module; `best` is the failure that came furthest."""

    trials: Trials | GraphTrials
    deadline: float
    real: bool = True
    """Prove on the module itself; else what ran on the copy is enough."""
    best: Attempt | None = None
    attempts: int = 0
    _weak: Attempt | None = None
    _seen: set[tuple[tuple[str, ...], int]] = field(default_factory=set)
    _first: list[Proposal] = field(default_factory=list)

    def run(self, proposals: Iterable[Proposal]) -> Attempt | None:
        """The first proposal that runs and whose output shows the batch; else one that runs at all; None when nothing ran or time was over."""
        phases = (self._as_asked, self._other_batches, self._doubting, self._numbers)
        kept = itertools.chain(proposals)
        for phase in phases:
            for found in phase(kept):
                if shows_batch(found.result, found.batch):
                    return found
                self._weak = self._weak or found
        return self._weak

    def repairs(self, attempt: Attempt) -> Iterator[Attempt]:
        """Runs of what this failure asks for, the likeliest first."""
        for changed in itertools.chain(self._following(attempt, changes), with_numbers(attempt)):
            yield from self._tried(changed, attempt.batch, 1, changes)

    def _as_asked(self, proposals: Iterable[Proposal]) -> Iterator[Attempt]:
        """Each proposal with two rows, and the changes that the refusing layer asks for."""
        for count, proposal in enumerate(proposals):
            if self.over:
                return
            yield from self._tried(proposal, BATCH, _DEPTH, changes)
            for batch in OTHER_BATCHES[:2] if count < _EARLY else ():
                yield from self._tried(proposal, batch, 0, changes)

    def _other_batches(self, _: Iterable[Proposal]) -> Iterator[Attempt]:
        """The likeliest with four, eight and one rows."""
        for batch in OTHER_BATCHES:
            for proposal in self._first:
                yield from self._tried(proposal, batch, 1, changes)

    def _doubting(self, _: Iterable[Proposal]) -> Iterator[Attempt]:
        """The copy may be wrong: the likeliest once more, for real."""
        for proposal in self._first if self.real and self.trials.can_fake else ():
            if not self.over and (attempt := self._noted(self.trials.real(proposal, BATCH))).ran:
                yield attempt

    def _numbers(self, _: Iterable[Proposal]) -> Iterator[Attempt]:
        """The likeliest with numbers that the errors name in place of their own."""
        for proposal in self._first:
            for batch in (BATCH, 1):
                self._seen.discard((key_of(proposal), batch))
                yield from self._tried(proposal, batch, 2, with_numbers)

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.deadline

    def prove(self, proposal: Proposal, batch: int) -> Attempt:
        """One attempt: on the copy first, then on the module itself."""
        attempt = self.trials.fake(proposal, batch)
        if (attempt.ran or attempt.unsure) and self.real:
            attempt = self.trials.real(proposal, batch)
        return self._noted(attempt)

    def _tried(self, proposal: Proposal, batch: int, depth: int, ask: Callable[[Attempt], Iterator[Proposal]], chain: list[int] | None = None) -> Iterator[Attempt]:
        """Runs of this proposal and of what its failure asks for; `chain` counts all that grew from the first."""
        chain = chain if chain is not None else [0]
        chain[0] += 1
        key = (key_of(proposal), batch)
        if key in self._seen or self.over or chain[0] > _CHAIN:
            return
        self._seen.add(key)
        if len(self._first) < _FIRST and depth == _DEPTH:
            self._first.append(proposal)
        attempt = self.prove(proposal, batch)
        if attempt.ran:
            yield attempt
        elif depth:
            for changed in self._following(attempt, ask):
                yield from self._tried(changed, batch, depth - 1, ask, chain)

    def _following(self, attempt: Attempt, ask: Callable[[Attempt], Iterator[Proposal]]) -> Iterator[Proposal]:
        if isinstance(self.trials, Trials) and is_flatten(attempt):
            yield from fitting(self.trials, attempt, min(self.deadline, time.monotonic() + _SIZES_S)).proposals
        yield from ask(attempt)

    def _noted(self, attempt: Attempt) -> Attempt:
        self.attempts += 1
        if not attempt.ran and (self.best is None or len(attempt.calls) > len(self.best.calls)):
            self.best = attempt
        return attempt


def shows_batch(result: object, batch: int) -> bool:
    """Whether some dimension of what came out is the batch (or there is one entry for each row): else rows were mixed by chance."""
    if isinstance(result, list | tuple) and len(result) == batch:
        return True
    tensors = tensors_in(result)
    return not tensors or any(batch in tensor.shape for tensor in tensors) or all(tensor.dim() == 0 for tensor in tensors)

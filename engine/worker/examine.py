"""Load a model once on the CPU and find inputs that its forward runs with: given, declared or guessed, and proved by running."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import torch

from engine import messages
from engine.inputs import format_input
from engine.job import InputSpec
from engine.words.inputs import TABLE
from engine.worker import memory
from engine.worker.errors import WorkerError, is_out_of_memory, last_line
from engine.worker.guessing.graph import GraphTrials, filled
from engine.worker.guessing.least import first_layer
from engine.worker.guessing.proposals import Proposals
from engine.worker.guessing.search import BATCH, OTHER_BATCHES, Search
from engine.worker.guessing.signature import Signature, signature_of
from engine.worker.guessing.trial import Attempt, Proposal, Trials
from engine.worker.inputs import shapes_of
from engine.worker.loading import LoadedModel, LoadTimes, load_timed
from engine.worker.loading.explaining import cause
from engine.worker.refusal import TRYING_S, explain

_GRAPH_CODES = {"input-names": "input-graph-names", "input-refused": "input-graph-refused"}
"""Sentences of a measuring run, and those that go with a proposal."""
Note = tuple[str, dict[str, Any]]
_TYPED = ("given", "file")
_AGAIN_S = 1.0
"""A forward that took no longer is run once more with another batch, to see which dimensions follow it."""


def examine(command: messages.Examine) -> messages.Examined:
    """The answer to `Examine`; what keeps the model from loading is raised, what keeps it from running is told."""
    torch.set_num_threads(command.threads)
    torch.manual_seed(command.seed)
    loaded, times = load_timed(command.model, torch.device("cpu"))
    examination = Examination(loaded, command)
    found = examination.find()
    return _answer(loaded, times, examination, found)


class Examination:
    """One search for inputs: `notes` and `refused` tell how it went."""

    def __init__(self, loaded: LoadedModel, command: messages.Examine) -> None:
        self._loaded, self.asked = loaded, tuple(command.inputs)
        self.trials: Any = GraphTrials(loaded, command.seed, command.threads) if loaded.module is None else Trials(loaded.module, command.seed)
        self._signature = Signature([], open_ended=True) if loaded.module is None else signature_of(loaded.module)
        self._deadline = time.monotonic() + command.budget_s
        self._search = Search(self.trials, self._deadline)
        self.notes: list[Note] = list(loaded.notes)
        self.refused: tuple[str, str, dict[str, Any]] | None = None
        self.first_layer: Note | None = None
        """The layer that was called first, and the sizes that the whole network takes, where they were found."""
        self.least_batch: int | None = None
        """The batch that it ran with, where one row was refused."""

    def find(self) -> Attempt | None:
        """The run that proves the inputs; None when there is none, and `refused` says why."""
        asked = self.asked or (self.trials.declared() if isinstance(self.trials, GraphTrials) else ())
        sources = {spec.source for spec in asked}
        settled = bool(asked) and (bool(sources & set(_TYPED)) or "declared" in sources)
        found = self._as_asked(asked) if settled else None
        if found is None and sources & set(_TYPED):
            self._refuse(asked)
            return None
        if found is None:
            found = self._guess(asked if not settled else ())
            if found is not None and settled:
                self.notes.append(("input-declared-failed", {"given": _text(asked)}))
        if found is None:
            self._refuse(asked if settled else ())
        else:
            self._remark_batch(found)
            if isinstance(self.trials, Trials):
                self.first_layer = first_layer(self.trials, found, self._deadline)
        return found

    def _as_asked(self, asked: Proposal) -> Attempt | None:
        """What was asked for, open sizes filled in by trying; nothing else is changed."""
        for batch in (BATCH, *OTHER_BATCHES):
            for proposal, chosen in filled(asked):
                if self._search.over:
                    return None
                attempt = self._search.prove(proposal, batch)
                if not attempt.ran and not chosen and self.trials.can_fake:      # what somebody asked for is tried for real, whatever the copy says
                    attempt = self.trials.real(proposal, batch)
                if attempt.ran:
                    if chosen:
                        self.notes.append(("input-sizes-chosen", {"sizes": ", ".join(f"{name}={size}" for name, size in chosen.items())}))
                    return attempt
            if not any("B" in spec.shape or spec.container for spec in asked):
                break
        return None

    def _guess(self, suggested: Proposal) -> Attempt | None:
        """What the layers and the forward suggest, then what the file did."""
        if isinstance(self.trials, GraphTrials):
            return self._search.run(proposal for proposal, _ in filled(self.trials.declared()))
        found = self._search.run(itertools.chain(Proposals(self._loaded.module, self._signature), [suggested] if suggested else []))
        if found is not None and self._search.attempts > 1:
            self.notes.append(("input-found", {"count": self._search.attempts}))
        return found

    def _refuse(self, asked: Proposal) -> None:
        """Say why: the refusal of what was asked for, else the failure that came furthest."""
        best = self._best_of(asked) or self._search.best
        if best is None or best.error is None:
            self.refused = ("input-mismatch", "input-none-found", {"count": self._search.attempts, "given": _text(asked), "error": "-"})
            return
        if is_out_of_memory(best.error):
            raise best.error
        explained = cause(best.error, self._loaded.kind, "forward")
        if asked and explained is None:
            explained = explain(best, self.trials, self._signature, Search(self.trials, time.monotonic() + TRYING_S))
        if explained is not None and isinstance(self.trials, GraphTrials) and asked:
            explained = self._with_declared(explained)
        if explained is not None:
            self.refused = (explained.code, explained.say, explained.values)
            return
        values = {"count": self._search.attempts, "given": _text(best.proposal), "error": last_line(best.error)}
        self.refused = ("input-mismatch", "input-none-found", values)

    def _with_declared(self, refusal: WorkerError) -> WorkerError:
        """A graph's refusal with the inputs that it declares, where they run."""
        code = _GRAPH_CODES.get(refusal.say, refusal.say)
        ran = Search(self.trials, time.monotonic() + TRYING_S).run(proposal for proposal, _ in filled(self.trials.declared()))
        if ran is None or f"{code}-try" not in TABLE:
            return refusal
        texts = [format_input(spec) for spec in ran.proposal]
        return WorkerError(refusal.code, f"{code}-try", **refusal.values, proposed=[texts], proposal=", ".join(texts))

    def _best_of(self, asked: Proposal) -> Attempt | None:
        """How the asked inputs fail for real, with two rows."""
        if not asked:
            return None
        attempt = self.trials.real(next(filled(asked))[0], BATCH)
        return attempt if not attempt.ran else None

    def _remark_batch(self, found: Attempt) -> None:
        if not any("B" in spec.shape or spec.container for spec in found.proposal) or (found.batch == BATCH and self._takes_one_row(found)):
            return
        if found.batch == 1:
            self.notes.append(("input-batch-one", {}))
            return
        self.least_batch = found.batch
        twice = self._search.prove(found.proposal, found.batch * 2).ran and not self._search.prove(found.proposal, found.batch + 1).ran
        self.notes.append(("input-batch-multiple" if twice else "input-batch-at-least", {"batch": found.batch}))

    def _takes_one_row(self, found: Attempt) -> bool:
        """Whether one row runs too: what the copy refuses is tried for real."""
        return self.trials.fake(found.proposal, 1).ran or self.trials.real(found.proposal, 1).ran

    def outputs(self, found: Attempt) -> str:
        """Shapes of what came out; sizes that follow the batch are written B."""
        shapes = shapes_of(found.result)
        other = found.batch * 2
        began = time.monotonic()
        again = self.trials.fake(found.proposal, other)
        if not again.ran and not self._search.over:
            again = self.trials.real(found.proposal, other)
        return _with_batch(shapes, shapes_of(again.result), found.batch, other) if again.ran and time.monotonic() - began < _AGAIN_S + TRYING_S else shapes


def _with_batch(shapes: str, again: str, batch: int, other: int) -> str:
    first, second = re.split(r"(\d+)", shapes), re.split(r"(\d+)", again)
    if len(first) != len(second):
        return shapes
    return "".join("B" if (one, two) == (str(batch), str(other)) else one for one, two in zip(first, second, strict=True))


def _answer(loaded: LoadedModel, times: LoadTimes, examination: Examination, found: Attempt | None) -> messages.Examined:
    module = loaded.module
    parameters, buffers = memory.count(module) if module is not None else (loaded.parameters, None)
    return messages.Examined(
        inputs=tuple(_proved(found.proposal)) if found is not None else examination.asked, outputs=examination.outputs(found) if found is not None else None,
        load_ns=times.load_ns, reading_ns=times.reading_ns, moving_ns=times.moving_ns, load_peak_bytes=times.load_peak_bytes, parameters=parameters,
        buffers=buffers, weights_bytes=memory.weights_bytes(module) if module is not None else loaded.weights_bytes, architecture=loaded.architecture,
        fit=loaded.fit, notes=tuple(examination.notes), refused=examination.refused, first_layer=examination.first_layer, least_batch=examination.least_batch,
    )


def _proved(proposal: Proposal) -> Iterator[InputSpec]:
    for spec in proposal:
        yield msgspec.structs.replace(spec, ran=True)


def _text(proposal: Proposal) -> str:
    return ", ".join(format_input(spec) for spec in proposal) or "-"

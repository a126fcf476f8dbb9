"""One model of the list: what the file is, its class, its inputs, and what came of loading it once."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from engine.candidates import Candidate, Fit
from engine.events import ClassesRanked, FileInspected, Looking, ModelExamined
from engine.job import InputSpec, ModelSource
from engine.result import ModelInfo

WEIGHTS_ONLY = ("state-dict", "checkpoint", "safetensors")
_BARE = re.compile(r"^(.+?:[A-Za-z_][\w.]*)\s*(\(.*\))?$", re.DOTALL)


class ModelEntry:
    """One model of the list; changed only through `ModelList`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.near: tuple[str, ...] = ()
        """Python files and folders that came with it: classes are looked for there."""
        self.inspected: FileInspected | None = None
        self.ranked: ClassesRanked | None = None
        self.examined: ModelExamined | None = None
        self.looking: Looking | None = None
        """What is being done with it at the moment, and since when."""
        self.was_stopped = False
        """The user ended the last look at it."""
        self.architecture: str | None = None
        self.allow_missing = False
        """The user agreed that weights which the file lacks stay random."""
        self.weights_at: str | None = None
        """The place in the checkpoint that the user chose; None is the one that inspecting chose."""
        self.inputs: tuple[InputSpec, ...] = ()
        self.inputs_edited = False
        """The user gave or changed inputs: guesses replace them no more."""
        self.is_demo = False

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return Path(self.path).name

    @property
    def info(self) -> ModelInfo | None:
        """What the file is; None until it was looked at."""
        return self.inspected.info if self.inspected else None

    @property
    def kind(self) -> str:
        """The contract's kind; a bare module's until the file was looked at."""
        return self.info.kind if self.info else "module"

    @property
    def is_ready(self) -> bool:
        """Whether the file was looked at, at the place that is chosen, and is a model."""
        return self.info is not None and not self.awaits_place

    @property
    def awaits_place(self) -> bool:
        """Whether another place in the checkpoint was chosen than the one that was looked at."""
        return self.info is not None and self.weights_at is not None and self.weights_at != self.info.weights_at

    @property
    def is_weights_only(self) -> bool:
        """Whether only weights lie in the file, so that a class is needed."""
        return self.info is not None and self.info.kind in WEIGHTS_ONLY

    @property
    def missing_classes(self) -> tuple[str, ...]:
        """Of a whole module: classes that loading needs from the script that saved it (`__main__.Net`)."""
        return self.inspected.missing_classes if self.inspected else ()

    @property
    def takes_class(self) -> bool:
        """Whether a class can be chosen for it: bare weights, and a module that lacks its own."""
        return self.is_weights_only or bool(self.missing_classes)

    @property
    def needs_class(self) -> bool:
        """Whether somebody must name the class before it can run."""
        return self.takes_class and self.architecture is None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Classes that may fit, best first: as they were built, else as they were read; what could not be built is none."""
        read = self.inspected.candidates if self.inspected else ()
        if self.ranked is None or self.ranked.failure is not None:
            return read
        return _merged(self.ranked.candidates, read, self.ranked.asked)

    @property
    def fit(self) -> Fit | None:
        """How the weights lie in the chosen class, once it was built."""
        if self.examined is not None and self.examined.fit is not None:
            return self.examined.fit
        chosen = [each for each in self.candidates if each.spec == self.architecture]
        return chosen[0].fit if chosen else None

    @property
    def weights_place(self) -> str | None:
        """The key that leads to the weights of a checkpoint: the user's choice, else the inspection's."""
        return self.weights_at or (self.info.weights_at if self.info else None)

    def source(self, trusted: bool) -> ModelSource:
        """The model as a job names it."""
        return ModelSource(
            path=self.path, kind=self.kind, architecture=self.architecture, trusted=trusted, weights_at=self.weights_place, allow_missing=self.allow_missing,
        )

    def is_about_this(self, examined: ModelExamined) -> bool:
        """Whether an examination is of what is chosen now: same class, place and consent; one made before the user's yes is old after it."""
        source = examined.source
        if source != self.source(source.trusted):
            return False
        return source.trusted or self.examined is None or not self.examined.source.trusted

    def take_perfect(self, candidates: tuple[Candidate, ...]) -> bool:
        """Take the first class that every key and shape fits, where none is chosen yet; anything less is the user's choice."""
        best = next((each for each in candidates if each.perfect), None)
        if best is None or not self.needs_class:
            return False
        self.architecture, self.allow_missing = best.spec, False
        return True

    def add_ranking(self, event: ClassesRanked) -> None:
        """Keep what was built before and was not asked for again."""
        old = self.ranked
        if old is not None and old.failure is None and event.failure is None:
            asked = tuple(dict.fromkeys((*old.asked, *event.asked)))
            event = msgspec.structs.replace(event, candidates=_merged(event.candidates, old.candidates, event.asked), asked=asked)
        self.ranked = event

    def forget_examination(self) -> None:
        """What was found out holds no longer: another class or place was chosen."""
        self.examined = None
        if not self.inputs_edited:
            self.inputs = tuple(msgspec.structs.replace(spec, ran=False) for spec in self.inputs)

    def forget_network(self) -> None:
        """Weights of another network lie at the place that was chosen: what was found out about the first one's class and inputs is not about it."""
        self.examined, self.ranked, self.architecture, self.allow_missing = None, None, None, False
        if not self.inputs_edited:
            self.inputs = ()


def bare_spec(spec: str) -> str:
    """`net.py:Net` of `net.py:Net(width=3)`."""
    found = _BARE.match(spec)
    return found[1] if found else spec


def _merged(new: tuple[Candidate, ...], old: tuple[Candidate, ...], asked: tuple[str, ...]) -> tuple[Candidate, ...]:
    """Old candidates stay where nobody asked for them; the best first, what was built before what was only read."""
    known = {bare_spec(each) for each in asked} | {bare_spec(each.spec) for each in new}
    left = [each for each in old if bare_spec(each.spec) not in known]
    return tuple(sorted((*new, *left), key=lambda each: (not each.perfect, -each.score, each.fit is None)))

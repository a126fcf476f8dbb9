"""Which class the weights get: the one that was named, one that fits wholly, or a list of those that come near and a refusal."""

from __future__ import annotations

import argparse
import math
import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from engine.architecture import ArchitectureError, parse_architecture
from engine.candidates import Candidate, Fit
from engine.classes import ClassEntry, SourceError, list_classes
from engine.commands.options import Refused, absolute, tell
from engine.demo import demo_source
from engine.events import FileInspected
from engine.files.reading import clean
from engine.job import ModelSource
from engine.result import Reason
from engine.words import say

if TYPE_CHECKING:       # what only looks at a file needs no engine
    from engine.supervisor import Engine

WEIGHTS = ("state-dict", "checkpoint", "safetensors")
"""Kinds that hold weights and no network."""
LISTED = 10
_NAMES = 3
_SENTENCE = 1000
_FILES = 200


class Ranked(NamedTuple):
    """Candidates, best first."""

    candidates: tuple[Candidate, ...]
    left_out: tuple[Reason, ...] = ()
    """Why some were not built."""


def place_of(arch: str | None) -> str | None:
    """The Python file or folder that `--arch` names without a class in it; None for a whole spec. Raises Refused."""
    if not arch or not (arch.endswith(".py") or os.path.isdir(arch)):
        return None
    place = absolute(arch)
    if not os.path.exists(place):
        raise Refused(say("architecture-no-file", {"file": arch}), say("architecture.hint"))
    return place


def named_class(inspected: FileInspected, options: argparse.Namespace) -> str | None:
    """The class as far as it needs no search: named, the demo's, or the one that a whole module says it lacks. Raises Refused."""
    if options.demo:
        return demo_source()[1]
    place = place_of(options.arch)
    if place is None:
        return _parsed(options.arch) if options.arch else None
    if inspected.info is None or inspected.info.kind in WEIGHTS:
        return None
    wanted = [name.rpartition(".")[2] for name in inspected.missing_classes]
    for file, entry in _defined(place):
        if not wanted or entry.name in wanted:
            return f"{file}:{entry.name}"
    raise Refused(say("class-not-found", {"name": " ".join(wanted) or "-", "where": Path(place).name}), say("class-not-found-file.hint"))


def _parsed(text: str) -> str:
    try:
        return parse_architecture(text).spec
    except ArchitectureError as error:
        raise Refused(error.summary, error.hint) from error


def _defined(place: str) -> Iterable[tuple[str, ClassEntry]]:
    """Classes and builders of a file, or of the files in a folder; a folder's other files are passed over, a file alone must be readable."""
    if not os.path.isdir(place):
        try:
            return [(place, entry) for entry in list_classes(place)]
        except SourceError as error:
            raise Refused(say(f"arch-{error.code}", error.values), say("architecture.hint")) from error
    found = []
    for file in sorted(Path(place).glob("*.py"))[:_FILES]:
        try:
            found += [(str(file), entry) for entry in list_classes(str(file))]
        except SourceError:
            continue
    return found


def file_beside(inspected: FileInspected) -> dict[str, str] | None:
    """Of a whole module: the likeliest Python file beside it that defines what it lacks, as one types it, and the class; None where there is none."""
    files = [each for each in inspected.candidates if each.origin == "file"]
    if not inspected.missing_classes or not files:
        return None
    where, _, name = _target(files[0]).rpartition(":")
    nearer = os.path.relpath(where)
    return {"where": shlex.quote(where if nearer.startswith(os.pardir) else nearer), "name": name}


def settle_class(engine: Engine, inspected: FileInspected, source: ModelSource, options: argparse.Namespace) -> ModelSource:
    """The source with the class that fits wholly; raises Refused with what comes near (and lists that on standard output)."""
    if source.architecture is not None or source.kind not in WEIGHTS:
        return source
    ranked, left_out = rank(engine, inspected, source, options)
    settled = take(ranked, source, options)
    if settled is None:
        for line in (*candidate_lines(ranked), *reason_lines(left_out)):
            print(line)
        raise refused_class(inspected, ranked, options)
    return settled


def take(ranked: tuple[Candidate, ...], source: ModelSource, options: argparse.Namespace) -> ModelSource | None:
    """The source with the class that fits, or with the nearest where that was agreed to; says so where it is code of this machine. None: there is none."""
    best = next((each for each in ranked if _settled(each)), None)
    if best is None and options.allow_missing:
        best = next((each for each in ranked if each.fit is not None and each.fit.matching), None)
    if best is None:
        return None
    if best.origin == "file" or not best.perfect:
        tell(say("class-taken" if best.perfect else "class-taken-partly", {"spec": best.spec, "percent": percent(best.score)}), "")
    return msgspec.structs.replace(source, architecture=best.spec)


def _settled(candidate: Candidate) -> bool:
    """It fits wholly, and no argument is left that only its trainer knows."""
    return candidate.perfect and not candidate.needs


def rank(engine: Engine, inspected: FileInspected, source: ModelSource, options: argparse.Namespace) -> Ranked:
    """Candidates, built and compared as far as that is allowed: a library's and remembered ones always, files of this machine after a yes."""
    place = place_of(options.arch)
    known = tuple(each for each in inspected.candidates if place is None or (each.origin == "file" and _lies_in(each, place)))
    free = Ranked(tuple(each for each in known if each.origin != "file"))
    files = Ranked(tuple(each for each in known if each.origin == "file"))
    if free.candidates and not any(_settled(each) for each in free.candidates):       # an indexed class was built before
        free = _built(engine, inspected, source, free.candidates)
    if any(_settled(each) for each in free.candidates):
        return Ranked((*free.candidates, *files.candidates), free.left_out)
    if files.candidates and (options.trust or place is not None):
        files = _built(engine, inspected, source, files.candidates)
    return Ranked(tuple(sorted((*free.candidates, *files.candidates), key=lambda each: -each.score)), (*free.left_out, *files.left_out))


def _lies_in(candidate: Candidate, place: str) -> bool:
    where, real = os.path.realpath(_target(candidate).rpartition(":")[0]), os.path.realpath(place)
    return where == real or where.startswith(real + os.sep)


def _target(candidate: Candidate) -> str:
    """The callable without its arguments."""
    try:
        parsed = parse_architecture(candidate.spec)
    except ArchitectureError:
        return candidate.spec
    return f"{parsed.where}:{parsed.name}"


def _built(engine: Engine, inspected: FileInspected, source: ModelSource, candidates: tuple[Candidate, ...]) -> Ranked:
    """Those that can be built with their fit, the others as they were; raises Refused when the search itself fails."""
    engine.warm_up()
    ranked = engine.rank_classes(source, candidates, inspected.config)
    if ranked.failure is not None:
        raise Refused(ranked.failure.summary, ranked.failure.hint, details=ranked.failure.details)
    found = {_target(each) for each in ranked.candidates}
    return Ranked((*ranked.candidates, *(each for each in candidates if _target(each) not in found)), ranked.notes)


def refused_class(inspected: FileInspected, ranked: tuple[Candidate, ...], options: argparse.Namespace) -> Refused:
    """Why no class was taken, and what to write."""
    info = inspected.info
    assert info is not None
    values: dict[str, Any] = {"tensors": info.tensors, "values_count": info.values}
    place = place_of(options.arch)
    if not ranked:
        if place is not None:
            return Refused(say("class-none-in-place", {"where": Path(place).name}), say("class-none-in-place.hint"))
        return Refused(say("class-needed", values), say("class-needed.hint"))
    best = ranked[0]
    values |= {"spec": best.spec, "percent": percent(best.score)}
    if best.needs or best.fit is None:
        code = "class-needs-arguments" if best.needs else "class-untried"
        values |= {"needs": ", ".join(best.needs), "example": best.spec if best.fit else f"{_target(best)}({', '.join(f'{name}=...' for name in best.needs)})"}
        return Refused(say(code, values), say(f"{code}.hint", values))
    return Refused(say("class-none-fits", values | {"not_fitting": not_fitting(best.fit)}), say("class-none-fits.hint", values))


def candidate_lines(candidates: Iterable[Candidate]) -> list[str]:
    """One line a candidate: share of keys that match, class, where it comes from, what does not fit."""
    listed = list(candidates)
    lines = []
    for each in listed[:LISTED]:
        remarks = [not_fitting(each.fit)] if each.fit else [say("candidate-unbuilt")]
        remarks += [say("candidate-needs", {"names": ", ".join(each.needs)})] if each.needs else []
        lines.append(f"{percent(each.score):>3} %  {each.spec}  ({each.origin})  {'; '.join(filter(None, remarks))}".rstrip())
    if len(listed) > LISTED:
        lines.append(say("candidate-more", {"count": len(listed) - LISTED}))
    return lines


def reason_lines(left_out: Iterable[Reason]) -> list[str]:
    """Why candidates could not be built; what their own code said may hold anything, orders to the terminal too."""
    return [clean(reason.sentence, _SENTENCE) for reason in left_out]


def not_fitting(fit: Fit) -> str:
    """What does not fit, in a few words; empty where all does."""
    parts = (("missing", fit.missing, fit.missing_count), ("unexpected", fit.unexpected, fit.unexpected_count), ("differing", fit.differing, fit.differing_count))
    return "; ".join(say(f"candidate-{name}", {"names": _some(names, count)}) for name, names, count in parts if names)


def _some(names: tuple[str, ...], count: int) -> str:
    rest = max(count, len(names)) - min(len(names), _NAMES)
    return ", ".join(names[:_NAMES]) + (f" (+{rest})" if rest > 0 else "")


def percent(score: float) -> int:
    """Whole percent, rounded down: 100 means all."""
    return math.floor(score * 100)

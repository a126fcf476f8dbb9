"""Python files that define the classes which a whole module lacks: beside it, and those that were handed over with it; read, never imported."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from engine.candidates import Candidate
from engine.classes import SourceError, list_classes
from engine.search.beside import BUDGET_S, FILE_LIMIT_BYTES, python_files

LIMIT = 5


class _Defining(NamedTuple):
    """A file with some of the classes; what sorts first is the likeliest."""

    order: tuple[bool, float, bool, bool, int]
    path: str
    name: str
    share: float


def defining_candidates(
    missing: Sequence[str], architecture: str | None, folder: str, near: tuple[str, ...] = (), clock: Callable[[], float] = time.monotonic
) -> tuple[Candidate, ...]:
    """`file.py:Class` for each file, best first: `missing` are qualified names, `architecture` that of the module itself; the score is the share that it defines."""
    root = architecture if architecture is not None and architecture in missing else missing[0]
    wanted = list(dict.fromkeys(_name(each) for each in (root, *missing)))
    stems = {each.rpartition(".")[0].rpartition(".")[2] for each in missing}
    deadline, given = clock() + BUDGET_S, [Path(each) for each in near]
    found = []
    for number, path in enumerate(python_files(given, Path(folder), deadline, clock)):
        if clock() > deadline:
            break
        if defined := _defined(path, wanted):
            order = (wanted[0] not in defined, -len(defined), path.stem not in stems, path not in given, number)
            found.append(_Defining(order, str(path.resolve()), defined[0], len(defined) / len(wanted)))
    return tuple(Candidate(spec=f"{each.path}:{each.name}", origin="file", score=each.share) for each in sorted(found)[:LIMIT])


def _defined(path: Path, wanted: list[str]) -> list[str]:
    """Those of the wanted classes that the file defines; its text is searched before it is parsed."""
    try:
        if path.stat().st_size > FILE_LIMIT_BYTES:
            return []
        text = path.read_bytes()
        if not any(b"class " + name.encode() in text for name in wanted):
            return []
        classes = {entry.name for entry in list_classes(str(path)) if not entry.is_function}
    except (OSError, SourceError, MemoryError, RecursionError):     # a file that cannot be read defines nothing
        return []
    return [name for name in wanted if name in classes]


def _name(qualified: str) -> str:
    return qualified.rpartition(".")[2]

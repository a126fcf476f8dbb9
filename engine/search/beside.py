"""Python files that may define the class: beside the weights, and those that were handed over with them; read, never imported."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from engine.candidates import Candidate
from engine.classes import SourceError
from engine.search.scoring import Node, score
from engine.search.source import SourceFile

FILES_LIMIT = 200
LEVELS = 2
FILE_LIMIT_BYTES = 2 << 20
BUDGET_S = 0.5
_ENTRIES_LIMIT = 5000
_SKIPPED = {"__pycache__", "site-packages", "dist-packages", "node_modules", "venv", "env", "build", "dist", "Trash"}
_PARSE_S_PER_BYTE = 1.2e-6
"""What parsing and following source takes: the rest of the time must suffice for the next file."""
_GOOD = 0.8
_WORDS = 64
_OF_LAYERS = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
"""What torch's own layers call their tensors: it stands in no class's source."""
_LEAST_SHARE = 0.3
"""Of the words: a file that has fewer cannot explain the keys."""


class _Hopeful(NamedTuple):
    """A file whose text has something of the keys: what sorts first is read first."""

    order: tuple[bool, float, str]
    path: Path
    size_bytes: int


def file_candidates(folder: str, near: tuple[str, ...], roots: list[Node], clock: Callable[[], float] = time.monotonic) -> list[Candidate]:
    """Classes and builders in Python files that explain the keys, in no order; what cannot be read in time is left out."""
    deadline = clock() + BUDGET_S
    parts = _telling_parts(roots[-1])
    given = [Path(each) for each in near]
    hopeful = []
    for path in python_files(given, Path(folder), deadline, clock):
        if clock() > deadline:
            break
        if (found := _look(path, path in given, parts)) is not None:
            hopeful.append(found)
    candidates: list[Candidate] = []
    for each in sorted(hopeful):
        # What the user handed over is worth waiting for.
        extra = BUDGET_S if not each.order[0] else 0.0
        if clock() + each.size_bytes * _PARSE_S_PER_BYTE <= deadline + extra:
            candidates += _in_file(each.path, roots)
    return candidates


def python_files(given: list[Path], folder: Path, deadline: float, clock: Callable[[], float]) -> Iterator[Path]:
    """At most FILES_LIMIT files: those given, those in folders given, those beside the weights; nearest first."""
    seen: set[Path] = set()
    sources = [iter([path for path in given if path.suffix == ".py" and path.is_file()])]
    sources += [_walk(path, deadline, clock) for path in [*given, folder] if path.is_dir()]
    for source in sources:
        for path in source:
            resolved = path.resolve()
            if resolved not in seen:
                seen.add(resolved)
                yield path
            if len(seen) >= FILES_LIMIT:
                return


def _walk(folder: Path, deadline: float, clock: Callable[[], float]) -> Iterator[Path]:
    """Python files of a folder and of the folders in it, level by level, by name."""
    waiting, entries = [(folder, 1)], 0
    for place, level in waiting:
        names = []
        try:
            with os.scandir(place) as listed:
                for entry in listed:
                    entries += 1
                    if entries > _ENTRIES_LIMIT or clock() > deadline:
                        return
                    if entry.name.endswith(".py") and entry.is_file():
                        names.append(entry.path)
                    elif level < LEVELS and entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".") and entry.name not in _SKIPPED:
                        waiting.append((Path(entry.path), level + 1))
        except OSError:
            continue
        yield from (Path(name) for name in sorted(names))


def _telling_parts(root: Node) -> list[bytes]:
    """Words that stand in the source of a class with such keys: the first parts of the keys that are no numbers, and what is in the text of f-strings."""
    found: dict[str, None] = {}
    level = [root]
    while level and len(found) < _WORDS:
        for node in level:
            found |= dict.fromkeys(name for name in node.children if not name.isdigit() and name not in _OF_LAYERS)
        level = [child for node in level for child in list(node.children.values())[:8]][:_WORDS]
    return [name.rstrip("0123456789").encode("utf-8", "replace") for name in list(found)[:_WORDS]]


def _look(path: Path, is_given: bool, parts: list[bytes]) -> _Hopeful | None:
    """Whether the text is worth parsing: it must speak of torch and have some of the words."""
    try:
        if path.stat().st_size > FILE_LIMIT_BYTES:
            return None
        text = path.read_bytes()
    except OSError:
        return None
    if b"class " not in text and b"def " not in text:
        return None
    share = sum(part in text for part in parts) / len(parts) if parts else 0.0
    if not is_given and (share < _LEAST_SHARE or (b"torch" not in text and b"nn." not in text)):
        return None
    return _Hopeful((not is_given, -share, str(path)), path, len(text))


def _in_file(path: Path, roots: list[Node]) -> list[Candidate]:
    try:
        return _scored(SourceFile(str(path), FILE_LIMIT_BYTES), str(path.resolve()), roots)
    except (SourceError, MemoryError, RecursionError):      # a file that costs too much is one that was not found
        return []


def _scored(source: SourceFile, where: str, roots: list[Node]) -> list[Candidate]:
    found = []
    for name in source.classes:
        tree = source.tree_of_class(name)
        tree.is_open = False        # an imported base explains nothing by itself
        found.append(_candidate(where, name, max(score(tree, root) for root in roots)))
    if not any(each.score >= _GOOD and not source.needs_arguments(each.spec.rpartition(":")[2]) for each in found):
        built = ((name, source.tree_of_function(name)) for name in source.builders())
        found += [_candidate(where, name, max(score(tree, root) for root in roots)) for name, tree in built if tree is not None]
    return found


def _candidate(where: str, name: str, share: float) -> Candidate:
    return Candidate(spec=f"{where}:{name}", origin="file", score=share)

"""Classes that may fit the weights in a file, found without torch and without importing anything."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from engine.candidates import Candidate, Fit
from engine.files.tensors import TensorEntry
from engine.search import index_file, remembered
from engine.search.beside import file_candidates
from engine.search.index_file import Match
from engine.search.named import named_candidates
from engine.search.scoring import Node, key_tree

KINDS = ("state-dict", "checkpoint", "safetensors", "huggingface")
"""Files of weights without a class."""
LIMIT = 20
LEAST_SCORE = 0.3
_KEYS_LIMIT = 20_000
_WRAPPERS = 4
_ORIGINS = ("remembered", "file", "config", "torchvision", "timm", "transformers")
Shapes = list[tuple[str, tuple[int, ...]]]


def find_candidates(
    entries: Sequence[TensorEntry], config: dict[str, Any], folder: str, near: tuple[str, ...] = (), fingerprint: str = ""
) -> tuple[Candidate, ...]:
    """Candidates best first: the pair the user chose before, classes in Python files, indexed architectures, what the configuration names."""
    shapes = [(entry.key, entry.shape) for entry in entries[:_KEYS_LIMIT]]
    if not shapes:
        return ()
    chosen = remembered.recall(fingerprint)
    found = [Candidate(spec=chosen, origin="remembered", score=1.0)] if chosen is not None else []
    roots = _unwrapped(key_tree(shapes))
    found += file_candidates(os.path.abspath(folder), near, roots)
    indexes = index_file.indexes()
    found += _indexed(indexes, shapes)
    found += named_candidates(config, folder, indexes)
    return _best(found)


def _unwrapped(root: Node) -> list[Node]:
    """The tree of keys, and what is left when a name that stands before every key is taken off (`module.`, `model.` ...)."""
    roots = [root]
    while len(roots) <= _WRAPPERS and len(roots[-1].children) == 1 and not next(iter(roots[-1].children)).isdigit():
        child = next(iter(roots[-1].children.values()))
        if not child.children:
            break
        roots.append(child)
    return roots


def _without_wrappers(shapes: Shapes) -> Iterable[Shapes]:
    """The same keys with nothing, one, two ... of their common first parts taken off."""
    yield shapes
    for _ in range(_WRAPPERS):
        heads = {key.partition(".")[0] for key, _ in shapes}
        if len(heads) != 1 or any("." not in key for key, _ in shapes):
            return
        shapes = [(key.partition(".")[2], shape) for key, shape in shapes]
        yield shapes


def _indexed(indexes: list[index_file.LibraryIndex], shapes: Shapes) -> list[Candidate]:
    found: dict[str, Candidate] = {}
    for variant in _without_wrappers(shapes):
        prefix = shapes[0][0].removesuffix(variant[0][0])
        for index in indexes:
            for match in index_file.look_up(index, variant):
                candidate = _of_match(match, prefix)
                if match.spec not in found or candidate.score > found[match.spec].score:
                    found[match.spec] = candidate
    return list(found.values())


def _of_match(match: Match, prefix: str) -> Candidate:
    """A perfect match needs no further building: the architecture was built when it was indexed."""
    fit = Fit(matching=match.matching, keys=match.keys, prefix=prefix) if match.matching == match.keys else None
    origin = "timm" if match.library == "timm" else "torchvision"
    return Candidate(spec=match.spec, origin=origin, score=round(match.score, 4), fit=fit)  # type: ignore[arg-type]


def _best(found: list[Candidate]) -> tuple[Candidate, ...]:
    """Each class once, best first; of equal ones the source that is nearer to the user."""
    kept: dict[str, Candidate] = {}
    for candidate in found:
        if candidate.score >= LEAST_SCORE and candidate.spec not in kept:
            kept[candidate.spec] = candidate
    order = sorted(kept.values(), key=lambda each: (each.origin != "remembered", -each.score, _ORIGINS.index(each.origin), len(each.spec), each.spec))
    return tuple(order[:LIMIT])

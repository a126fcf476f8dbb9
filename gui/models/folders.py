"""What lies in a folder that was dropped: model files and Python files, a few levels deep, by name only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

ENDINGS = (".pth", ".pt", ".bin", ".ckpt", ".safetensors", ".onnx", ".pt2", ".jit", ".ts")
MODELS_LIMIT = 20
ENTRIES_LIMIT = 4000
DEPTH = 3


@dataclass(frozen=True)
class Inside:
    """Model files (at most `MODELS_LIMIT`), how many there are in all, and whether there is Python."""

    models: tuple[str, ...] = ()
    count: int = 0
    has_python: bool = False


def look_inside(folder: str) -> Inside:
    """The models of a folder, those near its top first; links to folders are not followed, hidden things not looked at."""
    names = list(_files(folder, DEPTH, [ENTRIES_LIMIT]))
    models = [name for name in names if name.lower().endswith(ENDINGS)]
    return Inside(tuple(models[:MODELS_LIMIT]), len(models), any(name.endswith(".py") for name in names))


def _files(folder: str, depth: int, left: list[int]) -> Iterator[str]:
    """Files before folders, by name; `left` counts down over all of the walk."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted((entry for entry, _ in zip(listing, range(left[0]), strict=False)), key=lambda entry: entry.name)
    except OSError:  # not ours to read: as if it were empty
        return
    left[0] -= len(entries)
    below = []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            below.append(entry.path)
        else:
            yield entry.path
    for each in below if depth > 1 else ():
        yield from _files(each, depth - 1, left)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False

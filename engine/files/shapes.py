"""Declared shapes as input specs: the batch is called B, every other open size gets a name that the user can fill in."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.files.reading import clean
from engine.job import InputSpec

Dimension = int | str | None
"""A size, the name that the file gives to an open one, or None."""
_NAME = re.compile(r"[A-Za-z_]\w*$", re.ASCII)


def input_specs(declared: Iterable[tuple[str, str, list[Dimension]]]) -> tuple[InputSpec, ...]:
    """One spec for each declared input; an open first size is the batch, and its name means the batch everywhere."""
    values = list(declared)
    batch = {shape[0] for _, _, shape in values if shape and isinstance(shape[0], str) and _NAME.match(shape[0])}
    return tuple(InputSpec(name=clean(name), dtype=dtype, shape=_shape(shape, batch), source="declared") for name, dtype, shape in values)


def _shape(shape: list[Dimension], batch: set[str]) -> tuple[int | str, ...]:
    named: list[int | str] = []
    for place, size in enumerate(shape):
        if isinstance(size, int):
            named.append(size)
        elif place == 0 or size in batch:
            named.append("B")
        elif isinstance(size, str) and _NAME.match(size) and size != "B":
            named.append(size)
        else:
            named.append(_open_name(place, len(shape)))
    return tuple(named)


def _open_name(place: int, rank: int) -> str:
    """`H` and `W` for the last two sizes of an image, else the place."""
    return {2: "H", 3: "W"}.get(place, f"D{place}") if rank == 4 else f"D{place}"

"""What the weights' names and shapes say about the arguments that their class was built with: sizes, depths, widths."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_INTS, _LISTS, _LENGTH = 60, 40, 64
_ENDING = re.compile(r"(.*?)(\d+)$")
Weights = Mapping[str, tuple[int, ...]]


class Evidence(NamedTuple):
    """Values that arguments may have had, the likelier first."""

    sizes: tuple[int, ...]
    counts: tuple[int, ...]
    lists: tuple[tuple[int, ...], ...]
    ratios: tuple[float, ...] = ()
    sides: tuple[int, ...] = ()


def evidence_of(weights: Weights) -> Evidence:
    """Sizes of the tensors, numbers of layers, runs of sizes or depths, ratios of widths, and sides of images that were cut into patches."""
    return Evidence(_sizes(weights), _counts(weights), _lists(weights), _ratios(weights), _sides(weights))


def _ratios(weights: Weights) -> tuple[float, ...]:
    """How much wider a layer's output is than its input: of an MLP between two equal widths."""
    seen = Counter(shape[0] / shape[1] for shape in weights.values() if len(shape) > 1 and shape[1] > 0 and shape[0] != shape[1])
    return tuple(ratio for ratio, _ in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0])) if 1 / 16 <= ratio <= 16)[:24]


def _sides(weights: Weights) -> tuple[int, ...]:
    """Patches along a side times the patch: a table of 65 positions and patches of 8 pixels come from images of 64."""
    patches = {shape[-1] for shape in weights.values() if len(shape) == 4 and shape[-1] == shape[-2] > 1}
    tables = {size for shape in weights.values() if len(shape) in (2, 3) for size in shape[:-1] if size > 3}
    sides = {math.isqrt(size - extra) * patch for size in tables for extra in (0, 1, 2) for patch in patches if math.isqrt(size - extra) ** 2 == size - extra}
    return tuple(sorted(sides))[:24]


def _sizes(weights: Weights) -> tuple[int, ...]:
    seen: Counter[int] = Counter()
    derived: Counter[int] = Counter()
    for key, shape in weights.items():
        seen.update(size for size in shape if size > 0)
        for gates in (4, 3, 2):
            # Gates, queries-keys-values and doubled hidden layers stand one under another.
            if shape and len(shape) == 2 and shape[0] % gates == 0 and (shape[0] != shape[1] or "hh" in key):
                derived[shape[0] // gates] += 1
    ordered = [size for size, _ in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))]
    more = [size for size, _ in sorted(derived.items(), key=lambda pair: (-pair[1], pair[0])) if size not in seen]
    return tuple([*ordered[:_INTS], *more][: _INTS + 20])


def _groups(weights: Weights) -> dict[str, dict[int, list[str]]]:
    """Names that end in a number, by what stands before it: `layers.` -> {0: [keys below], 1: ...}; `conv` -> {1: ..., 2: ...}."""
    groups: dict[str, dict[int, list[str]]] = {}
    for key in weights:
        parts = key.split(".")
        for place, part in enumerate(parts[:-1] or parts):
            match = _ENDING.match(part)
            if match is not None and len(match[2]) < 6:
                stem = ".".join([*parts[:place], match[1]])
                groups.setdefault(stem, {}).setdefault(int(match[2]), []).append(key)
    return groups


def _counts(weights: Weights) -> tuple[int, ...]:
    found: Counter[int] = Counter()
    for numbers in _groups(weights).values():
        for value in {len(numbers), max(numbers), max(numbers) + 1, _with_weights(weights, numbers)}:
            found[value] += 1
    return tuple(value for value, _ in sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))[:24]


def _with_weights(weights: Weights, numbers: Mapping[int, list[str]]) -> int:
    """Members that hold a matrix: of convolution, norm, convolution, norm these are two."""
    return sum(any(len(weights[key]) > 1 for key in keys) for keys in numbers.values())


def _lists(weights: Weights) -> tuple[tuple[int, ...], ...]:
    found: dict[tuple[int, ...], None] = {}
    groups = _groups(weights)
    for chosen in (weights, *_of_groups(weights, groups)):
        for rank in (None, 2):
            shapes = [shape for shape in chosen.values() if (len(shape) > 1 if rank is None else len(shape) == rank)]
            found |= dict.fromkeys(_runs(shapes))
        found |= dict.fromkeys(_runs([shape for shape in chosen.values() if len(shape) > 2]))
    found |= dict.fromkeys(_depths(groups))
    return tuple(run for run in found if 0 < len(run) <= _LENGTH)[: _LISTS * 2]


def _of_groups(weights: Weights, groups: Mapping[str, Mapping[int, list[str]]]) -> Iterable[Weights]:
    """The weights below each numbered row, few rows only."""
    for numbers in list(groups.values())[:8]:
        if len(numbers) > 1:
            yield {key: weights[key] for number in sorted(numbers) for key in numbers[number]}


def _runs(shapes: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Output sizes in order, with and without the first input and the last output, and the same without repetitions."""
    if not shapes:
        return []
    outs = tuple(shape[0] for shape in shapes)
    whole = (shapes[0][1], *outs)
    runs = [outs, outs[:-1], whole, whole[:-1]]
    return [*runs, *(_without_repeats(run) for run in runs)]


def _without_repeats(run: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for place, size in enumerate(run) if place == 0 or size != run[place - 1])


def _depths(groups: Mapping[str, Mapping[int, list[str]]]) -> list[tuple[int, ...]]:
    """How many blocks each stage has: `layer1.0, layer1.1, layer2.0` is (2, 1)."""
    found = []
    for stem, numbers in groups.items():
        if len(numbers) < 2:
            continue
        run = []
        for number in sorted(numbers):
            start = f"{stem}{number}."
            blocks = {key[len(start) :].split(".")[0] for key in numbers[number]} | {".".join(key[len(start) :].split(".")[:2]) for key in numbers[number]}
            digits = {each.rsplit(".", 1)[-1] for each in blocks}
            run.append(sum(each.isdigit() for each in digits))
        if all(run):
            found.append(tuple(run))
    return found

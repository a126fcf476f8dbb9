"""Changes to inputs that a model refused: each answers what the refusing layer, or the error's own words, ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec
import torch

from engine.job import InputSpec
from engine.worker.guessing.layers import CONVOLUTIONS, LOOKUPS, same_kind, suits, too_small, wanted
from engine.worker.guessing.trial import Attempt, Place, Proposal

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_NUMBER = re.compile(r"(?<![\w.])\d{1,6}(?![\w.]*\d)")
_KEY = re.compile(r"^KeyError: '([^']{1,60})'$")
_WANTS_INTEGERS = ("Long, Int", "must be long", "only applicable to index", "expected scalar type Long", "Expected tensor for argument #1 'indices'", "as indices")
_WANTS_BYTES = ("uint8", "Byte", "byte")
_BIGGER = (2, 4, 8, 16)
_MOST_NUMBERS = 6
SPEAKING = (RuntimeError, TypeError, ValueError, IndexError, AssertionError, torch.jit.Error)
"""Errors whose words may be about the input."""
Path = tuple[int, ...]


def changes(attempt: Attempt) -> Iterator[Proposal]:
    """Proposals that may run where this one did not, the likeliest first: what the refusing layer or plain words ask for."""
    if attempt.error is None:
        return
    if attempt.place is not None:
        yield from _of_layer(attempt, attempt.place)
    yield from _of_words(attempt)


def with_numbers(attempt: Attempt) -> Iterator[Proposal]:
    """Proposals with numbers that the error names: a last resort, for most of them mean something else."""
    if isinstance(attempt.error, SPEAKING):
        lines = str(attempt.error).strip().splitlines() or [""]
        yield from _with_numbers(attempt.proposal, lines[-1])


def _of_layer(attempt: Attempt, place: Place) -> Iterator[Proposal]:
    received = next((value for value in place.received if isinstance(value, torch.Tensor)), None)
    if received is None:
        return
    path = source_of(received, attempt, exactly=isinstance(place.layer, LOOKUPS) and not received.is_floating_point())
    if path is None:
        yield from _shorter(attempt, place, received)
        return
    leaf = leaf_at(attempt.proposal, path)
    for changed in _changed(place, leaf, received):
        yield put(attempt.proposal, path, changed)


def too_long(place: Place, received: torch.Tensor) -> bool:
    """Whether more positions were looked up than a table has."""
    return isinstance(place.layer, LOOKUPS) and not received.is_floating_point() and received.dim() >= 1 and received.shape[-1] > place.layer.num_embeddings


def _shorter(attempt: Attempt, place: Place, received: torch.Tensor) -> Iterator[Proposal]:
    """As many steps as the table has positions, wherever the inputs have as many as were looked up."""
    if not too_long(place, received):
        return
    changed, steps, places = attempt.proposal, int(received.shape[-1]), int(getattr(place.layer, "num_embeddings", 1))
    for path, leaf in walk(attempt.proposal):
        if is_tensor(leaf) and steps in leaf.shape:
            changed = put(changed, path, _replace(leaf, shape=tuple(places if size == steps else size for size in leaf.shape)))
    yield changed


def _changed(place: Place, leaf: InputSpec, received: torch.Tensor) -> Iterator[InputSpec]:
    layer = place.layer
    if isinstance(layer, LOOKUPS):
        yield _replace(leaf, dtype="int64", range=(0, layer.num_embeddings - 1))
        if len(leaf.shape) > 2:
            yield _replace(leaf, dtype="int64", range=(0, layer.num_embeddings - 1), shape=leaf.shape[:2])
        return
    if not same_kind(layer, received) and leaf.dtype not in _FLOATS:
        leaf = _replace(leaf, dtype="float32", range=None)
        yield leaf
    want = wanted(layer)
    if want is None or suits(layer, (received,)):
        return
    if isinstance(layer, CONVOLUTIONS) and received.dim() == want.spatial + 2 and received.shape[1] == want.size and too_small(layer, received):
        yield from _bigger(leaf)
        return
    for shape in _shapes(leaf.shape, want.size, want.dimension, want.spatial):
        yield _replace(leaf, shape=shape)


def _shapes(shape: tuple[int | str, ...], size: int, dimension: int, spatial: int) -> Iterator[tuple[int | str, ...]]:
    """Shapes with `size` where the layer wants it."""
    lacking = spatial + 2 - len(shape) if spatial else 0
    if lacking == 1:
        batched = ("B", *shape) if "B" not in shape else (shape[0], size, *shape[1:])
        yield batched if batched[1] == size else (batched[0], size, *batched[2:])
    elif lacking < 0:
        yield from (shape[:at] + shape[at + 1 :] for at in range(1, len(shape)) if shape[at] == 1)
        yield shape[: spatial + 2]
    elif lacking > 1:
        yield ("B", size, *(tuple(shape[1:]) + (shape[-1] if isinstance(shape[-1], int) and len(shape) > 1 else 64,) * spatial)[:spatial])
    at = dimension if dimension >= 0 else len(shape) + dimension
    if not spatial and at >= len(shape):
        yield (*shape, size)
        return
    if lacking or not 0 <= at < len(shape):
        return
    if size in shape and shape[at] != size:
        order = list(shape)
        order.insert(at, order.pop(order.index(size)))
        yield tuple(order)
    if "B" not in shape and not spatial and len(shape) == 1:
        yield ("B", size)
    yield (*shape[:at], size, *shape[at + 1 :])


def _bigger(leaf: InputSpec) -> Iterator[InputSpec]:
    for factor in _BIGGER:
        yield _replace(leaf, shape=(*leaf.shape[:2], *(size * factor if isinstance(size, int) else size for size in leaf.shape[2:])))


def _of_words(attempt: Attempt) -> Iterator[Proposal]:
    """What the error itself asks for: integers, bytes, a key, a size."""
    text = f"{type(attempt.error).__name__}: {attempt.error}"
    if key := _KEY.match(text):
        yield from _with_key(attempt.proposal, key[1])
    if isinstance(attempt.error, SPEAKING):
        if any(words in text for words in _WANTS_INTEGERS):
            yield from _each_float(attempt.proposal, lambda leaf: _replace(leaf, dtype="int64", range=(0, 1)))
        if any(words in text for words in _WANTS_BYTES):
            yield from _each_float(attempt.proposal, lambda leaf: _replace(leaf, dtype="uint8", range=(0, 255)))


def _with_key(proposal: Proposal, key: str) -> Iterator[Proposal]:
    """The dictionary gets one member more, or the only input becomes one."""
    for path, leaf in ((path, leaf) for path, leaf in walk(proposal) if leaf.container == "dict"):
        part = msgspec.structs.replace(leaf.parts[-1] if leaf.parts else InputSpec(shape=("B", 64), source="guessed"), name=key)
        if key not in [one.name for one in leaf.parts]:
            yield put(proposal, path, _replace(leaf, parts=(*leaf.parts, part)))


def _each_float(proposal: Proposal, change: Callable[[InputSpec], InputSpec]) -> Iterator[Proposal]:
    for path, leaf in walk(proposal):
        if is_tensor(leaf) and leaf.dtype in _FLOATS:
            yield put(proposal, path, change(leaf))


def _with_numbers(proposal: Proposal, text: str) -> Iterator[Proposal]:
    """Numbers that the error names, in place of sizes and of plain numbers: "expected 512 samples, got 1024"."""
    numbers = list(dict.fromkeys(int(found) for found in _NUMBER.findall(text)))
    numbers = [value for value in numbers if value > 0][-_MOST_NUMBERS:]
    for path, leaf in walk(proposal):
        if leaf.scalar is not None and not isinstance(leaf.scalar, bool):
            yield from (put(proposal, path, _replace(leaf, scalar=type(leaf.scalar)(value))) for value in numbers if value != leaf.scalar)
        elif is_tensor(leaf):
            for at in reversed(range(1, len(leaf.shape))):
                if isinstance(leaf.shape[at], int):
                    yield from (put(proposal, path, _replace(leaf, shape=(*leaf.shape[:at], value, *leaf.shape[at + 1 :]))) for value in numbers if value != leaf.shape[at])


def is_tensor(spec: InputSpec) -> bool:
    """Whether it is a tensor made from its shape."""
    return not spec.container and spec.scalar is None and spec.data_path is None


def walk(proposal: Proposal) -> Iterator[tuple[Path, InputSpec]]:
    """All specs with the way that leads to them, containers included."""
    for index, spec in enumerate(proposal):
        yield (index,), spec
        for path, part in walk(spec.parts):
            yield (index, *path), part


def leaf_at(proposal: Proposal, path: Path) -> InputSpec:
    """The spec at the end of `path`."""
    spec = proposal[path[0]]
    return leaf_at(spec.parts, path[1:]) if len(path) > 1 else spec


def put(proposal: Proposal, path: Path, spec: InputSpec) -> Proposal:
    """The proposal with another spec at the end of `path`."""
    index = path[0]
    made = spec if len(path) == 1 else _replace(proposal[index], parts=put(proposal[index].parts, path[1:], spec))
    return (*proposal[:index], made, *proposal[index + 1 :])


def source_of(received: torch.Tensor, attempt: Attempt, exactly: bool = False) -> Path | None:
    """Which input became the tensor that a layer was given: of the same shape, else (not `exactly`) the only one that may have."""
    shape = tuple(received.shape)
    tensors = [(path, leaf) for path, leaf in walk(attempt.proposal) if is_tensor(leaf)]
    for path, leaf in tensors:
        if tuple(attempt.batch if size == "B" else size for size in leaf.shape) == shape:
            return path
    if exactly:
        return None
    sizes = {size for size in shape if size not in (1, attempt.batch)}
    alike = [path for path, leaf in tensors if sizes and sizes <= {size for size in leaf.shape if isinstance(size, int)}]
    return alike[0] if len(alike) == 1 else None


def _replace(spec: InputSpec, **values: object) -> InputSpec:
    return msgspec.structs.replace(spec, **values)

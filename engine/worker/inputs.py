"""Input tensors from their specs: seeded random numbers, scalars, or data from a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.inputs import CHANNELS_LAST_RANKS, format_input
from engine.job import InputSpec
from engine.worker.errors import WorkerError

DISTINCT_ROWS = 256
"""Items of a batch that differ; a larger batch repeats them, because drawing 100,000 random pictures takes minutes."""
_MAX_DEPTH = 8
"""An output may hold itself."""
_MAX_SHOWN = 12
_NUMBERS = "biufc"
"""numpy's kinds of numbers that torch has too; text is none."""
Arguments = tuple[list[Any], dict[str, Any]]


def make_arguments(specs: tuple[InputSpec, ...], batch_size: int, seed: int) -> Arguments:
    """Positional and keyword arguments of the forward, on the CPU; the same seed gives the same numbers.

    Raises WorkerError `input-mismatch` for a spec that cannot be made.
    """
    generator = torch.Generator().manual_seed(seed)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for spec in specs:
        value = make_value(spec, batch_size, generator)
        if spec.name is None:
            positional.append(value)
        else:
            named[spec.name] = value
    return positional, named


def make_value(spec: InputSpec, batch_size: int, generator: torch.Generator) -> Any:
    """One argument: a plain number, a tensor of the spec's dtype and shape, or a tuple, list or dict of those."""
    if spec.container:
        made = [make_value(part, batch_size, generator) for part in spec.parts]
        if spec.container == "dict":
            return dict(zip((part.name or "" for part in spec.parts), made, strict=True))
        return tuple(made) if spec.container == "tuple" else made
    if spec.scalar is not None:
        return spec.scalar
    tensor = _data(spec, batch_size) if spec.data_path is not None else _drawn(spec, batch_size, generator)
    return _laid_out(tensor, spec)


def _data(spec: InputSpec, batch_size: int) -> torch.Tensor:
    path = str(spec.data_path)
    data = _read(path, spec)
    if data.dim() and not len(data):
        raise WorkerError("input-mismatch", "input-data-unreadable", file=Path(path).name, error="it holds no rows")
    return _batch_of(data, batch_size)


def _laid_out(tensor: torch.Tensor, spec: InputSpec) -> torch.Tensor:
    if spec.memory_format != "channels_last" or tensor.dim() not in CHANNELS_LAST_RANKS:
        return tensor
    return tensor.contiguous(memory_format=torch.channels_last if tensor.dim() == CHANNELS_LAST_RANKS[0] else torch.channels_last_3d)


def _drawn(spec: InputSpec, batch_size: int, generator: torch.Generator) -> torch.Tensor:
    wanted = [_size(size, batch_size, spec) for size in spec.shape]
    rows = min(batch_size, DISTINCT_ROWS)
    made = _random(spec, [rows if size == "B" else number for size, number in zip(spec.shape, wanted, strict=True)], generator)
    if rows == batch_size:
        return made
    return made.repeat([-(-number // have) for number, have in zip(wanted, made.shape, strict=True)])[tuple(slice(number) for number in wanted)].contiguous()


def _random(spec: InputSpec, shape: list[int], generator: torch.Generator) -> torch.Tensor:
    dtype = getattr(torch, spec.dtype)
    if dtype.is_floating_point:
        return torch.randn(shape, generator=generator).to(dtype)
    if dtype.is_complex:
        return torch.randn(shape, generator=generator, dtype=dtype)
    if dtype == torch.bool:
        return torch.rand(shape, generator=generator) < 0.5
    low, high = spec.range or (0, 1)
    return torch.randint(low, high + 1, shape, generator=generator).to(dtype)


def _size(size: int | str, batch_size: int, spec: InputSpec) -> int:
    if isinstance(size, int):
        return size
    if size == "B":
        return batch_size
    raise WorkerError("input-mismatch", "input-size-unknown", input=format_input(spec), size=size)


def _read(path: str, spec: InputSpec) -> torch.Tensor:
    try:
        if path.endswith((".pt", ".pth")):
            data = torch.load(path, map_location="cpu", weights_only=True)
        else:
            data = np.load(path, allow_pickle=False)
            if isinstance(data, np.lib.npyio.NpzFile):
                data = data[spec.name if spec.name in data.files else data.files[0]]
        return torch.as_tensor(data)
    except Exception as error:
        raise WorkerError("input-mismatch", "input-data-unreadable", file=Path(path).name, error=f"{type(error).__name__}: {error}"[:300]) from error


def _batch_of(data: torch.Tensor, batch_size: int) -> torch.Tensor:
    """The first rows of the data; repeated where there are fewer than the batch wants."""
    if data.dim() == 0:
        return data
    repeats = -(-batch_size // max(1, data.shape[0]))
    return torch.cat([data] * repeats)[:batch_size] if repeats > 1 else data[:batch_size]


def move(arguments: Arguments, device: torch.device, dtype: torch.dtype | None) -> Arguments:
    """Arguments on the device; floating-point tensors become `dtype` where one is given, integers are left alone."""
    positional, named = arguments
    return [_move(value, device, dtype) for value in positional], {name: _move(value, device, dtype) for name, value in named.items()}


def _move(value: Any, device: torch.device, dtype: torch.dtype | None) -> Any:
    def moved(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)

    return each_tensor(value, moved)


def each_tensor(value: Any, change: Callable[[torch.Tensor], Any]) -> Any:
    """The same nesting of tuples, lists and dicts with every tensor changed."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, dict):
        return {name: each_tensor(part, change) for name, part in value.items()}
    if isinstance(value, list | tuple):
        made = [each_tensor(part, change) for part in value]
        return made if isinstance(value, list) else tuple(made)
    return value


def shapes_of(value: object, depth: int = _MAX_DEPTH) -> str:
    """Shapes of whatever a forward returned, for the eye."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return _shape(value)
    if value is None or depth == 0:
        return "None" if value is None else "..."
    if (fields := _fields(value)) is not None:
        inner = _some([f"{name}: {shapes_of(part, depth - 1)}" for name, part in fields])
        return f"{{{inner}}}" if isinstance(value, Mapping) else f"{type(value).__name__}({inner})"
    if isinstance(value, list | tuple):
        return f"({_some([shapes_of(part, depth - 1) for part in value])})"
    return str(value) if isinstance(value, bool | int | float) else type(value).__name__


def _shape(tensor: torch.Tensor | np.ndarray[Any, Any]) -> str:
    if isinstance(tensor, torch.Tensor) and tensor.is_nested:
        return f"nested {shapes_of(list(tensor.unbind()))}"
    return f"[{', '.join(str(size) for size in tensor.shape)}]"


def _some(parts: list[str]) -> str:
    return ", ".join(parts[:_MAX_SHOWN]) + (f", ... ({len(parts)})" if len(parts) > _MAX_SHOWN else "")


def _fields(value: object) -> list[tuple[str, Any]] | None:
    """Names and members of a mapping (Hugging Face's outputs are mappings too), a dataclass or a namedtuple; None of anything else."""
    if isinstance(value, Mapping):
        return [(str(name), part) for name, part in value.items()]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name, None)) for field in dataclasses.fields(value)]
    names = getattr(type(value), "_fields", None)
    if isinstance(value, tuple) and isinstance(names, tuple):
        return [(str(name), part) for name, part in zip(names, value, strict=False)]
    return None


def tensors_in(value: object) -> list[torch.Tensor]:
    """All tensors in whatever a forward returned."""
    return list(_tensors_in(value, _MAX_DEPTH))


def _tensors_in(value: object, depth: int) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield from value.unbind() if value.is_nested else (value,)
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in _NUMBERS:
            yield torch.as_tensor(value)
    elif depth:
        fields = _fields(value)
        parts = [part for _, part in fields] if fields is not None else value if isinstance(value, list | tuple) else ()
        for part in parts:
            yield from _tensors_in(part, depth - 1)

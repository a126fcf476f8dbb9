"""Input tensors from their specs: seeded random numbers, scalars, or data from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.inputs import format_input
from engine.job import InputSpec
from engine.worker.errors import WorkerError

DISTINCT_ROWS = 256
"""Items of a batch that differ; a larger batch repeats them, because drawing 100,000 random pictures takes minutes."""
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
    """One argument: a plain number or a tensor of the spec's dtype and shape."""
    if spec.scalar is not None:
        return spec.scalar
    if spec.data_path is not None:
        data = _read(spec.data_path, spec)
        if data.dim() and not len(data):
            raise WorkerError("input-mismatch", "input-data-unreadable", file=Path(spec.data_path).name, error="it holds no rows")
        return _batch_of(data, batch_size)
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
    if not isinstance(value, torch.Tensor):
        return value
    return value.to(device=device, dtype=dtype if value.is_floating_point() else None)


def shapes_of(value: object) -> str:
    """Shapes of whatever a forward returned, for the eye."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return f"[{', '.join(str(size) for size in value.shape)}]"
    if isinstance(value, list | tuple):
        return f"({', '.join(shapes_of(part) for part in value)})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {shapes_of(part)}' for name, part in value.items())}}}"
    return type(value).__name__


def tensors_in(value: object) -> list[torch.Tensor]:
    """All tensors in whatever a forward returned."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, np.ndarray):
        return [torch.as_tensor(value)]
    if isinstance(value, dict):
        return [tensor for part in value.values() for tensor in tensors_in(part)]
    if isinstance(value, list | tuple):
        return [tensor for part in value for tensor in tensors_in(part)]
    return []

"""A batch run as several smaller ones, one after another, and the outputs put together again: the same answers from less memory, for some time."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from engine.inputs import leaves
from engine.job import Configuration, InputSpec
from engine.worker.errors import WorkerError
from engine.worker.inputs import each_tensor
from engine.worker.loading import LoadedModel

_MAX_DEPTH = 8


def wrapped(loaded: LoadedModel, configuration: Configuration, specs: Sequence[InputSpec], kind: str) -> LoadedModel:
    """The model as it is, or one whose forward runs its batch in parts where the configuration says so; raises WorkerError."""
    parts, batch = configuration.options.get("micro_batch", 1), configuration.batch_size
    if parts == 1:
        return loaded
    if loaded.module is None:
        raise WorkerError("unsupported", "micro-batch-needs-module", kind=kind)
    if not 1 <= parts <= batch:
        raise WorkerError("unsupported", "micro-batch-too-many", batch=batch, parts=parts)
    note = ("micro-batched", {"batch": batch, "parts": parts, "size": -(-batch // parts)})
    return dataclasses.replace(loaded, module=InParts(loaded.module, parts, batch, batch_axes(specs)), notes=(*loaded.notes, note))


def batch_axes(specs: Sequence[InputSpec]) -> tuple[int | None, ...]:
    """Where each tensor of the arguments has its batch, in the order of the call: positional ones first. None: it has none."""
    ordered = [spec for spec in specs if spec.name is None] + [spec for spec in specs if spec.name is not None]
    tensors = [leaf for spec in ordered for leaf in leaves(spec) if leaf.scalar is None]
    return tuple(leaf.shape.index("B") if "B" in leaf.shape else 0 if leaf.data_path is not None else None for leaf in tensors)


class InParts(nn.Module):
    """A module whose forward calls another one on slices of the batch."""

    def __init__(self, module: nn.Module, parts: int, batch: int, axes: tuple[int | None, ...]) -> None:
        super().__init__()
        self.module, self._batch, self._axes = module, batch, axes
        small, larger = divmod(batch, parts)
        self._sizes = [small + (number < larger) for number in range(parts)]
        """As many parts as were asked for, the first ones an item larger where it does not divide."""

    def train(self, mode: bool = True) -> InParts:
        """As the module itself does it: exported programs have an `eval` of their own."""
        self.training = mode
        _ = self.module.train() if mode else self.module.eval()
        return self

    def forward(self, *positional: Any, **named: Any) -> Any:
        """The outputs of all slices, put together along the batch."""
        starts = itertools.accumulate(self._sizes[:-1], initial=0)
        return joined([self._slice(start, size, positional, named) for start, size in zip(starts, self._sizes, strict=True)], self._sizes)

    def _slice(self, start: int, size: int, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        axes = iter(self._axes)

        def part(tensor: torch.Tensor) -> torch.Tensor:
            axis = next(axes, None)
            return tensor if axis is None or axis >= tensor.dim() else tensor.narrow(axis, start, size)

        return self.module(*each_tensor(positional, part), **each_tensor(named, part))


def joined(outputs: Sequence[Any], sizes: Sequence[int], depth: int = _MAX_DEPTH) -> Any:
    """Equal nestings of outputs as one: tensors one after another along their batch; what is no tensor is taken of the first. `sizes`: items of each part."""
    first = outputs[0]
    if isinstance(first, torch.Tensor):
        return torch.cat(list(outputs), dim=_axis(outputs, sizes)) if first.dim() else torch.stack(list(outputs))
    if depth == 0:
        return first
    if isinstance(first, dict):
        made = {name: joined([output[name] for output in outputs], sizes, depth - 1) for name in first}
        return made if type(first) is dict else type(first)(**made)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(joined(column, sizes, depth - 1) for column in zip(*outputs, strict=True)))
    if isinstance(first, list | tuple):
        return type(first)(joined(column, sizes, depth - 1) for column in zip(*outputs, strict=True))
    return first


def _axis(outputs: Sequence[torch.Tensor], sizes: Sequence[int]) -> int:
    """Where tensors of the parts have their batch: the first dimension, unless another one, and not that, is as long as its part in each of them.

    Where both are, only parts of different size tell; with equal ones the first is taken, as nearly all models have it.
    """
    fits = [axis for axis in range(outputs[0].dim()) if all(axis < part.dim() and part.shape[axis] == size for part, size in zip(outputs, sizes, strict=True))]
    return fits[0] if fits else 0

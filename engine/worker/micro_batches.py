"""A batch run as several smaller ones, one after another, and the outputs put together again: the same answers from less memory, for some time."""

from __future__ import annotations

import dataclasses
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
        self._size = -(-batch // parts)

    def train(self, mode: bool = True) -> InParts:
        """As the module itself does it: exported programs have an `eval` of their own."""
        self.training = mode
        _ = self.module.train() if mode else self.module.eval()
        return self

    def forward(self, *positional: Any, **named: Any) -> Any:
        """The outputs of all slices, put together along the batch."""
        outputs = [self._slice(start, positional, named) for start in range(0, self._batch, self._size)]
        return joined(outputs)

    def _slice(self, start: int, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        axes = iter(self._axes)

        def part(tensor: torch.Tensor) -> torch.Tensor:
            axis = next(axes, None)
            return tensor if axis is None or axis >= tensor.dim() else tensor.narrow(axis, start, min(self._size, self._batch - start))

        return self.module(*each_tensor(positional, part), **each_tensor(named, part))


def joined(outputs: Sequence[Any], depth: int = _MAX_DEPTH) -> Any:
    """Equal nestings of outputs as one: tensors one after another along their first dimension; what is no tensor is taken of the first."""
    first = outputs[0]
    if isinstance(first, torch.Tensor):
        return torch.cat(list(outputs)) if first.dim() else torch.stack(list(outputs))
    if depth == 0:
        return first
    if isinstance(first, dict):
        made = {name: joined([output[name] for output in outputs], depth - 1) for name in first}
        return made if type(first) is dict else type(first)(**made)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(joined(column, depth - 1) for column in zip(*outputs, strict=True)))
    if isinstance(first, list | tuple):
        return type(first)(joined(column, depth - 1) for column in zip(*outputs, strict=True))
    return first

"""Bytes as torch counts them: weights by storage, and the allocator's peaks on an accelerator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch


def weights_bytes(module: Any) -> int:
    """Bytes of all parameters, buffers and packed (quantized) weights; each storage counts once."""
    storages: dict[int, int] = {}
    for tensor in _tensors(module):
        storage = tensor.untyped_storage()
        storages[storage.data_ptr() or id(storage)] = storage.nbytes()
    return sum(storages.values())


def _tensors(module: Any) -> Iterable[torch.Tensor]:
    yield from module.parameters()
    yield from module.buffers()
    for layer in module.modules():
        packed = getattr(layer, "_packed_params", None)
        if packed is not None and hasattr(packed, "_weight_bias"):
            yield from (tensor for tensor in packed._weight_bias() if tensor is not None)
        for cell in getattr(layer, "_all_weight_values", ()):
            yield from _packed_in(cell)


def _packed_in(cell: Any) -> Iterable[torch.Tensor]:
    """Weights inside a quantized recurrent layer's parameter holder, as deep as its state nests."""
    pending: list[Any] = [cell.param.__getstate__()] if hasattr(cell.param, "__getstate__") else []
    while pending:
        part = pending.pop()
        if isinstance(part, torch.Tensor):
            yield part
        elif isinstance(part, list | tuple):
            pending.extend(part)
        elif isinstance(part, torch.ScriptObject) and hasattr(part, "__getstate__"):
            pending.append(part.__getstate__())


def count(module: Any) -> tuple[int, int]:
    """Numbers in parameters and in buffers; a tied tensor counts once (`parameters()` yields it once)."""
    return sum(tensor.numel() for tensor in module.parameters()), sum(tensor.numel() for tensor in module.buffers())


def reset_peaks(device: torch.device) -> None:
    """Forget the allocator's peaks so far."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peaks(device: torch.device) -> tuple[int | None, int | None]:
    """Peak bytes allocated and reserved since the last reset; None on a CPU, whose allocator does not count."""
    if device.type != "cuda":
        return None, None
    return torch.cuda.max_memory_allocated(device), torch.cuda.max_memory_reserved(device)


def current(device: torch.device) -> tuple[int | None, int | None]:
    """Bytes allocated and reserved now; None on a CPU."""
    if device.type != "cuda":
        return None, None
    return torch.cuda.memory_allocated(device), torch.cuda.memory_reserved(device)

"""Bytes as torch counts them: weights by storage, and the allocator's peaks on an accelerator."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch


def weights_bytes(module: Any) -> int:
    """Bytes of all parameters, buffers and packed (quantized) weights; each storage counts once."""
    return storage_bytes(_tensors(module))


def storage_bytes(tensors: Iterable[torch.Tensor]) -> int:
    """Bytes that tensors lie in, each storage once: an expanded tensor is no larger than what it repeats, and a view takes nothing of its own."""
    storages = [tensor.untyped_storage() for tensor in tensors]
    # On the meta device all of them lie at 0.
    return sum({storage.data_ptr() or storage._cdata: storage.nbytes() for storage in storages}.values())


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


def make_context(device: torch.device) -> int | None:
    """Let the device come to life in this process; bytes that torch's allocator holds then, None on a CPU."""
    if device.type != "cuda":
        return None
    torch.cuda.set_device(device)
    torch.cuda.synchronize(device)      # the driver makes its context at the first call that needs one
    torch.empty(1, device=device)
    torch.cuda.synchronize(device)
    return torch.cuda.memory_reserved(device)


class PeakWatch:
    """The most resident memory from now on, by the kernel's own high-water mark: sampling would miss a short peak."""

    def __init__(self) -> None:
        self._was_reset = _reset_high_water()
        self._held_bytes = status_bytes("VmRSS")
        self._high_before = status_bytes("VmHWM")

    def grown_bytes(self) -> int | None:
        """Peak above what was held at the start; None where the system does not tell, or where an older peak hides it."""
        high = status_bytes("VmHWM")
        if high is None or self._held_bytes is None or self._high_before is None:
            return None
        if not self._was_reset and high <= self._high_before:
            return None
        return max(0, high - self._held_bytes)


def _reset_high_water() -> bool:
    """Ask the kernel to count the peak anew; not every system or sandbox lets us."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def status_bytes(name: str) -> int | None:
    """One of the kernel's figures for this process, e.g. `VmHWM`; None where it has none."""
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii", errors="replace"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None

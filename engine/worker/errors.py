"""What goes wrong in a worker, as codes and values; the engine makes sentences of them."""

from __future__ import annotations

import os
import re
import traceback
from pathlib import Path
from typing import Any

import torch

from engine.messages import Failed

_TRIED = re.compile(r"[Tt]ried to allocate ([\d.]+) ?(bytes|[KMGT]i?B)?")
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_NO_MEMORY = (
    "not enough memory", "can't allocate memory", "CUDA out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "Failed to allocate memory", "std::bad_alloc",
)
"""How torch on the CPU (by system), CUDA's libraries and ONNX Runtime say it."""
_MAX_TRACEBACK = 20_000


class WorkerError(Exception):
    """Something that has its own sentence: a code of the contract, the sentence's code and its values."""

    def __init__(self, code: str, say: str, /, **values: Any) -> None:
        super().__init__(f"{code}: {say} {values}")
        self.code, self.say, self.values = code, say, values


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch, CUDA, ONNX Runtime or Python itself ran out of memory."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error)
    return any(words in text for words in _NO_MEMORY)


def is_device_error(error: BaseException) -> bool:
    """Whether the accelerator itself reported an error, after which its context cannot be used."""
    accelerator = getattr(torch, "AcceleratorError", None)
    if accelerator is not None and isinstance(error, accelerator):
        return True
    return isinstance(error, RuntimeError) and ("CUDA error" in str(error) or "CUDNN_STATUS" in str(error) or "CUBLAS_STATUS" in str(error))


def wanted_bytes(error: BaseException) -> int | None:
    """How many bytes an out-of-memory error says were asked for."""
    found = _TRIED.search(str(error))
    if found is None:
        return None
    return int(float(found[1]) * _UNITS.get(found[2] or "bytes", 1))


def last_line(error: BaseException) -> str:
    """The error's own words, in one line of at most 300 characters."""
    words = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return f"{type(error).__name__}: {words[-1] if words else ''}"[:300]


def describe(error: BaseException, phase: str, device: torch.device, batch_size: int) -> Failed:
    """The `Failed` message for an error that escaped in `phase`."""
    trace = "".join(traceback.format_exception(error))[-_MAX_TRACEBACK:]
    if isinstance(error, WorkerError):
        return Failed(error.code, error.say, error.values, trace)
    if is_out_of_memory(error):
        return Failed("out-of-memory", "out-of-memory", {**_memory_values(error, device), "batch_size": batch_size, "device": str(device)}, trace)
    if is_device_error(error):
        return Failed("device-error", "device-error", {"device": str(device), "error": _first_line(_sticky(device) or error)}, trace)
    if phase == "load":
        return Failed("load-failed", "load-failed", {"error": last_line(error)}, trace)
    if phase == "prepare":
        return Failed("load-failed", "prepare-failed", {"error": last_line(error)}, trace)
    return Failed("forward-raised", "forward-raised", {"error": last_line(error)}, trace)


def _sticky(device: torch.device) -> RuntimeError | None:
    """The error that the device itself holds: what was raised first may be a library that stumbled over it (cuBLAS after a device-side assert)."""
    if device.type != "cuda":
        return None
    try:
        torch.cuda.synchronize(device)
    except RuntimeError as error:
        return error
    return None


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]


def _memory_values(error: BaseException, device: torch.device) -> dict[str, Any]:
    values: dict[str, Any] = {"wanted_bytes": wanted_bytes(error), "free_bytes": None, "total_bytes": None, "own_bytes": None, "allocated_bytes": None}
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        values |= {"free_bytes": free, "total_bytes": total, "own_bytes": torch.cuda.memory_reserved(device), "allocated_bytes": torch.cuda.memory_allocated(device)}
    elif device.type == "cpu":
        values |= _machine_memory()
    return values


def _machine_memory() -> dict[str, Any]:
    """What the system says of its memory and of ours; nothing where it says nothing."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        resident_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        free, total = (int(lines[name].split()[0]) * 1024 for name in ("MemAvailable", "MemTotal"))
    except (OSError, ValueError, KeyError, IndexError):
        return {}
    return {"free_bytes": free, "total_bytes": total, "own_bytes": resident_pages * os.sysconf("SC_PAGE_SIZE")}

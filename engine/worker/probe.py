"""What this machine and this torch can do."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
from pathlib import Path

import torch

from engine.capabilities import Facts, Gpu

_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx_vnni", "amx_tile", "amx_bf16", "amx_int8", "amx_fp16", "asimd", "bf16", "fphp")
_PACKAGES = ("torch", "numpy", "msgspec", "onnx", "onnxruntime", "onnxruntime-gpu", "torchvision", "timm", "transformers", "torchao", "safetensors")


def facts() -> Facts:
    """Look; every field is read from this machine, none is assumed."""
    gpus, cuda_error = _gpus()
    return Facts(
        torch=str(torch.__version__), cuda_build=torch.version.cuda, gpus=gpus, cuda_error=cuda_error,
        quantized_engines=tuple(name for name in torch.backends.quantized.supported_engines if name != "none"),
        cpu_flags=_cpu_flags(), cpu_name=_cpu_name(), cores=_physical_cores(), memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        python=platform.python_version(), packages=_packages(), onnxruntime_providers=_providers(),
    )


def _gpus() -> tuple[tuple[Gpu, ...], str | None]:
    if torch.version.cuda is None:
        return (), None
    try:
        torch.cuda.init()
        count = torch.cuda.device_count()
        found = [torch.cuda.get_device_properties(index) for index in range(count)]
    except Exception as error:  # whatever the driver says is the reason shown to the user
        return (), f"{type(error).__name__}: {error}"[:300]
    return tuple(Gpu(index, each.name, each.total_memory, (each.major, each.minor)) for index, each in enumerate(found)), None


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _cpu_flags() -> tuple[str, ...]:
    match = re.search(r"^(?:flags|Features)\s*:(.*)$", _cpuinfo(), re.MULTILINE)
    present = set(match[1].split()) if match else set()
    return tuple(flag for flag in _FLAGS if flag in present)


def _cpu_name() -> str:
    match = re.search(r"^model name\s*:(.*)$", _cpuinfo(), re.MULTILINE)
    return match[1].strip() if match else platform.processor() or platform.machine()


def _physical_cores() -> int:
    pairs = set(re.findall(r"^physical id\s*:\s*(\d+)$.*?^core id\s*:\s*(\d+)$", _cpuinfo(), re.MULTILINE | re.DOTALL))
    return min(len(pairs) or os.cpu_count() or 1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _providers() -> tuple[str, ...]:
    if importlib.util.find_spec("onnxruntime") is None:
        return ()
    import onnxruntime

    return tuple(onnxruntime.get_available_providers())

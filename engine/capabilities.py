"""Which device x precision x quantization x backend can exist on a machine: a pure function of its `Facts`."""

from __future__ import annotations

from typing import Any

import msgspec


class Gpu(msgspec.Struct, frozen=True):
    """One CUDA device as torch sees it."""

    index: int
    name: str
    memory_bytes: int
    capability: tuple[int, int]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe worker found out about a machine and its torch."""

    torch: str
    cuda_build: str | None = None
    """CUDA version that torch was built for; None for a CPU build."""
    gpus: tuple[Gpu, ...] = ()
    cuda_error: str | None = None
    """Why a CUDA build sees no device."""
    quantized_engines: tuple[str, ...] = ()
    cpu_flags: tuple[str, ...] = ()
    """Instruction sets that matter, e.g. `avx2 avx512_bf16 avx512_fp16 amx_bf16 amx_fp16`."""
    cpu_name: str = ""
    cores: int = 1
    """Physical cores."""
    memory_bytes: int = 0
    python: str = ""
    packages: dict[str, str] = {}
    onnxruntime_providers: tuple[str, ...] = ()
    driver_gpus: tuple[str, ...] = ()
    """Names of NVIDIA GPUs that the driver knows, whatever torch can do."""
    driver: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """One value of an axis: possible here, or why not."""

    value: str
    available: bool = True
    code: str = ""
    """Code of the reason in engine.words, when not available (or a caution when it is)."""
    values: dict[str, Any] = {}

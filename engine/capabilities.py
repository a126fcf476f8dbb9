"""Which device x precision x quantization x backend can exist on a machine: a pure function of its `Facts`."""

from __future__ import annotations

from typing import Any

import msgspec

from engine import devices, switches
from engine.job import Configuration


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
    confinement: tuple[str, ...] = ()
    """What holds a worker that runs foreign code: codes of engine.confinement.PROTECTIONS."""
    confinement_gpu: tuple[str, ...] = ()
    """The same on a GPU, whose driver needs more; empty without one."""
    gpu_layers: str = "all"
    """The strongest of engine.confinement.LAYERS with which the GPU was seen to work."""


class Choice(msgspec.Struct, frozen=True):
    """One value of an axis: possible here, or why not."""

    value: str
    available: bool = True
    code: str = ""
    """Code of the reason in engine.words, when not available (or a caution when it is)."""
    values: dict[str, Any] = {}


DEVICES = ("auto", "cpu")
PRECISIONS = ("fp32", "fp16", "bf16", "amp")
QUANTIZATIONS = ("none", "dynamic-int8")
BACKEND_OF_KIND = {
    "state-dict": "eager", "checkpoint": "eager", "safetensors": "eager", "module": "eager", "torchscript": "torchscript", "onnx": "onnxruntime",
    "exported-program": "eager", "huggingface": "eager",
}
"""Which backend runs a kind of file; kinds that are not here are recognised but not run."""

_NATIVE = {"fp16": ("avx512_fp16", "amx_fp16", "fphp"), "bf16": ("avx512_bf16", "amx_bf16", "bf16")}


def default_threads(facts: Facts | None) -> int:
    """Physical cores less one for the window, at least one."""
    return max(1, (facts.cores if facts else 1) - 1)


def resolve_device(device: str, facts: Facts | None) -> str:
    """`auto` is the first GPU that torch can use, else the CPU; `cuda` is `cuda:0`."""
    if device == "auto":
        return "cuda:0" if facts and facts.gpus else "cpu"
    return devices.join("cuda:0" if member == "cuda" else member for member in devices.members(device))


def resolve_precision(precision: str, device: str) -> str:
    """`amp` is fp16 autocast on CUDA and bf16 autocast elsewhere."""
    if precision != "amp":
        return precision
    return "amp-fp16" if device.startswith("cuda") else "amp-bf16"


def default_backend(kind: str) -> str:
    """The backend that runs this kind of file."""
    return BACKEND_OF_KIND.get(kind, "eager")


def device_choices(facts: Facts | None) -> tuple[Choice, ...]:
    """`auto`, the CPU and every CUDA device, or why there is none."""
    choices = [Choice("auto"), Choice("cpu")]
    if facts is None:
        return (*choices, Choice("cuda:0", False, "checking-machine"))
    if facts.gpus:
        return (*choices, *(Choice(f"cuda:{gpu.index}", True, "gpu-name", {"name": gpu.name}) for gpu in facts.gpus))
    return (*choices, Choice("cuda:0", False, *_why_no_cuda(facts)))


def replica_choices(facts: Facts | None) -> tuple[Choice, ...]:
    """A replica on each GPU, all at once; nothing with fewer than two."""
    gpus = facts.gpus if facts is not None else ()
    if len(gpus) < 2:
        return ()
    return (Choice(devices.join(f"cuda:{gpu.index}" for gpu in gpus), True, "replicas-all", {"count": len(gpus)}),)


def _why_no_cuda(facts: Facts) -> tuple[str, dict[str, Any]]:
    if facts.cuda_build is None and facts.driver_gpus:
        return "gpu-but-cpu-torch", {"gpu": facts.driver_gpus[0], "torch": facts.torch}
    if facts.cuda_error:
        return "cuda-error", {"error": facts.cuda_error}
    return "no-gpu", {}


def precision_choices(facts: Facts | None, device: str, kind: str = "state-dict") -> tuple[Choice, ...]:
    """Every precision, possible or not on this device for this kind of file."""
    return tuple(_precision(name, facts, device, kind) for name in PRECISIONS)


def _precision(name: str, facts: Facts | None, device: str, kind: str) -> Choice:
    if name == "fp32":
        return Choice(name)
    if facts is None:
        return Choice(name, False, "checking-machine")
    if kind == "onnx":
        return Choice(name, False, "precision-fixed-in-file")
    base = resolve_precision(name, device).removeprefix("amp-")
    if device.startswith("cuda"):
        gpu = next((gpu for gpu in facts.gpus if f"cuda:{gpu.index}" == device), None)
        if base == "bf16" and gpu is not None and gpu.capability < (8, 0):
            return Choice(name, True, "bf16-emulated", {"gpu": gpu.name})
        return Choice(name)
    if not set(_NATIVE[base]) & set(facts.cpu_flags):
        return Choice(name, True, "precision-not-native", {"precision": base})
    return Choice(name)


def quantization_choices(facts: Facts | None, device: str, kind: str = "state-dict") -> tuple[Choice, ...]:
    """Every quantization, possible or not on this device for this kind of file."""
    return (Choice("none"), _dynamic_int8(facts, device, kind))


def _dynamic_int8(facts: Facts | None, device: str, kind: str) -> Choice:
    name = "dynamic-int8"
    if facts is None:
        return Choice(name, False, "checking-machine")
    if device.startswith("cuda"):
        return Choice(name, False, "int8-no-cuda-kernels")
    if default_backend(kind) != "eager" or kind == "exported-program":
        # An exported program is a graph of operators: it has no layers to be swapped.
        return Choice(name, False, "quantization-needs-module", {"kind": kind})
    if not facts.quantized_engines:
        return Choice(name, False, "quantization-no-engine", {"quantization": "dynamic int8"})
    return Choice(name)


def backend_choices(facts: Facts | None, kind: str) -> tuple[Choice, ...]:
    """The backends that can run this kind of file here."""
    name = default_backend(kind)
    if name == "onnxruntime" and facts is not None and not facts.onnxruntime_providers:
        return (Choice(name, False, "backend-missing", {"backend": "ONNX Runtime", "package": "onnxruntime"}),)
    return (Choice(name),)


def check(facts: Facts | None, kind: str, configuration: Configuration) -> Choice:
    """Whether this one configuration can exist here; `value` is what stands in the way (an axis' value) when it cannot."""
    if devices.is_joint(configuration.device):
        return _check_replicas(facts, kind, configuration)
    device, precision = configuration.device, configuration.precision.split("-")[0] if configuration.precision.startswith("amp") else configuration.precision
    if kind not in BACKEND_OF_KIND:
        return Choice(kind, False, "kind-not-run-here", {"kind": kind})
    by_axis = (
        (device, device_choices(facts)),
        (precision, precision_choices(facts, device, kind)),
        (configuration.quantization, quantization_choices(facts, device, kind)),
        (configuration.backend, backend_choices(facts, kind)),
    )
    for value, choices in by_axis:
        choice = next((choice for choice in choices if choice.value == value), None)
        if choice is None:
            return Choice(value, False, "not-known-here", {"value": value, "known": ", ".join(each.value for each in choices if each.available)})
        if not choice.available:
            return choice
    if configuration.quantization != "none" and configuration.precision != "fp32":
        return Choice(configuration.quantization, False, "int8-needs-fp32", {"precision": configuration.precision})
    if device.startswith("cuda") and configuration.backend == "onnxruntime" and facts and "CUDAExecutionProvider" not in facts.onnxruntime_providers:
        return Choice(configuration.backend, False, "provider-missing", {"provider": "CUDAExecutionProvider"})
    if (found := switches.obstacle(kind, configuration)) is not None:
        value, code, values = found
        return Choice(value, False, code, values)
    return Choice(configuration.device)


def _check_replicas(facts: Facts | None, kind: str, configuration: Configuration) -> Choice:
    """Whether one replica on each of its devices can exist: each device by itself, and all of them together."""
    device = configuration.device
    if (again := devices.twice(device)) is not None:
        return Choice(device, False, "replicas-twice", {"device": again})
    if devices.is_mixed(device):
        return Choice(device, False, "replicas-mixed", {"device": device})
    if "batch" in configuration.options:
        return Choice(device, False, "replicas-batch-max", {"device": device})
    each = [check(facts, kind, devices.alone(configuration, member)) for member in dict.fromkeys(devices.members(device))]
    return next((choice for choice in each if not choice.available), Choice(device))

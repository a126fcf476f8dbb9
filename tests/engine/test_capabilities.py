"""What can exist on a machine, from its facts alone."""

from __future__ import annotations

import itertools

import pytest

from engine.capabilities import (
    BACKEND_OF_KIND,
    PRECISIONS,
    QUANTIZATIONS,
    Choice,
    Facts,
    Gpu,
    backend_choices,
    check,
    default_threads,
    device_choices,
    precision_choices,
    quantization_choices,
    resolve_device,
    resolve_precision,
)
from engine.job import Configuration
from engine.words import LANGUAGES, say

CPU = Facts(torch="2.13.0+cpu", cores=4, quantized_engines=("x86", "fbgemm"), cpu_flags=("avx2",), onnxruntime_providers=("CPUExecutionProvider",))
NEW_CPU = Facts(torch="2.13.0+cpu", cores=8, quantized_engines=("x86",), cpu_flags=("avx2", "avx512_bf16", "amx_fp16"), onnxruntime_providers=("CPUExecutionProvider",))
BARE = Facts(torch="2.13.0+cpu")
GPU = Facts(
    torch="2.13.0", cuda_build="12.6", cores=8, quantized_engines=("x86",), gpus=(Gpu(0, "H100", 80 * 2**30, (9, 0)), Gpu(1, "T4", 16 * 2**30, (7, 5))),
    onnxruntime_providers=("CUDAExecutionProvider", "CPUExecutionProvider"), driver_gpus=("H100", "T4"),
)
CPU_TORCH_ON_GPU = Facts(torch="2.13.0+cpu", driver_gpus=("NVIDIA H100",))
BROKEN_CUDA = Facts(torch="2.13.0", cuda_build="12.6", cuda_error="RuntimeError: driver too old")
MACHINES = [None, CPU, NEW_CPU, BARE, GPU, CPU_TORCH_ON_GPU, BROKEN_CUDA]


def by_value(choices):
    return {choice.value: choice for choice in choices}


def test_until_the_facts_arrive_only_cpu_and_fp32_are_there():
    assert {choice.value for choice in device_choices(None) if choice.available} == {"auto", "cpu"}
    assert {choice.value for choice in precision_choices(None, "cpu") if choice.available} == {"fp32"}
    assert {choice.value for choice in quantization_choices(None, "cpu") if choice.available} == {"none"}
    waiting = [choice for choice in (*device_choices(None), *precision_choices(None, "cpu"), *quantization_choices(None, "cpu")) if not choice.available]
    assert {choice.code for choice in waiting} == {"checking-machine"}


@pytest.mark.parametrize(
    ("facts", "code", "words"),
    [(CPU, "no-gpu", "no NVIDIA GPU"), (CPU_TORCH_ON_GPU, "gpu-but-cpu-torch", "GPU found (NVIDIA H100), but this torch (2.13.0+cpu) is CPU-only"), (BROKEN_CUDA, "cuda-error", "driver too old")],
)
def test_no_cuda_has_its_reason(facts, code, words):
    choice = by_value(device_choices(facts))["cuda:0"]
    assert (choice.available, choice.code) == (False, code)
    assert words in say(choice.code, choice.values)


def test_each_gpu_is_a_device():
    assert [choice.value for choice in device_choices(GPU) if choice.available] == ["auto", "cpu", "cuda:0", "cuda:1"]
    assert (resolve_device("auto", GPU), resolve_device("cuda", GPU), resolve_device("cuda:1", GPU), resolve_device("auto", CPU), resolve_device("auto", None)) == (
        "cuda:0", "cuda:0", "cuda:1", "cpu", "cpu")
    assert (resolve_precision("amp", "cuda:1"), resolve_precision("amp", "cpu"), resolve_precision("bf16", "cpu")) == ("amp-fp16", "amp-bf16", "bf16")


def test_a_slow_precision_is_possible_with_a_caution():
    cautions = {(facts.cpu_flags, value): choice.code for facts in (CPU, NEW_CPU) for value, choice in by_value(precision_choices(facts, "cpu")).items() if choice.available}
    assert [cautions[CPU.cpu_flags, name] for name in PRECISIONS] == ["", "precision-not-native", "precision-not-native", "precision-not-native"]
    assert [cautions[NEW_CPU.cpu_flags, name] for name in PRECISIONS] == ["", "", "", ""]
    assert by_value(precision_choices(GPU, "cuda:1"))["bf16"].code == "bf16-emulated"
    assert by_value(precision_choices(GPU, "cuda:0"))["bf16"].code == ""


def test_dynamic_int8_is_for_modules_on_the_cpu():
    assert by_value(quantization_choices(CPU, "cpu"))["dynamic-int8"].available
    assert by_value(quantization_choices(GPU, "cuda:0"))["dynamic-int8"].code == "int8-no-cuda-kernels"
    assert by_value(quantization_choices(CPU, "cpu", "torchscript"))["dynamic-int8"].code == "quantization-needs-module"
    assert by_value(quantization_choices(CPU, "cpu", "onnx"))["dynamic-int8"].code == "quantization-needs-module"
    assert by_value(quantization_choices(BARE, "cpu"))["dynamic-int8"].code == "quantization-no-engine"


def test_onnx_needs_its_runtime_and_keeps_its_precision():
    assert backend_choices(CPU, "onnx") == (Choice("onnxruntime"),)
    assert backend_choices(BARE, "onnx")[0].code == "backend-missing"
    assert [choice.available for choice in precision_choices(CPU, "cpu", "onnx")] == [True, False, False, False]


@pytest.mark.parametrize(
    ("facts", "kind", "fields", "code"),
    [
        (CPU, "state-dict", {}, None), (CPU, "state-dict", {"precision": "amp-bf16"}, None), (GPU, "onnx", {"device": "cuda:0", "backend": "onnxruntime"}, None),
        (CPU, "state-dict", {"device": "cuda:0"}, "no-gpu"), (GPU, "state-dict", {"device": "cuda:2"}, "not-known-here"), (CPU, "state-dict", {"device": "mps"}, "not-known-here"),
        (CPU, "state-dict", {"quantization": "dynamic-int8", "precision": "bf16"}, "int8-needs-fp32"), (CPU, "onnx", {"backend": "eager"}, "not-known-here"),
        (CPU, "executorch", {}, "kind-not-run-here"), (CPU, "onnx", {"backend": "onnxruntime", "precision": "fp16"}, "precision-fixed-in-file"),
        (None, "state-dict", {"precision": "bf16"}, "checking-machine"),
    ],
)
def test_one_configuration(facts, kind, fields, code):
    choice = check(facts, kind, Configuration(**fields))
    assert (choice.available, choice.code if not choice.available else None) == (code is None, code)


def test_onnx_on_a_gpu_needs_the_provider():
    facts = Facts(torch="2", cuda_build="12", gpus=GPU.gpus, onnxruntime_providers=("CPUExecutionProvider",))
    assert check(facts, "onnx", Configuration(device="cuda:0", backend="onnxruntime")).code == "provider-missing"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_anywhere_can_be_said(language):
    """Over all machines, kinds, devices, precisions and quantizations."""
    seen = set()
    for facts, kind, device in itertools.product(MACHINES, [*BACKEND_OF_KIND, "executorch"], ["auto", "cpu", "cuda:0", "cuda:1", "cuda:9", "mps"]):
        choices = [*device_choices(facts), *precision_choices(facts, device, kind), *quantization_choices(facts, device, kind), *backend_choices(facts, kind)]
        backend = BACKEND_OF_KIND.get(kind, "eager")
        for precision, quantization in itertools.product(("fp32", "amp-fp16", "amp-bf16", "bf16", "fp64"), (*QUANTIZATIONS, "int3")):
            choices.append(check(facts, kind, Configuration(device=device, precision=precision, quantization=quantization, backend=backend)))
        for choice in choices:
            assert choice.available or choice.code
            if choice.code:
                assert say(choice.code, choice.values, language)
                seen.add(choice.code)
    assert len(seen) >= 12


def test_a_core_is_left_for_the_window():
    assert [default_threads(Facts(torch="", cores=cores)) for cores in (1, 2, 8)] == [1, 1, 7]
    assert default_threads(None) == 1

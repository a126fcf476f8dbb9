"""Chosen axes become cells: in order, each once, with the reason where one cannot exist."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.capabilities import Gpu
from gui.models.matrix import Axes, cells, device_chips, precision_chips, quantization_chips
from tests.support.fake_engine import FACTS

GPU_FACTS = msgspec.structs.replace(FACTS, cuda_build="12.8", gpus=(Gpu(0, "H100", 80 << 30, (9, 0)),))


def keys(axes, kind="state-dict", facts=FACTS):
    return [cell.configuration.key()[:6] for cell in cells(axes, kind, facts)]


def test_axes_multiply_in_their_order():
    """Two precisions and two batches make four rows, batch fastest."""
    found = cells(Axes(precisions=("fp32", "bf16"), batches=(1, 8)), "state-dict", FACTS)
    assert [(cell.configuration.precision, cell.configuration.batch_size) for cell in found] == [("fp32", 1), ("fp32", 8), ("bf16", 1), ("bf16", 8)]


def test_auto_and_the_device_itself_are_one_cell():
    """`auto` never reaches a configuration, and what is the same is measured once."""
    assert [key[0] for key in keys(Axes(devices=("auto", "cpu")))] == ["cpu"]
    assert [key[0] for key in keys(Axes(devices=("auto", "cpu")), facts=GPU_FACTS)] == ["cuda:0", "cpu"]


def test_amp_is_resolved_by_device():
    """fp16 on CUDA, bf16 elsewhere."""
    found = keys(Axes(devices=("cpu", "cuda:0"), precisions=("amp",)), facts=GPU_FACTS)
    assert [key[1] for key in found] == ["amp-bf16", "amp-fp16"]


def test_the_kind_of_file_chooses_the_backend():
    """An ONNX file runs in ONNX Runtime without anybody saying so."""
    with_ort = msgspec.structs.replace(FACTS, onnxruntime_providers=("CPUExecutionProvider",))
    assert keys(Axes(), "onnx", with_ort)[0][3] == "onnxruntime"
    assert keys(Axes(), "torchscript")[0][3] == "torchscript"


def test_a_cell_that_cannot_exist_says_why():
    """Dynamic int8 with bf16 is left out with a code of engine.words."""
    found = cells(Axes(precisions=("fp32", "bf16"), quantizations=("dynamic-int8",)), "state-dict", FACTS)
    assert [cell.choice.available for cell in found] == [True, False]
    assert found[1].choice.code == "int8-needs-fp32"


def test_before_the_machine_is_known_only_cpu_and_fp32_are_open():
    """Everything else says that the machine is being checked."""
    closed = [choice for choice in (*device_chips(None), *precision_chips(Axes(), "state-dict", None)) if not choice.available]
    assert {choice.value for choice in closed} == {"cuda:0", "fp16", "bf16", "amp"}
    assert {choice.code for choice in closed} == {"checking-machine"}


def test_a_chip_is_open_when_one_of_the_chosen_devices_can():
    """With the CPU beside a GPU, dynamic int8 can be chosen; with the GPU alone it cannot."""
    both = {choice.value: choice.available for choice in quantization_chips(Axes(devices=("cpu", "cuda:0")), "state-dict", GPU_FACTS)}
    alone = {choice.value: choice.available for choice in quantization_chips(Axes(devices=("cuda:0",)), "state-dict", GPU_FACTS)}
    assert both["dynamic-int8"] and not alone["dynamic-int8"]


@given(
    devices=st.lists(st.sampled_from(["auto", "cpu", "cuda:0"]), min_size=1), precisions=st.lists(st.sampled_from(["fp32", "fp16", "bf16", "amp"]), min_size=1),
    batches=st.lists(st.integers(1, 64), min_size=1, max_size=5),
)
def test_no_configuration_comes_twice(devices, precisions, batches):
    """Whatever is chosen, cells are distinct and hold no unresolved name."""
    found = keys(Axes(devices=tuple(devices), precisions=tuple(precisions), batches=tuple(batches)), facts=GPU_FACTS)
    assert len(set(found)) == len(found)
    assert not {"auto", "amp"} & {part for key in found for part in key}

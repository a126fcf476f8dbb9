"""One network as ONNX, TorchScript, exported program and bare weights: the same answers, the same count of parameters."""

from __future__ import annotations

import warnings

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper

from engine.files import inspect_file
from engine.inputs import parse_input
from engine.job import Configuration, ModelSource
from engine.messages import Load
from engine.worker.session import Session
from tests.support import nets
from tests.support.jobs import NETS


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(5)
    return nets.SmallConv().eval()


@pytest.fixture(scope="module")
def files(network, tmp_path_factory):
    """The network in each kind of file."""
    folder = tmp_path_factory.mktemp("same")
    example = torch.zeros(2, 3, 12, 12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")     # TorchScript is deprecated, and still what people have
        torch.jit.script(network).save(folder / "torchscript")
        torch.export.save(torch.export.export(network, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},)), folder / "exported-program")
    torch.save(network.state_dict(), folder / "state-dict")
    onnx.save(as_onnx(network), folder / "onnx")
    return folder


def as_onnx(network):
    """The same operators by hand: torch's own exporter takes a package that is not needed otherwise."""
    weights = [numpy_helper.from_array(tensor.detach().numpy(), name) for name, tensor in network.state_dict().items()]
    nodes = [
        helper.make_node("Conv", ["x", "first.weight", "first.bias"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]), helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "second.weight", "second.bias"], ["c"]), helper.make_node("GlobalAveragePool", ["c"], ["d"]),
        helper.make_node("Flatten", ["d"], ["e"]), helper.make_node("Gemm", ["e", "head.weight", "head.bias"], ["y"], transB=1),
    ]
    sizes = ["batch", 3, 12, 12]
    graph = helper.make_graph(
        nodes, "net", [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, sizes)], [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 5])], weights
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


BACKENDS = {"state-dict": "eager", "torchscript": "torchscript", "exported-program": "eager", "onnx": "onnxruntime"}


def run(files, kind, batch):
    """What the worker answers for the file, and its counts."""
    session = Session()
    architecture = f"{NETS}:SmallConv" if kind == "state-dict" else None
    configuration = Configuration(backend=BACKENDS[kind], batch_size=batch)
    session.load(Load(ModelSource(str(files / kind), kind, architecture), configuration, (parse_input("f32[B,3,12,12]"),), 11))
    counts = session.sizes()
    prepared = session.prepare()
    with torch.inference_mode():
        answer = prepared.call()
    return np.asarray(answer[0] if isinstance(answer, list) else answer), counts


@pytest.mark.parametrize("batch", [1, 3])
def test_every_kind_of_file_answers_the_same(files, network, batch):
    wanted, _ = run(files, "state-dict", batch)
    assert wanted.shape == (batch, 5)
    for kind in ("torchscript", "exported-program", "onnx"):
        found, _ = run(files, kind, batch)
        assert np.abs(found - wanted).max() <= 1e-5, kind


def test_every_kind_of_file_has_the_same_parameters(files, network):
    wanted = sum(tensor.numel() for tensor in network.parameters())
    assert {kind: run(files, kind, 1)[1][0] for kind in BACKENDS} == dict.fromkeys(BACKENDS, wanted)


def test_inspection_counts_the_same(files, network):
    wanted = sum(tensor.numel() for tensor in network.parameters())
    for kind in BACKENDS:
        info = inspect_file(str(files / kind)).info
        assert info.kind == kind
        assert wanted == (info.values if info.parameters is None else info.parameters)

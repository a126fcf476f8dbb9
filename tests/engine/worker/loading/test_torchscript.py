"""TorchScript opens under any name, and the lite interpreter's archives where torch opens them."""

from __future__ import annotations

import warnings

import pytest
import torch

from engine.files import inspect_file
from engine.job import ModelSource
from engine.worker.errors import WorkerError
from engine.worker.loading import load, load_timed, torchscript
from tests.support import nets

CPU = torch.device("cpu")


@pytest.fixture
def scripted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(nets.SmallConv().eval())


@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.jit", "net.bin", "net"])
def test_under_any_name(tmp_path, scripted, name):
    scripted.save(tmp_path / name)
    loaded, times = load_timed(ModelSource(str(tmp_path / name), inspect_file(str(tmp_path / name)).info.kind), CPU)
    assert loaded.module(torch.zeros(2, 3, 12, 12)).shape == (2, 5)
    assert loaded.architecture == "SmallConv"
    assert (times.reading_ns > 0, times.moving_ns) == (True, None)


def test_the_lite_interpreters_archive(tmp_path, scripted):
    path = tmp_path / "net.ptl"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted._save_for_lite_interpreter(str(path))
    assert inspect_file(str(path)).info.kind == "torchscript"
    assert load(ModelSource(str(path), "torchscript"), CPU).module(torch.zeros(1, 3, 12, 12)).shape == (1, 5)


def test_a_real_one(models_folder):
    module = load(ModelSource(str(models_folder / "silero_vad.jit"), "torchscript"), CPU).module
    assert sum(tensor.numel() for tensor in module.parameters()) == 462_594


def test_a_damaged_one_is_refused_in_words(tmp_path, scripted):
    path = tmp_path / "net.pt"
    scripted.save(path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(WorkerError) as met:
        load(ModelSource(str(path), "torchscript"), CPU)
    assert (met.value.say, met.value.values["file"]) == ("torchscript-refused", "net.pt")


def test_an_operator_of_a_package_that_is_absent_is_named(tmp_path, scripted, monkeypatch):
    def refuse(path, device):
        raise RuntimeError("\nUnknown builtin op: someones_ops::nms.\nCould not find any similar ops")

    monkeypatch.setattr(torchscript, "_load", refuse)
    with pytest.raises(WorkerError) as met:
        load(ModelSource(str(tmp_path / "net.pt"), "torchscript"), CPU)
    assert (met.value.say, met.value.values["operator"], met.value.values["package"]) == ("torchscript-operator", "someones_ops::nms", "someones_ops")

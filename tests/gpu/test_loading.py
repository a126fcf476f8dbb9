"""Every kind of file comes to the GPU and answers there as on the CPU: run by hand with `python3 -m tests tests/gpu -m gpu`."""

from __future__ import annotations

import warnings

import pytest
import torch

from engine.job import ModelSource
from engine.worker.loading import load, load_timed
from tests.support import nets
from tests.support.jobs import NETS

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
CPU, GPU = torch.device("cpu"), torch.device("cuda:0")


class Made(nets.SmallConv):
    """Makes a tensor in its forward, so that a device stands in the exported graph."""

    def forward(self, x):
        return super().forward(x) + torch.ones(5, device=x.device)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    torch.manual_seed(0)
    folder, network, made = tmp_path_factory.mktemp("kinds"), nets.SmallConv().eval(), Made().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(network).save(folder / "torchscript")
        torch.export.save(torch.export.export(made, (torch.zeros(2, 3, 12, 12),), dynamic_shapes=({0: torch.export.Dim("batch")},)), folder / "exported-program")
        on_gpu = Made().to(GPU).eval()
        torch.export.save(torch.export.export(on_gpu, (torch.zeros(2, 3, 12, 12, device=GPU),)), folder / "exported-on-gpu.pt2")
    torch.save(network.state_dict(), folder / "state-dict")
    torch.save({name: tensor.to(GPU) for name, tensor in network.state_dict().items()}, folder / "checkpoint")
    torch.save(network, folder / "module")
    return folder


def source(files, kind):
    return ModelSource(str(files / kind), kind, f"{NETS}:SmallConv" if kind in ("state-dict", "checkpoint") else None, trusted=kind == "module")


@pytest.mark.parametrize("kind", ["state-dict", "checkpoint", "module", "torchscript", "exported-program"])
def test_a_kind_on_the_gpu(files, kind):
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    here, (there, times) = load(source(files, kind), CPU), load_timed(source(files, kind), GPU)
    x = torch.randn(2, 3, 12, 12)
    with torch.inference_mode():
        assert torch.allclose(here.module(x), there.module(x.to(GPU)).cpu(), atol=1e-5)
    assert {tensor.device.type for tensor in there.module.parameters()} == {"cuda"}
    assert times.reading_ns > 0
    assert (times.moving_ns is None) == (kind == "torchscript")
    if times.moving_ns is not None:
        assert 0 < times.reading_ns + times.moving_ns <= times.load_ns


def test_a_program_exported_on_a_gpu_runs_on_the_cpu_too(files):
    loaded = load(ModelSource(str(files / "exported-on-gpu.pt2"), "exported-program"), CPU)
    with torch.inference_mode():
        assert loaded.module(torch.zeros(2, 3, 12, 12)).shape == (2, 5)

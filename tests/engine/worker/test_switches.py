"""Switches in the worker: what they do to the module, to gradients, and to the answers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import torch
from torch import nn

from engine.job import Configuration
from engine.memory_parts import DeviceMemory, MemoryParts
from engine.result import Memory, Outputs
from engine.worker import memory, switches
from engine.worker.backends import eager
from engine.worker.errors import WorkerError
from engine.worker.loading import LoadedModel
from engine.worker.session import Session

CPU = torch.device("cpu")


class Normed(nn.Module):
    """A convolution with batch norm and dropout: what train mode is about."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.drop(self.norm(self.conv(x)))


def prepared(options, module=None, batch=4, compare=False, quantization="none"):
    torch.manual_seed(1)
    made = module or Normed()
    given = ([torch.randn(batch, 3, 9, 9)], {})
    with switches.context(options):
        return eager.prepare(LoadedModel(made, Path("m.pth"), "state-dict"), Configuration(batch_size=batch, options=options, quantization=quantization), given, CPU, 3, compare)


def test_the_default_is_eval_and_inference_mode():
    made = prepared({})
    with switches.context({}):
        assert torch.is_inference_mode_enabled()
        assert made.call().is_inference()
    assert not made.module.training
    assert made.check is None


@pytest.mark.parametrize(("options", "grad"), [({"grad": "no_grad"}, False), ({"grad": "kept"}, True)])
def test_gradients_are_off_or_kept(options, grad):
    made = prepared(options)
    with switches.context(options):
        assert not torch.is_inference_mode_enabled()
        assert made.call().requires_grad is grad


def test_kept_outputs_live_until_the_next_call():
    made = prepared({"grad": "kept"})
    with switches.context({"grad": "kept"}):
        first = made.call().grad_fn
        assert first is not None
        assert made.call().grad_fn is not first


class Deep(nn.Module):
    """Layers that each keep their input where a backward may come."""

    def __init__(self, depth: int = 6, width: int = 64) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return x


class Graphs:
    """Counts bytes that graphs hold, and the most that they held at once, on any device: what autograd saves is kept in one place."""

    def __init__(self) -> None:
        self.held = self.peak = 0

    def pack(self, tensor: torch.Tensor) -> _Saved:
        return _Saved(self, tensor)

    def watched(self):
        return torch.autograd.graph.saved_tensors_hooks(self.pack, lambda saved: saved.tensor)


class _Saved:
    def __init__(self, graphs: Graphs, tensor: torch.Tensor) -> None:
        self.graphs, self.tensor = graphs, tensor.detach()      # with its graph it would hold itself
        graphs.held += tensor.nbytes
        graphs.peak = max(graphs.peak, graphs.held)

    def __del__(self) -> None:
        self.graphs.held -= self.tensor.nbytes


def deep(options):
    torch.manual_seed(1)
    return eager.prepare(LoadedModel(Deep(), Path("m.pth"), "state-dict"), Configuration(batch_size=32, options=options), ([torch.randn(32, 64)], {}), CPU, 3)


def test_one_graph_is_kept_and_never_two():
    """What a call keeps is there between two calls, and is gone before the next one makes another."""
    graphs, made = Graphs(), deep({"grad": "kept"})
    with switches.context({"grad": "kept"}), graphs.watched():
        made.call()
        one = graphs.held
        assert one >= 6 * 32 * 64 * 4, "an output of each tanh"
        for _ in range(3):
            made.call()
            assert (graphs.held, graphs.peak) == (one, one)
        made.rest()
        assert graphs.held == 0


@pytest.mark.parametrize("options", [{}, {"grad": "no_grad"}, {"grad": "backward"}])
def test_without_the_switch_nothing_is_kept(options):
    graphs, made = Graphs(), deep(options)
    with switches.context(options), graphs.watched():
        result = made.call()
        del result
        assert graphs.held == 0
        made.rest()


def allocated(monkeypatch, options):
    """Weights, inputs, what the allocator holds between calls and its peak, as a worker on a GPU would tell them: graphs are counted by `Graphs`."""
    graphs, made = Graphs(), deep(options)
    fixed = memory.storage_bytes([*made.module.parameters(), made.inputs[0][0]])
    monkeypatch.setattr(memory, "current", lambda device: (fixed + graphs.held, 1 << 30))
    monkeypatch.setattr(memory, "reset_peaks", lambda device: setattr(graphs, "peak", graphs.held))
    session = Session()
    session._device, session._prepared = torch.device("meta"), made
    with switches.context(options), graphs.watched():
        made.call()
        reset = session.reset_peaks()
        for _ in range(2):
            made.call()
    parts = MemoryParts()
    parts.context_bytes = 0
    parts.settled(reset.allocated_bytes, reset.inputs_bytes)
    parts.before_context(DeviceMemory(0, 0, 0))
    parts.after_visit(DeviceMemory(1 << 30, 1 << 30, 0), 1 << 30)
    return parts.of(Memory(weights_bytes=made.weights_bytes, allocated_peak_bytes=fixed + graphs.peak))


def test_a_kept_graph_is_activations_and_no_workspace(monkeypatch):
    """The teaching table reads activations: as workspace, a kept graph looked like less than nothing."""
    kept, plain = allocated(monkeypatch, {"grad": "kept"}), allocated(monkeypatch, {})
    assert kept.workspace_bytes == plain.workspace_bytes == 0
    assert kept.activations_bytes - plain.activations_bytes >= 6 * 32 * 64 * 4


def test_backward_goes_through_every_parameter_and_drops_gradients():
    seen = []
    module = Normed()
    for parameter in module.parameters():
        parameter.register_hook(lambda grad: seen.append(tuple(grad.shape)))
    made = prepared({"grad": "backward"}, module)
    with switches.context({"grad": "backward"}):
        made.call()
    assert len(seen) == len(list(module.parameters()))
    assert all(parameter.grad is None for parameter in module.parameters())
    assert ("backward-included", {}) in made.notes


def test_nothing_to_go_backward_through_has_its_sentence():
    module = Normed().requires_grad_(False)
    made = prepared({"grad": "backward"}, module)
    with switches.context({"grad": "backward"}), pytest.raises(WorkerError) as caught:
        made.call()
    assert caught.value.say == "no-gradients"


def test_channels_last_moves_weights_and_pictures_and_changes_no_answer():
    made = prepared({"memory_format": "channels_last"})
    assert made.module.conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert made.inputs[0][0].is_contiguous(memory_format=torch.channels_last)
    effect = made.check.run()
    assert effect.max_abs_difference < 1e-5
    assert (effect.repeat_max_abs_difference, effect.state_changed) == (0.0, False)


def test_train_mode_rewrites_statistics_and_two_equal_calls_differ():
    made = prepared({"mode": "train"})
    assert made.module.training
    effect = made.check.run()
    assert effect.max_abs_difference > 0.1
    assert effect.repeat_max_abs_difference > 0.1, "dropout draws anew"
    assert effect.state_changed


def test_train_mode_without_dropout_is_steady_but_rewrites():
    made = prepared({"mode": "train"}, nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)))
    effect = made.check.run()
    assert effect.repeat_max_abs_difference == 0.0
    assert effect.state_changed


def test_the_reference_is_of_the_module_as_it_was_before_the_first_call():
    """A call in train mode rewrites what the plain answer rests on: it is put back."""
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
    made = prepared({"mode": "train"}, module)
    for _ in range(5):
        made.call()
    expected = prepared({"mode": "train"}, nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)))
    expected.module.load_state_dict({**module.state_dict(), **{name: value for name, value in expected.module.state_dict().items() if "running" in name or "tracked" in name}})
    assert made.check.run().max_abs_difference == pytest.approx(expected.check.run().max_abs_difference, rel=1e-4)


def test_a_plain_row_is_compared_where_the_job_asks():
    effect = prepared({}, compare=True).check.run()
    assert (effect.max_abs_difference, effect.repeat_max_abs_difference, effect.state_changed) == (0.0, 0.0, False)


def test_a_batch_of_one_in_train_mode_names_the_layer():
    module = nn.Sequential(nn.Flatten(), nn.Linear(243, 4), nn.BatchNorm1d(4))
    made = prepared({"mode": "train"}, module, batch=1)
    with switches.context({"mode": "train"}), pytest.raises(ValueError, match="more than 1 value") as caught:
        made.call()
    explained = switches.explained(caught.value, module)
    assert (explained.say, explained.values["layer"]) == ("train-batch-one", "2 (BatchNorm1d)")
    assert switches.explained(ValueError("other"), module) is None


class Overflowing(nn.Module):
    """Numbers in eval mode, infinities in train mode from the second call on."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += self.training
        return x * self.weight * (float("inf") if self.training and self.calls > 1 else 1.0)


class Dropping(Overflowing):
    """Gives one row less in train mode."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[1:] if self.training else x


def saved(effect):
    """As it comes back from a run's file."""
    return msgspec.json.decode(msgspec.json.encode(effect), type=Outputs)


def test_an_infinite_difference_outlives_a_file_and_is_no_difference_of_shapes():
    """JSON has no infinity: it would come back as null, which says that shapes differ."""
    made = prepared({"mode": "train"}, Overflowing())
    effect = saved(made.check.run())
    assert (effect.max_abs_difference, effect.non_finite_differs, effect.repeat_max_abs_difference, effect.repeat_non_finite_differs) == (0.0, False, None, True)
    again = saved(made.check.run())
    assert (again.max_abs_difference, again.non_finite_differs, again.repeat_max_abs_difference, again.repeat_non_finite_differs) == (None, True, 0.0, False)
    shapes = saved(prepared({"mode": "train"}, Dropping()).check.run())
    assert (shapes.max_abs_difference, shapes.non_finite_differs) == (None, False)


def test_differences_of_shapes_infinities_and_nans():
    one = torch.tensor([1.0, float("inf"), float("nan")])
    assert switches.largest_difference([one], [one.clone()]) == 0.0
    assert switches.largest_difference([one], [torch.tensor([1.5, float("inf"), float("nan")])]) == 0.5
    assert switches.largest_difference([one], [torch.tensor([1.0, 2.0, 3.0])]) == float("inf")
    assert switches.largest_difference([one[1:2]], [torch.tensor([2.0])]) == float("inf"), "no largest number in its place"
    assert switches.largest_difference([one], [one[:2]]) is None
    assert switches.largest_difference([torch.empty(0)], [torch.empty(0)]) == 0.0
    assert switches.largest_difference([torch.tensor([3])], [torch.tensor([5])]) == 2.0

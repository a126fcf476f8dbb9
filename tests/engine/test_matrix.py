"""From lists of settings to configurations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.capabilities import Facts, Gpu
from engine.job import InputSpec
from engine.matrix import BACKENDS, SettingError, configurations, parse_batches, parse_list, parse_threads, precisions_known, settle_batches
from engine.words import say

CPU = Facts(torch="2.13.0+cpu", cores=4)
GPU = Facts(torch="2.13.0", cores=8, gpus=(Gpu(0, "H100", 80 * 2**30, (9, 0)), Gpu(1, "H100", 80 * 2**30, (9, 0))))


@pytest.mark.parametrize(
    ("text", "sizes"),
    [("1", (1,)), ("1,8,32", (1, 8, 32)), ("1:64", (1, 2, 4, 8, 16, 32, 64)), ("3:20", (3, 6, 12)), ("5:5", (5,)), (" 2 , 1:4 ", (2, 1, 4)), ("8,8", (8,)), ("", ())],
)
def test_batches(text, sizes):
    assert parse_batches(text) == sizes


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "maximal", "max:", "max:0%", "8:4", "0:8", "1,,2", "1:", ":4", "1:2:3", "1000000000", "1;2", "٣:"])
def test_batches_that_cannot_be_read(text):
    with pytest.raises(SettingError) as met:
        parse_batches(text)
    assert met.value.summary
    assert "1:64" in met.value.hint


@given(st.text(max_size=20))
def test_any_text_is_batches_or_a_sentence(text):
    try:
        sizes = parse_batches(text)
    except SettingError as error:
        assert error.summary and error.hint
    else:
        assert all(1 <= size <= 999_999_999 for size in sizes)
        assert len(set(sizes)) == len(sizes)


@pytest.mark.parametrize(("text", "counts"), [("1", (1,)), ("1,2,2", (1, 2)), ("4096", (4096,)), ("", ())])
def test_threads(text, counts):
    assert parse_threads(text) == counts


@pytest.mark.parametrize("text", ["0", "-1", "two", "4097", "1,", "²", "٣"])
def test_threads_that_cannot_be_read(text):
    with pytest.raises(SettingError) as met:
        parse_threads(text)
    assert met.value.hint


def test_lists_name_what_is_not_known_and_what_is():
    assert parse_list("fp32, amp,fp32", "precision", precisions_known()) == ("fp32", "amp")
    assert parse_list("cuda:3,auto", "device", ("auto", "cpu", "cuda")) == ("cuda:3", "auto")
    with pytest.raises(SettingError) as met:
        parse_list("fp32,fp8", "precision", precisions_known())
    assert met.value.summary == "There is no precision 'fp8'."
    assert "amp-bf16" in met.value.hint
    with pytest.raises(SettingError):
        parse_list("cuda:1", "backend", BACKENDS)


def test_every_list_multiplies_in_the_order_written():
    made = configurations(CPU, "state-dict", precisions=("bf16", "fp32"), batches=(4, 1), threads=(2,))
    assert [(each.precision, each.batch_size) for each in made] == [("bf16", 4), ("bf16", 1), ("fp32", 4), ("fp32", 1)]
    assert {(each.device, each.backend, each.threads, each.quantization) for each in made} == {("cpu", "eager", 2, "none")}


def test_auto_and_amp_are_resolved_where_they_run():
    def kinds(facts, *devices):
        return [(each.device, each.precision) for each in configurations(facts, "state-dict", devices=devices, precisions=("amp",))]

    assert kinds(GPU, "auto", "cpu", "cuda:1") == [("cuda:0", "amp-fp16"), ("cpu", "amp-bf16"), ("cuda:1", "amp-fp16")]
    assert kinds(CPU, "auto") == [("cpu", "amp-bf16")]
    assert kinds(None, "auto") == [("cpu", "amp-bf16")]


def test_the_same_twice_by_two_names_is_one():
    made = configurations(GPU, "state-dict", devices=("auto", "cuda", "cuda:0"), precisions=("amp", "amp-fp16"), batches=(1, 1))
    assert [(each.device, each.precision) for each in made] == [("cuda:0", "amp-fp16")]


@pytest.mark.parametrize(("kind", "backend"), [("state-dict", "eager"), ("module", "eager"), ("torchscript", "torchscript"), ("onnx", "onnxruntime"), ("executorch", "eager")])
def test_defaults_follow_file_and_machine(kind, backend):
    (one,) = configurations(CPU, kind)
    assert (one.device, one.precision, one.backend, one.batch_size, one.threads) == ("cpu", "fp32", backend, 1, 3)


def test_an_axis_without_a_value_leaves_nothing():
    assert configurations(CPU, "state-dict", batches=()) == ()


FIXED = InputSpec(name="x", shape=(2, 3, 8, 8), source="declared")
GIVEN = InputSpec(shape=(2, 3, 8, 8))
OPEN = InputSpec(shape=("B", 3))
STATE = InputSpec(container="tuple", parts=(InputSpec(shape=(5,)), OPEN))


@pytest.mark.parametrize(
    ("asked", "specs", "declared", "least", "sizes", "code"),
    [
        ((), (OPEN,), (), None, (1,), ""), ((), (), (), None, (1,), ""), ((1, 8), (OPEN,), (), 4, (1, 8), ""), ((), (OPEN,), (), 4, (4,), "batch-least"),
        ((), (FIXED,), (FIXED,), None, (2,), "batch-fixed"), ((1, 8), (FIXED,), (FIXED,), None, (2,), "batch-fixed"), ((1,), (GIVEN,), (FIXED,), None, (2,), "batch-fixed"),
        ((8,), (GIVEN,), (), None, (1,), "batch-unknown"), ((2,), (GIVEN,), (), None, (2,), "batch-fixed"), ((8,), (STATE,), (), None, (8,), ""),
        ((8,), (InputSpec(data_path="/rows.npy"),), (), None, (8,), ""), ((8,), (InputSpec(scalar=16000, dtype="int"),), (), None, (1,), "batch-fixed"),
        ((), (InputSpec(shape=(7,), source="declared"), FIXED), (), None, (2,), "batch-fixed"),
    ],
)
def test_batches_are_those_that_the_inputs_leave_a_choice_of(asked, specs, declared, least, sizes, code):
    settled = settle_batches(asked, specs, declared, least)
    assert (settled.sizes, settled.code) == (sizes, code)
    assert not code or (say(code, settled.values) and say(code, settled.values, "zh"))

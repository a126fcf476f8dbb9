"""From lists of settings to configurations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.capabilities import Facts, Gpu
from engine.matrix import BACKENDS, SettingError, configurations, parse_batches, parse_list, parse_threads, precisions_known

CPU = Facts(torch="2.13.0+cpu", cores=4)
GPU = Facts(torch="2.13.0", cores=8, gpus=(Gpu(0, "H100", 80 * 2**30, (9, 0)), Gpu(1, "H100", 80 * 2**30, (9, 0))))


@pytest.mark.parametrize(
    ("text", "sizes"),
    [("1", (1,)), ("1,8,32", (1, 8, 32)), ("1:64", (1, 2, 4, 8, 16, 32, 64)), ("3:20", (3, 6, 12)), ("5:5", (5,)), (" 2 , 1:4 ", (2, 1, 4)), ("8,8", (8,)), ("", ())],
)
def test_batches(text, sizes):
    assert parse_batches(text) == sizes


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "max", "8:4", "0:8", "1,,2", "1:", ":4", "1:2:3", "1000000000", "1;2", "٣:"])
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

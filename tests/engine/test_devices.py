"""Devices as configurations name them, and what joined ones are refused for, everywhere that they can be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import devices
from engine.capabilities import check, replica_choices, resolve_device, resolve_precision
from engine.job import Configuration
from engine.matrix import SettingError, configurations, parse_list
from engine.words import LANGUAGES, say
from tests.support.replicas import TWO_GPUS

KNOWN = ("auto", "cpu", "cuda")


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("cpu", "cpu"), ("cuda:3", "cuda:3"), ("cpu+cpu", "2 × cpu"), ("cuda:0+cuda:1", "cuda:0+1"), ("cuda:0+cuda:2+cuda:3", "cuda:0+2+3"),
        ("cuda:4+cuda:5+cuda:6+cuda:7", "cuda:4-7"), ("cpu+cuda:0", "cpu+cuda:0"),
    ],
)
def test_short_names(device, name):
    assert devices.short_name(device) == name


def test_every_replica_has_a_name_of_its_own():
    assert devices.member_names("cuda:0+cuda:1") == ("cuda:0", "cuda:1")
    assert devices.member_names("cpu+cpu") == ("cpu #1", "cpu #2")
    assert devices.member_names("cpu") == ("cpu",)


def test_where_it_runs():
    assert devices.on_cpu("cpu") and devices.on_cpu("cpu+cpu") and not devices.on_cpu("cuda:0+cuda:1")
    assert devices.on_cuda("cuda:0+cuda:1") and not devices.on_cuda("cpu+cpu")
    assert [devices.gpu_index(device) for device in ("cpu", "cuda", "cuda:3", "cuda:2+cuda:5", "cpu+cpu")] == [None, 0, 3, 2, None]


@given(st.lists(st.sampled_from(["cpu", "cuda:0", "cuda:1", "cuda:12"]), min_size=1, max_size=8))
def test_whatever_is_joined_comes_apart_again(each):
    device = devices.join(each)
    assert devices.members(device) == tuple(each)
    assert devices.is_joint(device) == (len(each) > 1)
    assert len(set(devices.member_names(device))) == len(each)


# -- as it is typed ----------------------------------------------------------------------------------------------------


def test_plus_joins_replicas_and_comma_separates_rows():
    parsed = parse_list("cuda:0,cuda:0+cuda:1,cpu+cpu+cpu", "device", KNOWN)
    assert parsed == ("cuda:0", "cuda:0+cuda:1", "cpu+cpu+cpu")
    rows = configurations(TWO_GPUS, "state-dict", devices=(*parsed, "cuda+cuda:1"), precisions=("amp",))
    assert [row.device for row in rows] == list(parsed)
    assert [row.precision for row in rows] == ["amp-fp16", "amp-fp16", "amp-bf16"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cuda:0+cuda:0", "replicas-twice"), ("cuda+cuda:0", "replicas-twice"), ("cpu+cuda:0", "replicas-mixed"), ("cuda:0+", "replicas-member"),
        ("+", "replicas-member"), ("auto+cpu", "replicas-member"), ("cuda:0+mps", "replicas-member"), ("cuda:0+cuda:x", "replicas-member"),
    ],
)
def test_what_cannot_be_joined_is_refused_in_words(text, code):
    with pytest.raises(SettingError) as met:
        parse_list(text, "device", KNOWN)
    assert met.value.say == code
    assert met.value.summary and met.value.hint
    assert all(say(code, met.value.values, language) for language in LANGUAGES)


@given(st.text(alphabet="acdptu:+0123456789 ,", max_size=24))
def test_any_text_is_parsed_or_refused(text):
    try:
        parsed = parse_list(text, "device", KNOWN)
    except SettingError as error:
        assert error.summary and error.hint
        return
    for device in parsed:
        assert check(TWO_GPUS, "state-dict", Configuration(device=resolve_device(device, TWO_GPUS))) is not None


# -- what can exist ----------------------------------------------------------------------------------------------------


def test_each_device_must_be_there():
    assert check(TWO_GPUS, "state-dict", Configuration(device="cuda:0+cuda:1")).available
    assert check(TWO_GPUS, "state-dict", Configuration(device="cpu+cpu")).available
    missing = check(TWO_GPUS, "state-dict", Configuration(device="cuda:0+cuda:5"))
    assert (missing.available, missing.value, missing.code) == (False, "cuda:5", "not-known-here")


@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        (Configuration(device="cuda:1+cuda:1"), "replicas-twice"), (Configuration(device="cpu+cuda:1"), "replicas-mixed"),
        (Configuration(device="cuda:0+cuda:1", options={"batch": "max"}), "replicas-batch-max"), (Configuration(device="cuda:0+cuda:1", quantization="dynamic-int8"), "int8-no-cuda-kernels"),
    ],
)
def test_what_cannot_exist_says_why(configuration, code):
    choice = check(TWO_GPUS, "state-dict", configuration)
    assert (choice.available, choice.code) == (False, code)
    assert all(say(code, choice.values, language) for language in LANGUAGES)


def test_all_gpus_at_once_are_offered_where_there_are_several():
    (choice,) = replica_choices(TWO_GPUS)
    assert (choice.value, choice.available, choice.values) == ("cuda:0+cuda:1", True, {"count": 2})
    one = type(TWO_GPUS)(torch="2.13.0", gpus=TWO_GPUS.gpus[:1])
    assert replica_choices(one) == replica_choices(None) == ()
    assert resolve_precision("amp", choice.value) == "amp-fp16"

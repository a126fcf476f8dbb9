"""Inputs that an exported program declares, in the form of the call that was traced."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.files.exported import DTYPE_CODES
from engine.files.program_inputs import declared_inputs
from engine.files.reading import Broken
from engine.job import InputSpec

LEAF = {"type": None, "context": None, "children_spec": []}


def tensor(*sizes, dtype=7):
    return {"dtype": dtype, "sizes": list(sizes)}


def fixed(size):
    return {"as_int": size}


def symbol(name, hint=None, text="Symbol('{}', positive=True, integer=True)"):
    return {"as_expr": {"expr_str": text.format(name), "hint": hint and {"as_int": hint}}}


def tree(kind, context, *children):
    return {"type": f"builtins.{kind}", "context": json.dumps(context), "children_spec": list(children)}


def program(inputs, positional=None, keyword=(), **tensors):
    """A program of these signature entries and tensors; its call's form only where `positional` is given."""
    call = [] if positional is None else [{"fqn": "", "signature": {"in_spec": json.dumps([1, tree(
        "tuple", None, tree("tuple", None, *positional), tree("dict", [name for name, _ in keyword], *(each for _, each in keyword)))])}}]
    return {"graph_module": {"graph": {"tensor_values": tensors}, "signature": {"input_specs": inputs}, "module_call_graph": call}}


def user(name):
    return {"user_input": {"arg": {"as_tensor": {"name": name}}}}


def declared(*arguments, **options):
    return declared_inputs(program(*arguments, **options), DTYPE_CODES)


def spec(**more):
    return InputSpec(source="declared", **more)


def test_one_picture_with_an_open_batch():
    for text in ("Symbol('{}', positive=True, integer=True)", "{}"):
        assert declared([user("x")], [LEAF], x=tensor(symbol("s0", 2, text), fixed(3), symbol("s1", 64, text), fixed(8))) == (spec(dtype="float32", shape=("B", 3, 64, 8)),)


def test_an_open_size_without_an_example_keeps_its_name():
    assert declared([user("x")], [LEAF], x=tensor(fixed(1), symbol("s7"))) == (spec(dtype="float32", shape=(1, "s7")),)


def test_the_batch_is_one_symbol_wherever_it_stands():
    found = declared([user("x"), user("m")], [LEAF, LEAF], x=tensor(symbol("s0", 2), fixed(4)), m=tensor(fixed(4), symbol("s0", 2), dtype=12))
    assert found == (spec(dtype="float32", shape=("B", 4)), spec(dtype="bool", shape=(4, "B")))


def test_numbers_keywords_and_containers():
    constant = {"constant_input": {"name": "n", "value": {"as_int": 3}}}
    inputs = [{"parameter": {"parameter_name": "w"}}, user("a"), user("b"), constant, user("mask")]
    positional = [tree("dict", ["left", "right"], LEAF, LEAF), LEAF]
    found = declared(inputs, positional, [("mask", LEAF)], a=tensor(fixed(2)), b=tensor(fixed(3), dtype=5), mask=tensor(fixed(4)))
    both = spec(container="dict", parts=(spec(name="left", dtype="float32", shape=(2,)), spec(name="right", dtype="int64", shape=(3,))))
    assert found == (both, spec(dtype="int", scalar=3), spec(name="mask", dtype="float32", shape=(4,)))


def test_without_the_calls_form_the_leaves_are_told():
    assert declared([user("x")], x=tensor(fixed(2))) == (spec(dtype="float32", shape=(2,)),)
    own = {"type": "mine.Batch", "context": "null", "children_spec": [LEAF]}
    assert declared([user("x")], [own], x=tensor(fixed(2))) == (spec(dtype="float32", shape=(2,)),)


def test_nothing_declared():
    assert declared_inputs({}, DTYPE_CODES) == ()


@pytest.mark.parametrize("inputs", [[{"user_input": {}}], [{"user_input": {"arg": {"as_tensor": {"name": "lost"}}}}], [3], [{"a": 1, "b": 2}]])
def test_a_signature_that_makes_no_sense_is_damage(inputs):
    with pytest.raises(Broken):
        declared(inputs)


NAMES = st.sampled_from(["user_input", "arg", "as_tensor", "name", "x", "sizes", "as_int", "as_expr", "expr_str", "hint", "constant_input", "value", "dtype"])
JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | NAMES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=12)


@given(st.lists(JSON, max_size=3), st.dictionaries(NAMES, JSON, max_size=3))
def test_any_json_is_inputs_or_damage(inputs, tensors):
    """Never another exception."""
    try:
        found = declared_inputs({"graph_module": {"graph": {"tensor_values": tensors}, "signature": {"input_specs": inputs}}}, DTYPE_CODES)
    except Broken:
        return
    assert all(isinstance(each, InputSpec) for each in found)


@given(JSON)
def test_any_form_of_the_call_is_inputs_or_damage(form):
    content = program([user("x")], [LEAF], x=tensor(fixed(2)))
    content["graph_module"]["module_call_graph"][0]["signature"]["in_spec"] = json.dumps(form)
    try:
        assert declared_inputs(content, DTYPE_CODES) is not None
    except Broken:
        return

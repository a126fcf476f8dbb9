"""Input specs as people write them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.inputs import DTYPES, InputError, format_input, parse_input, unknown_sizes
from engine.job import InputSpec

GIVEN = {"source": "given"}


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("x=f32[B,3,224,224]", InputSpec(name="x", shape=("B", 3, 224, 224))), ("f32[B, 3]", InputSpec(shape=("B", 3))), ("f16[]", InputSpec(dtype="float16")),
        ("i64[B,128]{0..30521}", InputSpec(dtype="int64", shape=("B", 128), range=(0, 30521))), ("i8[2] { -5 .. -1 }", InputSpec(dtype="int8", shape=(2,), range=(-5, -1))),
        ("sr=16000", InputSpec(name="sr", dtype="int", scalar=16000)), ("-3", InputSpec(dtype="int", scalar=-3)), ("0.5", InputSpec(dtype="float", scalar=0.5)),
        ("flag=true", InputSpec(name="flag", dtype="bool", scalar=True)), ("False", InputSpec(dtype="bool", scalar=False)), ("mask=@m.npy", InputSpec(name="mask", data_path="m.npy")),
        ("u8[B,3,8,8]{0..255}", InputSpec(dtype="uint8", shape=("B", 3, 8, 8), range=(0, 255))),
        ("f32[B,3,8,8]:channels_last", InputSpec(shape=("B", 3, 8, 8), memory_format="channels_last")),
        ("i64[B,1,2,2]{0..3} : channels_last", InputSpec(dtype="int64", shape=("B", 1, 2, 2), range=(0, 3), memory_format="channels_last")),
        ("h=(f32[2,B,64], f32[2,B,64],)", InputSpec(name="h", container="tuple", parts=(InputSpec(shape=(2, "B", 64)), InputSpec(shape=(2, "B", 64))))),
        ("()", InputSpec(container="tuple")), ("[f32[B], 3]", InputSpec(container="list", parts=(InputSpec(shape=("B",)), InputSpec(dtype="int", scalar=3)))),
        ("list(f32[B])", InputSpec(container="list", parts=(InputSpec(shape=("B",)),))),
        ("{a: f32[B,3], b-c: i64[B,7]{0..9}, \"d, e\": ({x: true})}", InputSpec(container="dict", parts=(
            InputSpec(name="a", shape=("B", 3)), InputSpec(name="b-c", dtype="int64", shape=("B", 7), range=(0, 9)),
            InputSpec(name="d, e", container="tuple", parts=(InputSpec(container="dict", parts=(InputSpec(name="x", dtype="bool", scalar=True),)),)),
        ))),
        ('(@m.npy, @"a, b).npy")', InputSpec(container="tuple", parts=(InputSpec(data_path="m.npy"), InputSpec(data_path="a, b).npy")))),
        ("@a=b [1].npz", InputSpec(data_path="a=b [1].npz")), ("model.input:0=f32[B,H]", InputSpec(name="model.input:0", shape=("B", "H"))),
    ],
)
def test_specs(text, spec):
    assert parse_input(text) == spec


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"), ("x=", "empty"), ("f32", "cannot be read"), ("f32[B", "cannot be read"), ("f32[B]{1}", "cannot be read"), ("f33[B]", "f33"), ("F32[B]", "cannot be read"),
        ("i64[B]{5..1}", "5 is above 1"), ("f32[0]", "'0'"), ("f32[-1]", "'-1'"), ("f32[B,,3]", "''"), ("f32[1.5]", "'1.5'"), ("f32[B x]", "'B x'"), ("f32[1000000000000000]", "1000000000000000"),
        ("f32[" + ",".join("1" * 17) + "]", "cannot be read"), ("f32[B,3]:channels_last", "has 2 dimensions"), ("f32[B,3,8,8]:channels_first", "cannot be read"),
        ("(f32[B], )x", "cannot be read"), ("(f32[B]", "cannot be read"), ("(f32[B}, 1)", "cannot be read"), ("(1,,2)", "empty"), ("{f32[B]}", "no name before a colon"),
        ("{1 2: f32[B]}", "no name before a colon"), ("{a:}", "empty"), ("(@)", "empty"), ('(@"a)', "cannot be read"), ("(" * 20 + "1" + ")" * 20, "cannot be read"),
        ("(f33[B], 1)", "f33"), ("x=y=f32[B]", "cannot be read"),
    ],
)
def test_specs_that_cannot_be_read_say_what_is_wrong_and_what_to_write(text, words):
    with pytest.raises(InputError) as met:
        parse_input(text)
    assert words in met.value.summary
    assert "f32[B,3,224,224]" in met.value.hint


@given(st.text(max_size=40) | st.text("fi32u8[]{}():,B3.\"@a \\", max_size=30) | st.from_regex(r"[a-z=]{0,4}[fiub]\d{1,2}\[[B0-9,a-z ]{0,12}\](\{-?\d+\.\.-?\d+\})?", fullmatch=True))
def test_any_text_is_a_spec_or_a_sentence(text):
    try:
        spec = parse_input(text)
    except InputError as error:
        assert error.summary and error.hint
    else:
        assert parse_input(format_input(spec)) == spec or "nan" in format_input(spec)      # NaN is none of itself


names = st.none() | st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,8}", fullmatch=True)
sizes = st.lists(st.integers(1, 10**6) | st.sampled_from(["B", "H", "length"]), max_size=5).map(tuple)
tensors = st.builds(InputSpec, name=names, dtype=st.sampled_from(sorted(DTYPES.values())), shape=sizes,
                    range=st.none() | st.tuples(st.integers(-9, 0), st.integers(0, 10**6)), source=st.just("given"))
scalars = st.builds(lambda name, value: InputSpec(name=name, dtype=type(value).__name__, scalar=value),
                    names, st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=True))
files = st.builds(lambda name, path: InputSpec(name=name, data_path=path), names, st.text(min_size=1, max_size=20).filter(lambda text: text == text.strip()))


pictures = st.builds(lambda shape: InputSpec(shape=shape, memory_format="channels_last"), st.lists(st.integers(1, 99), min_size=4, max_size=5).map(tuple))
leaves_ = tensors | scalars | files | pictures


def unnamed(spec):
    return msgspec.structs.replace(spec, name=None)


def containers(inside):
    members = st.lists(inside.map(unnamed), max_size=4)
    rows = st.builds(lambda kind, parts: InputSpec(container=kind, parts=tuple(parts)), st.sampled_from(["tuple", "list"]), members)
    entries = st.lists(st.tuples(st.text(min_size=1, max_size=6), inside), max_size=3)
    return rows | entries.map(lambda found: InputSpec(container="dict", parts=tuple(msgspec.structs.replace(spec, name=name) for name, spec in found)))


nested = st.recursive(leaves_, containers, max_leaves=6)


@given(leaves_ | nested | st.builds(lambda spec, name: msgspec.structs.replace(spec, name=name), containers(leaves_), names))
def test_what_is_written_is_read_again(spec):
    assert parse_input(format_input(spec)) == spec


def test_only_the_batch_size_may_have_a_name():
    assert unknown_sizes(InputSpec(shape=("B", 3, "H", "W"))) == ("H", "W")
    assert unknown_sizes(InputSpec(shape=("B", 3))) == ()
    assert unknown_sizes(parse_input("{a: (f32[B,H], 3), b: f32[W]}")) == ("H", "W")

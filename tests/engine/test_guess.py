"""An input guessed from the first layer's weight."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guess import guess_inputs
from engine.inputs import format_input, parse_input


@pytest.mark.parametrize(
    ("shapes", "shape"),
    [
        ([("conv1.weight", (64, 3, 7, 7)), ("fc.weight", (1000, 512))], ("B", 3, 224, 224)), ([("conv.bias", (4,)), ("conv.weight", (4, 1, 3))], ("B", 1, 1024)),
        ([("stem.weight", (8, 3, 3, 3, 3))], ("B", 3, 16, 112, 112)), ([("norm.weight", (5,)), ("fc.weight", (4, 16))], ("B", 16)), ([("0.weight", [4, 16])], ("B", 16)),
        ([("module.position_embedding.weight", (512, 768)), ("q.weight", (768, 768))], ("B", 768)),
        ([("rnn.weight_ih_l0", (256, 40)), ("fc.weight", (10, 64))], ("B", 32, 40)),
    ],
)
def test_the_first_weight_of_a_layer_tells(shapes, shape):
    (spec,) = guess_inputs(shapes)
    assert (spec.shape, spec.dtype, spec.source, spec.name) == (shape, "float32", "guessed", None)


@pytest.mark.parametrize("key", ["module.token_Embedding.weight", "embeddings.word_embeddings.weight", "wte.weight", "embed.weight"])
def test_tokens_are_whole_numbers_up_to_the_tables_end(key):
    (spec,) = guess_inputs([("embeddings.position_embeddings.weight", (512, 768)), (key, (30522, 768)), ("q.weight", (768, 768))])
    assert format_input(spec) == "i64[B,128]{0..30521}"


@pytest.mark.parametrize("shapes", [[], [("scale", (3, 3))], [("norm.weight", (5,))], [("odd.weight", (2, 2, 2, 2, 2, 2))], [("empty.weight", (4, 0))], [("pos_embed.weight", (10, 4))]])
def test_nothing_is_guessed_from_nothing(shapes):
    assert guess_inputs(shapes) == ()


@given(st.lists(st.tuples(st.sampled_from(["a.weight", "b.bias", "embed.weight"]), st.lists(st.integers(0, 9) | st.integers(0, 2**40), max_size=6)), max_size=6))
def test_a_guess_is_a_spec_that_can_be_written(shapes):
    for spec in guess_inputs(shapes):
        assert all(size == "B" or size > 0 for size in spec.shape)
        assert parse_input(format_input(spec)).shape == spec.shape

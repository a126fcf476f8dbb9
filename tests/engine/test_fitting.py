"""How weights lie in a class, by names and shapes alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.fitting import measure_fit

CLASS = {"conv.weight": (4, 3, 3, 3), "conv.bias": (4,), "norm.weight": (4,), "norm.num_batches_tracked": (), "head.weight": (2, 4)}


def prefixed(prefix, shapes=None):
    return {prefix + name: shape for name, shape in (shapes or CLASS).items()}


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "model.", "module.module.", "module._orig_mod.model.", "generator.", "ema.inner."])
def test_a_prefix_of_every_key_is_taken_off(prefix):
    fit = measure_fit(prefixed(prefix), CLASS)
    assert fit.perfect
    assert (fit.score, fit.prefix, fit.matching) == (1.0, prefix, 5)


def test_a_class_whose_own_names_begin_like_a_wrapper_keeps_them():
    own = prefixed("model.")
    assert measure_fit(own, own).prefix == ""
    assert measure_fit(prefixed("module.", own), own).prefix == "module."


def test_counters_of_batches_may_be_absent():
    without = {name: shape for name, shape in CLASS.items() if not name.endswith("tracked")}
    assert measure_fit(without, CLASS).perfect
    assert measure_fit(CLASS, without).perfect


def test_what_does_not_fit_is_named():
    weights = {"conv.weight": (4, 1, 3, 3), "conv.bias": (4,), "norm.weight": (4,), "extra": (1,)}
    fit = measure_fit(weights, CLASS)
    assert not fit.perfect
    assert (fit.missing, fit.unexpected, fit.differing) == (("head.weight",), ("extra",), ("conv.weight [4, 1, 3, 3] (class: [4, 3, 3, 3])",))
    assert (fit.matching, fit.keys) == (2, 5)
    assert (fit.missing_count, fit.unexpected_count, fit.differing_count) == (1, 1, 1)


def test_long_lists_are_cut_and_counted():
    fit = measure_fit({}, {f"layer{number}": (1,) for number in range(500)})
    assert len(fit.missing) < 100
    assert (fit.missing_count, fit.score) == (500, 0.0)


def test_nothing_beside_nothing_is_no_fit():
    assert not measure_fit({}, {}).perfect


def test_a_lazy_layer_takes_any_shape():
    assert measure_fit({"a": (3, 4)}, {"a": None}).perfect


shapes = st.dictionaries(st.from_regex(r"[ab](\.[abc]){0,3}", fullmatch=True), st.tuples(st.integers(0, 2)), max_size=12)


@given(shapes, shapes)
def test_the_counts_always_add_up(weights, expected):
    fit = measure_fit(weights, expected)
    assert fit.matching + fit.differing_count + fit.missing_count + fit.unexpected_count == fit.keys
    assert 0.0 <= fit.score <= 1.0
    assert fit.perfect == (fit.keys > 0 and not (fit.missing_count or fit.unexpected_count or fit.differing_count))


@given(shapes.filter(len), st.sampled_from(["module.", "model.", "x.y."]))
def test_any_class_fits_its_own_weights_in_any_wrapper(expected, prefix):
    assert measure_fit(prefixed(prefix, expected), expected).perfect

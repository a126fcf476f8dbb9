"""Texts that torch.export evaluates: arithmetic on sizes passes, whatever reaches further is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.files.danger import DANGEROUS, UNKNOWN, grades, worst
from engine.files.expressions import called_by

INNOCENT = [
    "s0", "Symbol('s31', positive=True, integer=True)", "2*s0 + 1", "Max(1, s0 - 3)", "FloorDiv(s0, 2)", "Mod(s1, 8)", "(s0 + 1)//2", "-s0", "Integer(4)", "s0 < 4",
    "Pow(Symbol('s0', positive=True, integer=True), Integer(2))", "int_oo", "s0**2", "CeilToInt(IntTrueDiv(s0, 3))", "Piecewise((1, s0 > 3), (0, True))",
]
GUARDS = ["L['x'].size()[0] <= 1024", "2 <= L['flat_args'][0].size()[0] and L['args'][0][0].size()[0] % 8 == 0", "L['my input'].ndim == 4"]
DANGERS = [
    "__import__('os').system('true')", "eval('1')", "exec('1')", "open('/etc/passwd')", "getattr(s0, 'x')", "().__class__.__bases__", "s0.__class__", "s0._x",
    "(lambda: 1)()", "[x for x in s0]", "f'{s0}'", "Symbol('__import__(1)')", "S('s0 + x')", "s0 + 'a b'", "x := 3", "import os", "", "s0(", "a" * 5000, "(s0)(1)(2)",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_sizes_are_let_through(text):
    assert list(called_by(text)) == []


@pytest.mark.parametrize("text", GUARDS)
def test_guards_are_let_through(text):
    assert list(called_by(text, names_are_keys=True)) == []


@pytest.mark.parametrize("text", DANGERS)
@pytest.mark.parametrize("keys", [False, True])
def test_what_reaches_further_is_found(text, keys):
    if keys and text.startswith(("Symbol(", "s0 + 'a")):
        return      # in a guard a string is the name of an input
    assert worst(grades(called_by(text, names_are_keys=keys))) in ({DANGEROUS} if not text.startswith("S(") else {DANGEROUS, UNKNOWN})


def test_an_unknown_function_is_asked_about():
    """Another operator of sympy, or one of a later torch: not refused, but not silent."""
    assert worst(grades(called_by("NewDiv(s0, 2)"))) == UNKNOWN


@given(st.text(alphabet="s0123456789()[]{}.,'\"*+-_<>= LSymbolimportx\n", max_size=40))
def test_no_text_is_too_odd(text):
    for module, name in called_by(text):
        assert module and name

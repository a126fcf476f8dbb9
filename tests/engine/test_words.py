"""Every sentence of the engine stands in both languages, with the same values, and in one area only."""

from __future__ import annotations

import importlib
import re
import string

import pytest

from engine import words


def fields(template):
    return {name.partition(".")[0].partition("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("code", sorted(words.table()))
def test_both_languages_use_the_same_values(code):
    english, chinese = words.table()[code]
    assert english.strip()
    assert chinese.strip()
    assert fields(english) == fields(chinese)


ONLY_TYPED = {
    "allow-missing-alone", "class-needs-arguments", "class-none-fits", "class-untried", "dangerous-file", "inspect-usage", "main-class-beside", "main-class-missing",
    "weights-place-none",
}
"""Hints that only a command gives."""


def test_what_the_window_may_show_names_no_option():
    """A hint with an option has words for the window beside it, with no value that the failure lacks."""
    table = words.table()
    areas = ("files", "loading", "inputs", "outcomes", "batches", "replicas")
    hints = {code for area in areas for code in importlib.import_module(f"engine.words.{area}").TABLE if code.endswith(".hint")}
    with_option = {code for code in hints if re.search(r"(?<!\w)--[a-z]", table[code][0])}
    assert {code for code in with_option if f"{code}.window" not in table} == {f"{code}.hint" for code in ONLY_TYPED}
    for code in (code for code in table if code.endswith(".window")):
        plain = code.removesuffix(".window")
        assert plain in hints and fields(table[code][0]) <= fields(table[plain][0]) | fields(table[plain.removesuffix(".hint")][0])
        assert not re.search(r"--(python|arch|input|batch|debug)", table[code][0])


def test_a_code_stands_in_one_area_only():
    sizes = [len(importlib.import_module(f"engine.words.{area}").TABLE) for area in words.AREAS]
    assert sum(sizes) == len(words.table())

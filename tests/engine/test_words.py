"""Every sentence of the engine stands in both languages, with the same values, and in one area only."""

from __future__ import annotations

import importlib
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


def test_a_code_stands_in_one_area_only():
    sizes = [len(importlib.import_module(f"engine.words.{area}").TABLE) for area in words.AREAS]
    assert sum(sizes) == len(words.table())

"""Which class is meant, what it still needs, and how its fit is said."""

from __future__ import annotations

import pytest

from engine.candidates import Candidate, Fit
from engine.classes import ClassEntry
from gui import text
from gui.models import class_choice
from gui.models.model_entry import bare_spec

FIT = Fit(matching=300, keys=322, prefix="module.", missing=("fc.weight", "fc.bias"), missing_count=5, unexpected=("head.w",), unexpected_count=1,
          differing=("conv1.weight [64, 1] (class: [64, 3])",), differing_count=1)


@pytest.fixture(autouse=True)
def english_again():
    yield
    text.set_language("en")


@pytest.mark.parametrize(("spec", "arguments"), [
    ("/a (1)/net.py:Net(width=3)", "width=3"), ("torchvision.models:resnet18", ""), ("/n/net.py:Net(name='a:b(c)')", "name='a:b(c)'"), ("/n.py:Net( )", ""),
])
def test_arguments_are_taken_out_and_put_back(spec, arguments):
    """Parentheses and colons elsewhere do not matter."""
    assert class_choice.arguments_of(spec) == arguments
    assert class_choice.arguments_of(class_choice.with_arguments(spec, "x=1")) == "x=1"
    assert class_choice.with_arguments(spec, "") == bare_spec(spec)


def test_other_arguments_are_another_network():
    """What was built with others says nothing about it."""
    candidate = Candidate(spec="timm:vit(depth=3)", origin="timm", score=1.0, fit=FIT)
    assert class_choice.retyped(candidate, "depth=3 ") is candidate
    typed = class_choice.retyped(candidate, "depth=4")
    assert typed.spec == "timm:vit(depth=4)" and typed.fit is None


def test_what_is_typed_is_needed_no_more():
    """By name or by position."""
    assert class_choice.still_needed(("width", "depth"), "m.n:Net", ("width", "depth")) == ("width", "depth")
    assert class_choice.still_needed(("width", "depth"), "m.n:Net(3)", ("width", "depth")) == ("depth",)
    assert class_choice.still_needed(("width", "depth"), "m.n:Net(depth=1, width=2)") == ()
    assert class_choice.still_needed(("width",), "m.n:Net(oops") == ("width",)


def test_the_class_that_the_model_asks_for_is_selected():
    """By its name; where it asks for one that is not there, none."""
    entries = [ClassEntry(name="Other", line=1, is_module=True), ClassEntry(name="Net", line=5)]
    wanted = class_choice.wanted_names(("__main__.Net", "train.Net"))
    assert wanted == ("Net",)
    assert class_choice.preselected(entries, wanted) == 1
    assert class_choice.preselected(entries, ()) == 0
    assert class_choice.preselected(entries, ("Absent",)) == -1 and class_choice.preselected([], ()) == -1


def test_a_score_says_what_it_is_worth():
    """Counted after building, about by name before."""
    built, read = Candidate(spec="/n/net.py:Net", origin="file", score=1.0, fit=Fit(matching=13, keys=13)), Candidate(spec="/n/net.py:Net", origin="file", score=0.8)
    assert class_choice.candidate_lines(built) == "Net\n13 of 13 weights fit · in net.py"
    assert class_choice.candidate_lines(read) == "Net\nabout 80 % by name (not imported yet) · in net.py"
    assert len({class_choice.candidate_mark(each) for each in (built, read, Candidate(spec="a:b", origin="timm", score=0.5, fit=FIT))}) == 3


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_does_not_fit_is_listed_with_how_much_more(language):
    """Names where they are known, counts always."""
    text.set_language(language)
    said = class_choice.differences(FIT)
    for part in ("module.", "fc.weight", "head.w", "conv1.weight", "3"):
        assert part in said
    assert class_choice.differences(Fit(matching=2, keys=2)) == ""


def test_running_with_less_says_how_much_is_random():
    """Missing ones and those of another shape; none random means that some of the file are left out."""
    assert "6 weights left random" in class_choice.allowing_text(FIT)
    assert "1 weight left random" in class_choice.allowing_text(Fit(matching=1, keys=2, missing=("a",), missing_count=1))
    assert "without 4 weights" in class_choice.allowing_text(Fit(matching=1, keys=5, unexpected=("a",), unexpected_count=4))

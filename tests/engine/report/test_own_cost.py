"""What the program itself costs, on the page."""

from __future__ import annotations

import msgspec
import pytest

from engine.report import render
from engine.report.labels import Labels
from engine.report.own_cost import own_cost_of
from engine.self_cost.result import Ratio, as_dict
from tests.support.costs import make_cost
from tests.support.runs import make_run


def with_costs(*costs):
    return msgspec.structs.replace(make_run(), own_cost={cost.place.kind: msgspec.to_builtins(as_dict(cost)) for cost in costs})


def test_both_figures_stand_with_date_rounds_and_definition():
    """For each kind of device that the run used."""
    shown = own_cost_of(with_costs(make_cost(), make_cost(kind="cuda")), Labels("en"))
    assert [title for title, _ in shown.devices] == ["on cpu", "on cuda:0"]
    facts = dict(shown.devices[0][1])
    assert facts["Own cost"] == "1.003 · 95 % interval 0.991 – 1.015"
    assert facts["Cost of watching"].startswith("1.024 ")
    assert facts["Goal for the own cost"].endswith("lies within")
    assert facts["Rounds"].startswith("10 of 10; 2 besides were disturbed")
    assert facts["Measured"] == "2026-11-24 08:04 UTC"
    assert "does not lie within" in dict(shown.devices[1][1])["Goal for the own cost"]
    assert any("lone Python process" in sentence for sentence in shown.sentences)


def test_without_figures_the_page_says_how_to_get_them():
    shown = own_cost_of(make_run(), Labels("en"))
    assert shown.devices == []
    assert "python3 main.py doctor --self-cost" in shown.sentences[0]


@pytest.mark.parametrize("broken", [{"cpu": {}}, {"cpu": 1}, {"cpu": {"own": {"ratio": "<b>"}}}])
def test_figures_of_another_form_are_said_to_be_unreadable(broken):
    """A page is made from a file that anybody may have written."""
    shown = own_cost_of(msgspec.structs.replace(make_run(), own_cost=broken), Labels("en"))
    assert shown.devices == []
    assert "cannot be read" in shown.sentences[0]


@pytest.mark.parametrize(("language", "words"), [("en", "What the program itself costs"), ("zh", "程序自身的开销")])
def test_the_section_stands_on_the_page(language, words):
    page = render(with_costs(make_cost(own=Ratio(1.003, (0.991, 1.015)))), language)
    assert words in page
    assert "0.991 – 1.015" in page


def test_what_a_file_calls_its_window_is_no_markup():
    cost = msgspec.structs.replace(make_cost(), window="<script>alert(1)</script>")
    assert "<script>alert(1)" not in render(with_costs(cost), "en")

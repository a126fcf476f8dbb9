"""A comparison on the page: verdict, ratio, interval, both charts, in both languages; a file of any numbers makes a page."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.job import Configuration
from engine.report import render
from engine.report.comparison_shown import compared
from engine.report.labels import Labels
from engine.result import Comparison
from engine.verdict import VERDICTS
from tests.support.runs import make_model, make_outcome, make_run

FOUND = Comparison(
    verdict="SLOWER", ratio=1.052, ci95=(1.047, 1.058), blocks=48, samples_needed=0, medians_a_ms=(4.3, 4.31, 4.29, 4.3), medians_b_ms=(4.52, 4.53, 4.51, 4.55),
    steps=((18, 1.06, 0.99, 1.13), (24, 1.055, 1.02, 1.09), (48, 1.052, 1.047, 1.058)),
)


def run_of(found, **changes):
    return make_run((make_outcome(), make_outcome(Configuration(precision="bf16"))), comparison=found, **changes)


@pytest.mark.parametrize(("language", "words"), [("en", ("B is slower", "5.2 % above A", "1.0470 – 1.0580", "B: ")), ("zh", ("B 更慢", "5.2%", "1.0470 – 1.0580", "B:"))])
def test_verdict_ratio_and_interval_stand_on_the_page(language, words):
    page = render(run_of(FOUND), language)
    assert all(word in page for word in words)
    section = page[page.index('id="comparison"') :].partition("</section>")[0]
    assert section.count("<circle") == section.count('<path class="b"') == 4 and "<polygon" in section
    assert "1.0520" in section


def test_the_page_leads_with_the_verdict_and_names_no_winner_of_its_own():
    page = render(run_of(FOUND))
    assert re.search(r'id="verdict">B is slower: its median is 5\.2 % above A&#39;s\.</p>', page)
    assert "most items a second</span>" not in page


def test_two_files_are_named_on_their_sides():
    shown = compared(run_of(FOUND, other_model=make_model("/m/other.pth")), Labels("en"))
    assert "resnet50.pth" in shown.sides[0] and "other.pth" in shown.sides[1]


def test_a_run_without_a_comparison_has_no_such_section():
    assert compared(make_run(), Labels("en")) is None and 'id="comparison"' not in render(make_run())


def test_what_ended_before_the_first_block_is_said_without_charts():
    shown = compared(run_of(Comparison(verdict="CANNOT-TELL", samples_needed=48)), Labels("en"))
    assert (shown.ratio_svg, shown.blocks_svg) == ("", "") and "48" in " ".join(shown.sentences)


def test_a_verdict_of_a_newer_program_leaves_the_section_out():
    assert compared(run_of(msgspec.structs.replace(FOUND, verdict="PERHAPS")), Labels("en")) is None


def test_very_many_blocks_are_thinned():
    many = msgspec.structs.replace(FOUND, medians_a_ms=(1.0, 1.1) * 5000, medians_b_ms=(1.0, 1.1) * 5000)
    assert compared(run_of(many), Labels("en")).blocks_svg.count("<circle") <= 400


@given(
    verdict=st.sampled_from(VERDICTS), medians=st.lists(st.floats(0, 1e9), max_size=20).map(tuple),
    steps=st.lists(st.tuples(st.integers(-5, 10**6), st.floats(), st.floats(), st.floats()), max_size=8).map(tuple), ratio=st.none() | st.floats(0.001, 1000),
)
def test_any_numbers_make_a_section(verdict, medians, steps, ratio):
    """What stands in a file was written by anybody; nothing that is not a number is drawn."""
    found = msgspec.structs.replace(FOUND, verdict=verdict, medians_a_ms=medians, medians_b_ms=medians, steps=steps, ratio=ratio)
    shown = compared(run_of(found), Labels("en"))
    assert "nan" not in shown.ratio_svg + shown.blocks_svg and "inf" not in shown.blocks_svg + shown.ratio_svg.replace("infinity", "")

"""Every figure of a row; a percentile below its floor is grey and says what it needs."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel

from engine.result import Latency
from gui import text
from gui.models.run_model import RunModel
from gui.widgets.all_figures import FiguresSection, figure_lines
from tests.support.runs import make_outcome, make_run, make_samples


def lines(**changes):
    return {line.code.removeprefix("details."): line for line in figure_lines(make_outcome(**changes))}


@pytest.mark.parametrize(("count", "grey"), [(50, {"p90", "p95", "p99"}), (100, {"p95", "p99"}), (300, {"p99"}), (800, set())])
def test_a_percentile_below_its_floor_is_grey(count, grey):
    found = lines(samples=make_samples(count=count))
    steady = int(found["samples"].value.replace(",", ""))
    assert {name for name in ("p90", "p95", "p99") if found[name].is_grey} == grey
    for name, floor in (("p90", 64), ("p95", 130), ("p99", 662)):
        assert found[name].value == (f"needs {floor - steady} more" if name in grey else found[name].value) != "—"
        assert (f"{name} needs {floor} samples; there are {steady}." in found[name].tip) == (name in grey)


def test_grey_goes_when_the_samples_have_come(show):
    """The label is the same one: its role follows the figure."""
    section = show(FiguresSection(), 320, 500)
    section.set_open(True)

    def value(count):
        section.show_row(RunModel.from_run(make_run((make_outcome(samples=make_samples(count=count)),))).rows[0])
        shown = [made for made in section.findChildren(QLabel) if made.isVisibleTo(section)]
        return shown[[made.text() for made in shown].index("p99") + 1]

    before = value(300)
    assert (before.text(), before.property("role")) == ("needs 362 more", "muted")
    after = value(800)
    assert after.text().endswith(" ms") and after.property("role") == "small"


def test_in_chinese_and_with_thousands_apart(qapp):
    text.set_language("zh")
    assert lines(samples=make_samples(count=300))["p99"].value == "还需 362 个"
    text.set_language("en")
    assert lines(latency=Latency(count=12345, visits=5, p50_ms=1234.5))["samples"].value == "12,345"


def test_nothing_is_asked_of_a_row_without_a_call(qapp):
    assert lines(latency=Latency(count=0, visits=0))["p99"].value == "—"

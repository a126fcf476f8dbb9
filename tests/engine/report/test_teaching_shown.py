"""What each switch did, on the page."""

from __future__ import annotations

import pytest

from engine.job import Configuration
from engine.report import render
from engine.report.labels import Labels
from engine.report.teaching_shown import taught
from engine.result import Latency, Memory, Outputs
from engine.words import failure
from tests.support.runs import make_outcome, make_run

SAME = Outputs(max_abs_difference=0.0, repeat_max_abs_difference=0.0, state_changed=False)


def outcome(options, p50_ms=4.0, growth_bytes=1 << 20, outputs=SAME, threads=1, **changes):
    latency = Latency(count=100, visits=1, p50_ms=p50_ms)
    return make_outcome(Configuration(options=options, threads=threads), latency=latency, memory=Memory(growth_bytes=growth_bytes), outputs=outputs, **changes)


@pytest.fixture
def run():
    failed = failure("forward-raised", "train-batch-one", {"layer": "<b>norm</b> (BatchNorm2d)"})
    return make_run((
        outcome({}), outcome({"grad": "kept"}, 6.0, 3 << 20, Outputs(max_abs_difference=0.4, state_changed=True)), outcome({}, 2.0, 1 << 19, threads=2),
        make_outcome(Configuration(options={"mode": "train"}), status="failed", error=failed),
    ))


def test_each_row_against_the_first(run):
    found = taught(run, Labels("en"))
    assert found is not None and found.note.startswith("Against the first row, fp32 · batch 1 · cpu · 1 thread.")
    assert [(row.name, row.cells) for row in found.rows[:3]] == [
        ("plain", ("4.00 ms", "—", "1.00 MiB", "same")), ("grad kept", ("6.00 ms", "1.50 ×", "3.00 MiB (+2.00 MiB)", "differ by 0.40, buffers rewritten")),
        ("2 threads", ("2.00 ms", "0.500 ×", "512 KiB (−512 KiB)", "same")),
    ]
    assert found.rows[3].name == "train mode" and "normalises over the batch" in found.rows[3].sentence


@pytest.mark.parametrize(("language", "words"), [("en", ("What each switch does", "grad kept", "1.50 ×")), ("zh", ("各开关的作用", "保留计算图", "相差 0.40"))])
def test_it_stands_on_the_page_and_nothing_in_it_is_markup(run, language, words):
    page = render(run, language=language)
    table = page[page.index('<table id="teaching">'):]
    table = table[: table.index("</table>")]
    assert all(each in page for each in words) and words[1] in table and words[2] in table
    assert "<b>norm</b>" not in page and "&lt;b&gt;norm" in table


def test_other_runs_have_no_such_table():
    assert taught(make_run(), Labels("en")) is None
    assert taught(make_run((make_outcome(status="failed"), outcome({"grad": "kept"}))), Labels("en")) is None
    assert '<table id="teaching">' not in render(make_run())

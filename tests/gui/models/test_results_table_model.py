"""The results as a table: words, order, and what is not known."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester

from engine import events
from engine.job import PLANS, Configuration, Job, ModelSource
from gui import text
from gui.models.markdown import markdown
from gui.models.results_table_model import COLUMNS, GRADE_ROLE, STATE_ROLE, ResultsTableModel
from gui.models.row_words import full_name, short_name
from gui.models.run_model import RunModel
from tests.support.runs import make_model, make_outcome, make_run, make_samples

NAMES = [column.name for column in COLUMNS]


@pytest.fixture
def table(qapp):
    yield ResultsTableModel(RunModel.from_run(make_run()))
    text.set_language("en")


def cell(table, place, name, role=Qt.ItemDataRole.DisplayRole):
    return table.data(table.index(place, NAMES.index(name)), role)


def test_it_keeps_to_the_rules_of_a_qt_model(qapp):
    """Qt's own tester watches while a run is filled, sorted, and replaced."""
    run = RunModel()
    table = ResultsTableModel(run)
    QAbstractItemModelTester(table, QAbstractItemModelTester.FailureReportingMode.Fatal)
    run.load(make_run())
    table.sort(1, Qt.SortOrder.DescendingOrder)
    run.load(make_run((make_outcome(),)))
    assert table.rowCount() == 1


def test_a_table_made_while_a_run_is_filled_has_each_row_once(qapp):
    """The window makes it on the first reset."""
    run, made = RunModel(), []
    run.reset.connect(lambda: made.append(ResultsTableModel(run)) if not made else None)
    run.load(make_run())
    assert made[0].rowCount() == len(run.rows)


def test_a_measured_row(table):
    """Median with interval, p99, rate, memory, not checked, grade."""
    assert "±" in cell(table, 0, "p50")
    assert cell(table, 0, "p50").endswith(" ms")
    assert cell(table, 0, "p99").endswith(" ms")
    assert cell(table, 0, "memory") == "912 MiB"
    assert cell(table, 0, "accuracy") == "not checked"
    assert (cell(table, 0, "trust"), cell(table, 0, "trust", GRADE_ROLE)) == ("good", "good")
    assert cell(table, 0, "config", STATE_ROLE) == "done"


def test_too_few_samples_for_p99(table):
    """The number that is missing stands in its place."""
    assert cell(table, 1, "p99") == "362 more"
    assert "362 more" in cell(table, 1, "p99", Qt.ItemDataRole.ToolTipRole)


def test_one_visit_shows_quartiles(qapp):
    """Not an interval."""
    table = ResultsTableModel(RunModel.from_run(make_run((make_outcome(samples=make_samples(visits=1)),))))
    words = cell(table, 0, "p50")
    assert "±" not in words
    assert words.count("–") == 1


@pytest.mark.parametrize(("place", "beginning", "state"), [(3, "out of memory: ", "out-of-memory"), (4, "not possible here: ", "unsupported"), (5, "failed: ", "failed")])
def test_a_failure_is_one_sentence(table, place, beginning, state):
    """In the first cell of figures, the others are empty."""
    assert cell(table, place, "p50").startswith(beginning)
    assert [cell(table, place, name) for name in NAMES[2:]] == [""] * 5
    assert cell(table, place, "config", STATE_ROLE) == state


def test_rows_are_named_by_what_differs(qapp):
    """A column of the same device tells nothing."""
    alike = [Configuration(), Configuration(precision="bf16", batch_size=8)]
    assert [short_name(each, alike) for each in alike] == ["fp32 · b1", "bf16 · b8"]
    other = [*alike, Configuration(device="cuda:0", backend="onnxruntime", quantization="dynamic-int8")]
    assert short_name(other[2], other) == "fp32 · dynamic int8 · b1 · cuda:0 · ONNX Runtime"
    assert full_name(alike[0]) == "fp32 · batch 1 · cpu · eager · 1 thread"


def test_options_are_words_in_a_row_s_name(qapp):
    """In both languages; the largest batch and parts of a batch stand with the batch."""
    switched = Configuration(batch_size=64, options={"grad": "kept", "micro_batch": 4, "batch": "max:75%", "memory_format": "channels_last"})
    assert short_name(switched) == "fp32 · max 75 %: b64 as 4 × 16 · channels_last · grad kept"
    assert full_name(switched) == "fp32 · batch 64 · cpu · eager · 1 thread · max 75 % · micro-batches of 16 · channels_last · grad kept"
    assert short_name(Configuration(batch_size=480, options={"batch": "max"})) == "fp32 · max: b480"
    text.set_language("zh")
    assert short_name(switched) == "fp32 · 最大 75%:b64 分 4 × 16 · channels_last · 保留计算图"
    text.set_language("en")


@pytest.mark.parametrize("order", list(Qt.SortOrder))
@pytest.mark.parametrize("name", [name for name in NAMES if name != "config"])
def test_what_is_not_known_stands_last_in_either_order(table, name, order):
    """Failures never win a sort."""
    number = NAMES.index(name)
    table.sort(number, order)
    keys = [COLUMNS[number].key(table.row_at(place)) for place in range(table.rowCount())]
    known = [key for key in keys if key is not None]
    assert keys == known + [None] * (len(keys) - len(known))
    assert known == sorted(known, reverse=order == Qt.SortOrder.DescendingOrder)


def test_a_run_that_goes_on_keeps_its_order(qapp):
    """New figures move a row to its place."""
    run, info = RunModel(), make_model()
    job = Job("j", ModelSource(info.path, "state-dict"), (), tuple(Configuration(batch_size=size) for size in (1, 2, 4)), PLANS["quick"])
    run.apply(events.JobStarted(job, info, 0, None))
    table = ResultsTableModel(run)
    QAbstractItemModelTester(table, QAbstractItemModelTester.FailureReportingMode.Fatal)
    table.sort(1, Qt.SortOrder.AscendingOrder)
    assert cell(table, 0, "p50") == "queued"
    for index, median_ms in ((0, 9.0), (1, 3.0), (2, 6.0)):
        run.apply(events.OutcomeUpdated(index, make_outcome(job.configurations[index], samples=make_samples(median_ms=median_ms)), final=True))
    assert [table.index_of(place) for place in range(3)] == [1, 2, 0]
    assert table.place_of(2) == 1


def test_the_language_switches_live(table):
    """Header and cells."""
    text.set_language("zh")
    assert table.headerData(0, Qt.Orientation.Horizontal) == "配置"
    assert cell(table, 0, "accuracy") == "未检查"
    assert cell(table, 3, "p50").startswith("内存不足:")


def test_every_column_explains_its_term(table):
    """Two lines."""
    for number in range(table.columnCount()):
        assert table.headerData(number, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole).count("\n") == 1
    assert table.data(QModelIndex()) is None


def rows_of(words):
    return [line for line in words.splitlines() if line.startswith("|")]


def test_markdown_has_every_row_in_the_order_of_the_screen(table):
    """With the same figures as the table."""
    table.sort(1, Qt.SortOrder.AscendingOrder)
    lines = rows_of(markdown(table, "resnet50.pth"))
    assert len(lines) == 2 + table.rowCount()
    assert {line.replace("\\|", "").count("|") for line in lines} == {len(COLUMNS) + 1}
    assert cell(table, 0, "p50") in lines[2]
    assert "out of memory: Batch 64 does not fit" in "\n".join(lines)


def test_markdown_cannot_be_broken_by_a_message(qapp):
    """Bars, line breaks and markup of an error stay text."""
    outcome = make_outcome(status="failed")
    error = type(outcome.error)(code="forward-raised", summary="a | b\n<img src=x> `c` [d](e)", hint="")
    words = markdown(ResultsTableModel(RunModel.from_run(make_run((make_outcome(status="failed", error=error),)))), "mo_del|*.pth")
    lines = rows_of(words)
    assert len(lines) == 3
    assert lines[2].replace("\\|", "").count("|") == len(COLUMNS) + 1
    assert "\\<img src=x\\> \\`c\\` \\[d\\]" in lines[2]
    assert words.startswith("**mo\\_del\\|\\*.pth**")

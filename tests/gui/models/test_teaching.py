"""The teaching run as a table: against its first row, as it comes in."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from engine import events
from engine.job import PLANS, Configuration, Job, ModelSource
from engine.result import Failure, Latency, Memory, Outputs
from engine.words import failure
from gui import text
from gui.models.run_model import RunModel
from gui.models.teaching import OUTPUTS, SWITCH, TIME, TeachingModel
from tests.support.runs import make_model, make_outcome, make_run

ROWS = (
    Configuration(), Configuration(options={"grad": "kept"}), Configuration(options={"mode": "train"}), Configuration(options={"memory_format": "channels_last"}), Configuration(threads=2),
)
SAME = Outputs(max_abs_difference=0.0, repeat_max_abs_difference=0.0, state_changed=False)
JOB = Job("j", ModelSource("/m.pt", "torchscript"), (), ROWS, PLANS["quick"], compare_outputs=True)


@pytest.fixture(autouse=True)
def english(qapp):
    yield
    text.set_language("en")


def outcome(configuration, p50_ms=4.0, growth_bytes=1 << 20, outputs=SAME, **changes):
    return make_outcome(configuration, latency=Latency(count=100, visits=1, p50_ms=p50_ms), memory=Memory(growth_bytes=growth_bytes), outputs=outputs, **changes)


def words(model):
    return [[model.data(model.index(row, column)) for column in range(model.columnCount())] for row in range(model.rowCount())]


def loaded(*outcomes):
    return TeachingModel(RunModel.from_run(make_run(outcomes)))


def test_each_row_says_what_is_other_and_what_it_did():
    model = loaded(
        outcome(ROWS[0]), outcome(ROWS[1], 6.0, 3 << 20), outcome(ROWS[2], 4.4, 1 << 19, Outputs(max_abs_difference=0.4, repeat_max_abs_difference=0.1, state_changed=True)),
        outcome(ROWS[4], 2.0),
    )
    assert words(model) == [
        ["plain", "4.00 ms", "1.00 MiB", "same"], ["grad kept", "6.00 ms · 1.50 ×", "3.00 MiB (+2.00 MiB)", "same"],
        ["train mode", "4.40 ms · 1.10 ×", "512 KiB (−512 KiB)", "differ by 0.40, two equal calls differ, buffers rewritten"],
        ["2 threads", "2.00 ms · 0.500 ×", "1.00 MiB (+0 B)", "same"],
    ]
    tip = model.data(model.index(2, OUTPUTS), Qt.ItemDataRole.ToolTipRole)
    assert "differ from those in eval" in tip and "Two equal calls differ" in tip and "rewrote the model's buffers" in tip
    assert model.data(model.index(1, SWITCH), Qt.ItemDataRole.ToolTipRole) == "fp32 · batch 1 · cpu · eager · 1 thread · grad kept"


def test_in_chinese():
    text.set_language("zh")
    model = loaded(outcome(ROWS[0]), outcome(ROWS[2], 6.0, outputs=Outputs(max_abs_difference=0.4)))
    assert words(model)[1] == ["训练模式", "6.00 ms · 1.50 ×", "1.00 MiB(+0 B)", "相差 0.40"]
    assert model.headerData(TIME, Qt.Orientation.Horizontal) == "时间"


def test_it_fills_as_the_rows_come_in():
    """Qt's own tester watches; before the first row has figures nothing is compared with it."""
    run = RunModel()
    model = TeachingModel(run)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    run.set_queued(JOB, make_model("/m.pt"))
    run.apply(events.JobStarted(JOB, make_model("/m.pt"), 0, None))
    assert words(model)[0] == ["plain", "queued", "—", "—"]
    run.apply(events.OutcomeUpdated(1, outcome(ROWS[1], 6.0), True))
    assert words(model)[1][TIME] == "done"
    run.apply(events.OutcomeUpdated(0, outcome(ROWS[0]), True))
    assert [row[TIME] for row in words(model)] == ["4.00 ms", "6.00 ms · 1.50 ×", "queued", "queued", "queued"]


def test_a_row_that_could_not_run_has_its_own_sentence():
    """Train mode with a batch of one."""
    failed: Failure = failure("forward-raised", "train-batch-one", {"layer": "norm (BatchNorm2d)"})
    model = loaded(outcome(ROWS[0]), make_outcome(ROWS[2], status="failed", error=failed))
    assert words(model)[1][:2] == ["train mode", model.sentence(1)]
    assert "norm (BatchNorm2d) normalises over the batch" in model.sentence(1) and not model.sentence(0)


def test_other_runs_are_no_lesson():
    assert loaded(*make_run().outcomes).rowCount() == 0
    run = RunModel()
    model = TeachingModel(run)
    run.set_queued(msgspec.structs.replace(JOB, compare_outputs=False), make_model("/m.pt"))
    assert model.rowCount() == 0 and model.first is None

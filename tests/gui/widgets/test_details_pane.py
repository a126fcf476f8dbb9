"""The details of a row: how its figures came about, its code, its error."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPlainTextEdit

from engine.job import Configuration
from engine.result import Copies, Latency, Memory, Phases, Reason, Trust
from gui import text
from gui.models.run_model import RunModel
from gui.widgets.details_pane import DetailsPane
from gui.widgets.phase_bar import PhaseBar
from gui.widgets.visit_chart import tip
from tests.support.runs import CODE, make_outcome, make_run


@pytest.fixture
def pane(show):
    """A pane for outcomes."""

    def made(*outcomes):
        return show(DetailsPane(RunModel.from_run(make_run(outcomes)) if outcomes else RunModel()), width=320, height=760)

    return made


def sentences(section):
    return [made.text() for made in section.findChildren(QLabel) if made.isVisibleTo(section) and made.text()]


def test_nothing_selected_says_what_to_do(pane):
    """And shows no section."""
    view = pane()
    assert view.empty_note.isVisible()
    assert not any(section.isVisible() for section in view.sections)


def test_a_measured_row(pane):
    """Name, reasons, why it stopped, phases, figures, code."""
    reason = Reason("cause-not-found", {}, "")
    view = pane(make_outcome(Configuration(precision="bf16", batch_size=8), trust=Trust("noisy", (reason,))))
    assert view.title.text() == "bf16 · batch 8 · cpu · eager · 1 thread"
    assert "The cause of the variation was not found." in sentences(view.outcome)
    assert "41.2 ms" in sentences(view.phases)
    assert view.code.view.toPlainText() == CODE.rstrip("\n")
    assert not view.error.isVisible()
    assert not view.advice.isVisible()


def test_what_loading_was_made_of_is_said_where_it_could_be_told(qapp):
    bar = PhaseBar()
    for phases, expected in (
        (Phases(load=41.2), ""), (Phases(load=41.2, load_reading=30.0), "load: reading 30.0 ms"),
        (Phases(load=41.2, load_reading=30.0, load_moving=9.5), "load: reading 30.0 ms, moving to the device 9.50 ms"),
    ):
        bar.show_phases(phases)
        assert bar._parts.text() == expected
        assert bar._parts.isHidden() is not bool(expected)


def test_figures_that_could_not_be_measured_are_left_out(pane):
    """No dashes in a list."""
    view = pane(make_outcome())
    view.figures.set_open(True)
    shown = sentences(view.figures)
    assert "process peak" in shown
    assert "device peak" not in shown
    assert "—" not in shown


def test_advice_is_there_only_when_there_is_some(pane):
    """As sentences in `adviceList`."""
    view = pane(make_outcome(advice=(Reason("new-advice", {}, "Try bf16."),)))
    assert view.advice.isVisible()
    assert view.advice.sentences.objectName() == "adviceList"
    assert sentences(view.advice.sentences) == ["Try bf16."]


def test_a_failed_row_has_its_sentence_and_its_traceback(pane):
    """The sentence first, the trace below, to be copied."""
    outcome = make_outcome(status="failed")
    view = pane(outcome)
    assert outcome.error.summary in sentences(view.outcome)
    assert outcome.error.hint in sentences(view.outcome)
    assert view.error.isVisible()
    assert "RuntimeError: expected 3 channels" in view.error.view.toPlainText()
    assert not view.figures.isVisible()


def test_a_queued_row_waits(show, running):
    """And says so."""
    view = show(DetailsPane(running), width=320, height=760)
    running.select(1)
    assert text.say("details.queued") in sentences(view.outcome)
    assert view.code.view.toPlainText() == text.say("details.no-code")
    assert not view.code.copy_button.isEnabled()


def test_the_selected_row_is_shown(pane, done, show):
    """Another row, other details; the log with it."""
    view = show(DetailsPane(done), width=320, height=760)
    done.select(5)
    assert view.title.text().startswith("fp32 · batch 1 · cpu · ONNX Runtime")
    view.log.set_open(True)
    assert view.log.view.toPlainText() == "line one\nline two"


def test_new_figures_come_with_the_next_refresh(show, running):
    """Only then: the pane is not filled anew for every block."""
    view = show(DetailsPane(running), width=320, height=760)
    running.rows[0].set_outcome(make_outcome(), final=True)
    assert view.code.view.toPlainText() == text.say("details.no-code")
    view.refresh()
    assert view.code.view.toPlainText() == CODE.rstrip("\n")


def test_code_is_copied_and_saved(pane, tmp_path):
    """As it stands."""
    view = pane(make_outcome())
    view.code.copy_button.click()
    assert QGuiApplication.clipboard().text() == CODE
    assert view.code.copy_button.text() == text.say("details.code-copied")
    view.code.save(str(tmp_path / "run.py"))
    assert (tmp_path / "run.py").read_text() == CODE


def test_a_place_that_cannot_be_written_is_told(pane, tmp_path, qtbot):
    """With a sentence and a next step, and nothing is lost."""
    view = pane(make_outcome())
    (tmp_path / "file").write_text("")
    with qtbot.waitSignal(view.problem_met) as met:
        view.code.save(str(tmp_path / "file" / "run.py"))
    assert str(tmp_path) in met.args[0].summary
    assert met.args[0].hint


def test_everything_can_be_selected_by_mouse(pane):
    """Sentences and code are there to be quoted."""
    view = pane(make_outcome(trust=Trust("noisy", (Reason("cause-not-found"),))))
    said = [made for made in view.outcome.sentences.findChildren(QLabel) if made.isVisible()]
    assert said
    assert all(made.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse for made in said)
    assert all(made.isReadOnly() for made in view.findChildren(QPlainTextEdit))


def test_sections_open_and_close(pane):
    """`codeButton` is the header of the code."""
    view = pane(make_outcome())
    header = view.code.header
    assert header.objectName() == "codeButton"
    assert view.code.view.isVisible()
    header.click()
    assert not view.code.view.isVisible()
    header.click()
    assert view.code.view.isVisible()


def test_nothing_is_wider_than_the_pane(pane):
    """Sentences wrap; only code scrolls sideways."""
    for language in ("en", "zh"):
        text.set_language(language)
        view = pane(make_outcome(status="failed"))
        for made in view.findChildren(QLabel):
            if made.isVisible():
                assert made.mapTo(view, made.rect().topRight()).x() <= view.width()


def test_the_language_switches_live(pane):
    """Titles and sentences."""
    view = pane(make_outcome(trust=Trust("noisy", (Reason("cause-not-found"),))))
    text.set_language("zh")
    assert view.outcome.header.text() == "结果"
    assert "未找到波动的原因。" in sentences(view.outcome)
    assert view.code.copy_button.text() == "复制"


def test_visits_are_drawn_and_say_their_figures(pane):
    view = pane(make_outcome(Configuration()))
    assert view.visits.chart.isVisible()
    assert len(view.visits.chart.figures) == 5
    assert "5 visits" in view.visits.chart.accessibleName()
    assert "median 4.28 ms" in tip(view.visits.chart.figures[0])


def test_samples_that_were_reduced_draw_no_visits(pane):
    outcome = make_outcome(Configuration())
    view = pane(msgspec.structs.replace(outcome, latency=msgspec.structs.replace(outcome.latency, count=900_000)))
    assert not view.visits.isVisible()


GPU_MEMORY = Memory(
    weights_bytes=100 << 20, inputs_bytes=10 << 20, context_bytes=500 << 20, activations_bytes=200 << 20, workspace_bytes=50 << 20, cached_bytes=20 << 20,
    others_bytes=0, driver_bytes=888 << 20, device_peak_bytes=880 << 20, device_memory_source="process",
)


def test_memory_is_a_waterfall_that_says_what_it_adds_up_to(pane):
    view = pane(make_outcome(Configuration(device="cuda:0"), memory=GPU_MEMORY))
    assert view.memory.chart.lines.texts() == [
        ("context", "500 MiB"), ("weights", "100 MiB"), ("inputs", "10.0 MiB"), ("activations", "200 MiB"), ("workspace", "50.0 MiB"), ("cached, free", "20.0 MiB"),
        ("others", "0 B"),
    ]
    assert sentences(view.memory)[-1] == "Adds up to 99.1 % of the 888 MiB that the driver shows."


def test_a_part_that_was_not_read_is_named(pane):
    view = pane(make_outcome(Configuration(device="cuda:0"), memory=msgspec.structs.replace(GPU_MEMORY, context_bytes=None, workspace_bytes=None)))
    assert sentences(view.memory)[-1] == "Not read: context, workspace."


def test_growth_and_rest_on_the_cpu(pane):
    memory = Memory(weights_bytes=100 << 20, growth_bytes=30 << 20, process_peak_bytes=400 << 20)
    view = pane(make_outcome(Configuration(), memory=memory))
    assert view.memory.chart.lines.texts() == [("weights", "100 MiB"), ("growth", "30.0 MiB"), ("Python, torch", "270 MiB")]
    assert "400 MiB" in sentences(view.memory)[-1]


def test_times_stand_together_with_what_they_mean(pane):
    view = pane(make_outcome(
        Configuration(device="cuda:0"), latency=Latency(count=700, visits=5, p50_ms=1.0), device_latency=Latency(count=700, visits=5, p50_ms=0.95), enqueue_p50_ms=0.9,
        gpu_busy_ms=0.25, copies=Copies(to_device_ms=0.1, from_device_ms=0.1, to_device_bytes=1024, from_device_bytes=1024),
        energy={"joules_per_item": 0.5, "mean_watts": 300.0, "seconds": 2.0, "items": 10, "source": "counter"},
    ))
    lines = dict(view.times.lines.texts())
    assert (lines["call, host"], lines["enqueue"], lines["GPU busy"], lines["mean power"]) == ("1.00 ms", "900 µs", "250 µs", "300 W")
    assert any("Launch-bound" in sentence and "4.0 times" in sentence for sentence in sentences(view.times))


def test_a_row_of_the_cpu_has_no_times_but_its_own(pane):
    assert not pane(make_outcome(Configuration())).times.isVisible()

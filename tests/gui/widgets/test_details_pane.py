"""The details of a row: how its figures came about, its code, its error."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPlainTextEdit

from engine.job import Configuration
from engine.result import Phases, Reason, Trust
from gui import text
from gui.models.run_model import RunModel
from gui.widgets.details_pane import DetailsPane
from gui.widgets.phase_bar import PhaseBar
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

"""The problem bar and the empty state."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QDialog, QLabel

from engine.result import Failure
from gui import text
from gui.models.problem import Problem, failure_problem, notice, problem
from gui.widgets.empty_state import EmptyState
from gui.widgets.problem_bar import HEIGHT, ProblemBar

BUSY = problem("problem.busy")
LOST = problem("problem.demo-missing", reason="gone")


@pytest.fixture
def bar(show, qtbot):
    return show(ProblemBar(), width=1200, height=0)


def grown(bar, qtbot, height):
    qtbot.waitUntil(lambda: bar.height() == height, timeout=2000)


def test_it_is_not_there_until_something_is_wrong(bar, qtbot):
    """It grows to one line and goes again."""
    assert bar.height() == 0
    bar.show_problem(BUSY)
    grown(bar, qtbot, HEIGHT)
    bar.close_button.click()
    grown(bar, qtbot, 0)


def test_the_newest_shows_with_what_to_do_and_how_many_more(bar):
    """Sentence, next step, count."""
    bar.show_problem(BUSY)
    assert bar.more.text() == ""
    bar.show_problem(LOST)
    assert bar.sentence.text() == f"{LOST.summary} {LOST.hint}"
    assert bar.more.text() == "1 more"
    bar.close_button.click()
    assert bar.sentence.text() == f"{BUSY.summary} {BUSY.hint}"
    bar.clear()
    assert bar.current is None


def test_what_is_solved_goes(bar, qtbot):
    """It alone, wherever it stands; what is about nothing stays."""
    no = problem("trust.rejected", about="trust /m.pth", name="m.pth")
    for each in (no, BUSY, problem("trust.rejected", about="trust /n.pth", name="n.pth")):
        bar.show_problem(each)
    bar.withdraw("trust /m.pth")
    bar.withdraw("")
    assert [each.summary for each in bar.problems] == [BUSY.summary, text.say("trust.rejected", name="n.pth")] and bar.more.text() == "1 more"
    bar.withdraw("trust /n.pth")
    assert bar.sentence.text() == f"{BUSY.summary} {BUSY.hint}"


def test_the_same_again_is_not_counted(bar):
    """A fault that repeats is one fault."""
    for _ in range(3):
        bar.show_problem(problem("problem.busy"))
    assert len(bar.problems) == 1


def test_good_news_gives_way(bar):
    """A notice is never one of the `more`."""
    bar.show_problem(notice("copy.done"))
    bar.show_problem(BUSY)
    assert bar.problems == [BUSY]


def test_buttons_only_where_there_is_something_behind_them(bar):
    """Details for a trace, Fix for a way out."""
    bar.show_problem(BUSY)
    assert not bar.details_button.isVisible()
    assert not bar.fix_button.isVisible()
    fixed = []
    bar.show_problem(Problem(lambda: ("a", "b"), details="trace", fix_code="run.plain", fix=lambda: fixed.append(1)))
    assert bar.details_button.isVisible()
    assert bar.fix_button.text() == text.say("run.plain")
    bar.fix_button.click()
    assert fixed == [1]
    assert bar.current is BUSY


def test_details_can_be_read_and_copied(bar, qtbot):
    """One click away."""
    bar.show_problem(failure_problem(Failure(code="load-failed", summary="It broke.", hint="Mend it.", details={"traceback": "Traceback 42"})))
    bar.details_button.click()
    dialog = bar.findChild(QDialog, "problemDialog")
    assert "Traceback 42" in dialog.findChild(object, "problemDetails").toPlainText()
    assert "It broke." in [made.text() for made in dialog.findChildren(QLabel)]
    dialog.close()


def test_a_long_sentence_is_elided_and_whole_in_the_tooltip(bar):
    """The line never grows beyond the window, and markup of a file name stays text."""
    long = "<b>" + "x" * 600
    bar.show_problem(Problem(lambda: (long, "Do this.")))
    assert bar.sentence.text().endswith("…")
    assert bar.sentence.toolTip() == f"{long} Do this."
    assert bar.minimumSizeHint().width() < 600


def test_it_follows_the_language(bar):
    """A problem that stands there is said again."""
    bar.show_problem(BUSY)
    text.set_language("zh")
    assert bar.sentence.text() == f"{BUSY.summary}{BUSY.hint}"
    assert bar.details_button.text() == "详情"


def test_the_empty_state_offers_three_ways(show, qtbot):
    """Open, demo, recent files: the newest five."""
    state = show(EmptyState(), width=668, height=600)
    with qtbot.waitSignal(state.open_requested):
        state.open_button.click()
    with qtbot.waitSignal(state.demo_requested):
        state.demo_button.click()
    assert not state.recent_title.isVisible()
    state.set_recents([f"/models/{number}&co.pth" for number in range(8)])
    shown = [button for button in state.recent_buttons if button.isVisible()]
    assert len(shown) == 5
    with qtbot.waitSignal(state.recent_chosen) as chosen:
        shown[2].click()
    assert chosen.args == ["/models/2&co.pth"]
    state.set_recents([])
    assert not any(button.isVisible() for button in state.recent_buttons)


def test_the_empty_state_follows_the_language(show):
    """Live."""
    state = show(EmptyState(), width=668, height=600)
    text.set_language("zh")
    assert state.open_button.text() == "打开模型"
    assert state.sentence.text().startswith("把模型拖到这里")


def test_what_is_cut_off_can_be_opened_whole(bar, qtbot):
    """Without a mouse there is no tooltip."""
    bar.show_problem(BUSY)
    assert not bar.details_button.isVisibleTo(bar)
    long = problem("problem.demo-missing", reason="gone " * 100)
    bar.show_problem(long)
    assert bar.details_button.isVisibleTo(bar)
    bar.details_button.click()
    dialog = bar.findChild(QDialog)
    assert any(label.text() == long.summary for label in dialog.findChildren(QLabel)) and not dialog.findChild(object, "problemDetails").isVisible()
    dialog.close()

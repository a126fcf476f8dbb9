"""The Compare tab and its button: two marked rows, a baseline, the ratio that narrows, the verdict, Stop."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QPushButton

from engine import events
from engine.job import Configuration
from engine.result import Comparison
from gui import text, theme
from gui.models.comparisons import Comparisons
from gui.models.preferences import Preferences
from gui.models.session import Session
from gui.settings import SettingsFile
from gui.widgets.lower_tabs import make_bench
from tests.support.fake_engine import FakeEngine
from tests.support.runs import make_model, make_outcome, make_run

MODEL = make_model("/models/a.jit", kind="torchscript", architecture=None)
STEPS = tuple((6 * number, 1.05, 1.05 - 0.2 / number, 1.05 + 0.2 / number) for number in range(3, 9))
SLOWER = Comparison(verdict="SLOWER", ratio=1.05, ci95=(1.025, 1.075), blocks=48, samples_needed=0, medians_a_ms=(1.0,), medians_b_ms=(1.05,), steps=STEPS)


class Desk:
    """A bench on a session whose engine is the test's, showing a saved run of three rows, one of which failed."""

    def __init__(self, folder, show):
        self.session = Session(Preferences(SettingsFile(folder / "settings.json")))
        self.engine = FakeEngine()
        self.engine.told.connect(self.session.apply)
        self.engine.start_engine()
        self.session.set_engine(self.engine)
        rows = (make_outcome(), make_outcome(Configuration(batch_size=2)), make_outcome(Configuration(batch_size=4), status="failed"))
        self.bench = make_bench(self.session)
        show(self.bench, 700, 720)
        self.engine.emit(events.RunLoaded("/history/r.json", make_run(rows, model=MODEL)))
        self.button = self.find("compareButton", QPushButton)

    def find(self, name, kind=object):
        found = self.bench.findChild(kind, name)
        assert found is not None, name
        return found

    def mark(self, *places):
        """As Ctrl+click does."""
        table, kinds = self.bench.table, QItemSelectionModel.SelectionFlag
        table.selectionModel().clearSelection()
        for place in places:
            table.selectionModel().setCurrentIndex(table.table.index(place, 0), kinds.NoUpdate)
            table.selectionModel().select(table.table.index(place, 0), kinds.Select | kinds.Rows)

    def start(self):
        self.mark(0, 1)
        self.button.click()
        name, job_a, info_a, job_b, info_b = self.engine.calls[-1]
        assert name == "compare"
        self.engine.emit(events.ComparisonStarted(job_a=job_a, job_b=job_b, model_a=info_a, model_b=info_b, start_ns=0))

    def finish(self, found=SLOWER):
        run = make_run((make_outcome(), make_outcome(Configuration(batch_size=2))), comparison=found, model=MODEL)
        self.engine.emit(events.ComparisonFinished(run=run))


@pytest.fixture
def desk(tmp_path, show):
    return Desk(tmp_path, show)


def test_two_marked_rows_are_compared_and_the_tab_comes_forward(desk):
    desk.mark(1, 0)
    assert desk.button.text() == "Compare these two" and desk.button.isEnabled()
    desk.button.click()
    name, job_a, _, job_b, _ = desk.engine.calls[-1]
    assert name == "compare" and [job.configurations[0].batch_size for job in (job_a, job_b)] == [1, 2]
    assert desk.bench.tabs.currentWidget().objectName() == "comparePane"


def test_ctrl_click_marks_a_second_row_and_keeps_the_first(desk, qtbot):
    table = desk.bench.table

    def click(place, modifier=Qt.KeyboardModifier.NoModifier):
        at = table.visualRect(table.table.index(place, 0)).center()
        qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, modifier, QPoint(at.x(), at.y()))

    click(0)
    click(1, Qt.KeyboardModifier.ControlModifier)
    assert table.chosen_rows() == [0, 1] and desk.session.run.selected == 1
    assert desk.button.text() == "Compare these two"
    click(0)
    assert table.chosen_rows() == [0] and desk.session.run.selected == 0
    assert desk.button.text() == "Compare"


def test_one_row_is_offered_what_it_can_be_compared_with(desk):
    desk.mark(1)
    button = desk.button
    button.fill_menu()
    offered = [action for action in button.menu_shown.actions() if action.text() and not action.isSeparator()]
    assert [action.text() for action in offered] == ["a.jit · fp32 · b1", text.say("compare.menu-set")]
    offered[0].trigger()
    name, job_a, _, job_b, _ = desk.engine.calls[-1]
    assert name == "compare" and [job.configurations[0].batch_size for job in (job_a, job_b)] == [1, 2]


def test_a_baseline_is_offered_in_another_run(desk):
    desk.mark(0)
    desk.button.fill_menu()
    desk.button.menu_shown.actions()[-1].trigger()
    desk.engine.emit(events.RunLoaded("/history/s.json", make_run((make_outcome(Configuration(precision="bf16")),), id="other", model=MODEL)))
    desk.button.fill_menu()
    texts = [action.text() for action in desk.button.menu_shown.actions()]
    assert "Baseline: a.jit · fp32 · b1" in texts
    desk.button.menu_shown.actions()[texts.index("Baseline: a.jit · fp32 · b1")].trigger()
    assert desk.engine.calls[-1][0] == "compare"


def test_rows_without_figures_cannot_be_compared(desk):
    desk.mark(2)
    assert not desk.button.isEnabled()
    desk.mark(0, 2)
    assert desk.button.text() == "Compare"


def test_the_tab_follows_the_comparison_to_its_verdict(desk):
    assert desk.find("compareEmpty").isVisibleTo(desk.find("comparePane"))
    desk.start()
    stop = desk.find("compareStopButton", QPushButton)
    assert desk.find("compareVerdict").text() == "Measuring in turn" and stop.isVisible()
    desk.engine.emit(events.ComparisonUpdated(comparison=msgspec.structs.replace(SLOWER, verdict="CANNOT-TELL", samples_needed=12), rounds=7))
    assert "12 more" in desk.find("compareStanding").text() and "105.0 %" in desk.find("compareRatio").text()
    stop.click()
    assert desk.engine.names()[-1] == "cancel" and stop.text() == "Stop now"
    stop.click()
    assert desk.engine.names()[-1] == "stop_now"
    desk.finish()
    assert desk.find("compareVerdict").text() == "B is slower" and not stop.isVisible()
    assert desk.find("compareAgainButton", QPushButton).isEnabled()
    assert [row.state for row in desk.session.run.rows] == ["done", "done", "failed"]


def test_the_words_follow_the_language(desk):
    desk.start()
    desk.finish()
    text.set_language("zh")
    assert desk.find("compareVerdict").text() == "B 更慢" and desk.bench.tabs.tabText(1) == "对比" and desk.button.text() == "对比这两行"


def test_the_plot_narrows_and_shows_the_band(desk, qtbot):
    """Band, interval and ratio are where their values lie; the newest interval always fits."""
    desk.start()
    desk.finish()
    plot = desk.find("ratioPlot")
    area = plot.area()
    first, last = STEPS[0], STEPS[-1]
    low, high = plot.value_range()
    assert low <= 0.97 and high >= 1.08
    assert plot.place(first[0], first[3]).y() <= plot.place(last[0], last[3]).y() < plot.place(last[0], 1.05).y() < plot.place(last[0], 1.0).y()
    assert area.top() < plot.place(last[0], last[3]).y() and plot.place(last[0], 0.98).y() < area.bottom()
    assert 1.0 in plot.ticks() and len(plot.ticks()) <= 7
    image = plot.grab().toImage()
    scale = image.width() / plot.width()
    point = plot.place(last[0] * 0.98, 1.05)
    bad, seen = QColor(theme.colours().bad), image.pixelColor(int(point.x() * scale), int(point.y() * scale))
    assert abs(seen.red() - bad.red()) < 90 and seen != QColor(theme.colours().surface)


def test_an_empty_plot_says_when_it_begins(desk):
    desk.start()
    low, high = desk.find("ratioPlot").value_range()
    assert low < 0.98 and high > 1.02
    desk.find("ratioPlot").grab()


@pytest.mark.parametrize("name", ["dark", "light"])
def test_both_appearances_are_painted(desk, qapp, name):
    desk.start()
    desk.finish()
    theme.apply_theme(qapp, name)
    assert desk.find("comparePane").grab().toImage().pixelColor(3, 3).isValid()
    assert theme.colours().bad in desk.find("compareVerdict").styleSheet()


def test_comparisons_are_the_sessions(desk):
    assert isinstance(desk.session.comparisons, Comparisons)

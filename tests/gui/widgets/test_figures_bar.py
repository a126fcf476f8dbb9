"""The headline figures say how sure they are, and never jump."""

from __future__ import annotations

import pytest

from engine.job import Configuration
from engine.result import Reason, Trust
from engine.statistics import sample_floor
from gui import text
from gui.models.run_model import RunModel
from gui.widgets.figures_bar import INTERVAL_S, FiguresBar
from tests.support.runs import make_outcome, make_run, make_samples


@pytest.fixture
def bar(show):
    """A bar for outcomes; `model` is its run."""

    def made(*outcomes, **options):
        model = RunModel.from_run(make_run(outcomes)) if outcomes else RunModel()
        return show(FiguresBar(model, **options), width=760, height=72), model

    return made


def test_a_median_stands_with_its_interval(bar):
    """The caption has the half width in the figure's unit."""
    outcome = make_outcome(samples=make_samples(median_ms=12.0))
    view, _ = bar(outcome)
    low, high = outcome.latency.p50_ci95_ms
    half = max(high - outcome.latency.p50_ms, outcome.latency.p50_ms - low)
    assert float(view.p50.value.text()) == pytest.approx(outcome.latency.p50_ms, abs=half)
    assert view.p50.unit.text() == "ms"
    assert view.p50.caption.text().startswith("p50 ± ")
    assert float(view.p50.caption.text().split()[2]) == pytest.approx(half, rel=0.1)


def test_one_visit_shows_its_quartiles_and_says_so(bar):
    """No interval is made up."""
    view, _ = bar(make_outcome(samples=make_samples(visits=1)))
    assert "±" not in view.p50.caption.text()
    assert view.p50.caption.text().startswith("p50 · quartiles ")
    assert "1 visit, no interval" in view.p50.toolTip()
    assert text.say("term.quartiles") in view.p50.toolTip()


def test_p99_below_its_floor_says_how_many_more(bar):
    """Grey, with the number that is missing."""
    view, _ = bar(make_outcome(samples=make_samples(count=300)))
    assert view.p99.value.text() == "—"
    assert view.p99.caption.text() == f"p99 · {sample_floor(0.99) - 300} more"
    assert view.p99.value.property("role") == "figure-muted"
    assert "there are 300" in view.p99.toolTip()


def test_p99_above_its_floor_is_shown(bar):
    """The figure of the outcome."""
    outcome = make_outcome(samples=make_samples(count=800))
    view, _ = bar(outcome)
    assert float(view.p99.value.text()) == pytest.approx(outcome.latency.p99_ms, rel=0.01)
    assert view.p99.value.property("role") == "figure"


@pytest.mark.parametrize(("grade", "role"), [("good", "grade-good"), ("noisy", "grade-noisy"), ("poor", "grade-poor")])
def test_trust_has_shape_word_and_colour(bar, grade, role):
    """And its reasons in the tooltip."""
    view, _ = bar(make_outcome(trust=Trust(grade, (Reason("cause-not-found"),))))
    assert view.trust.value.text() == text.say(f"grade.{grade}")
    assert view.trust.value.property("role") == role
    assert not view.trust.picture.pixmap().isNull()
    assert "The cause of the variation was not found." in view.trust.toolTip()


def test_memory_is_where_the_model_ran(bar):
    """The device's on CUDA, the process's on a CPU."""
    view, model = bar(make_outcome(), make_outcome(Configuration(device="cuda:0")))
    assert (view.memory.value.text(), view.memory.unit.text()) == ("912", "MiB")
    model.select(1)
    assert (view.memory.value.text(), view.memory.unit.text()) == ("3.00", "GiB")


@pytest.mark.parametrize("status", ["out-of-memory", "failed", "cancelled"])
def test_a_row_without_figures_shows_none(bar, status):
    """Dashes, not zeros."""
    view, _ = bar(make_outcome(status=status))
    assert {figure.value.text() for figure in (view.p50, view.p99, view.throughput, view.memory, view.trust)} == {"—"}
    assert not view.keep_button.isEnabled()


def test_widths_do_not_jump_with_the_digits(bar):
    """What stands beside a figure stays where it is."""
    view, model = bar(make_outcome(samples=make_samples(median_ms=3.0)), make_outcome(samples=make_samples(median_ms=77.0)))
    before = [figure.x() for figure in (view.p50, view.p99, view.throughput, view.memory, view.trust)]
    model.select(1)
    view.layout().activate()
    assert [figure.x() for figure in (view.p50, view.p99, view.throughput, view.memory, view.trust)] == before


def test_every_figure_is_whole_at_the_smallest_width(bar):
    """Nothing is cut off in the centre of a window of 1280."""
    view, _ = bar(make_outcome(samples=make_samples(median_ms=11.9, count=300), trust=Trust("noisy")))
    for language in ("en", "zh"):
        text.set_language(language)
        view.resize(668, 72)
        view.layout().activate()
        for figure in (view.p50, view.p99, view.throughput, view.memory, view.trust):
            for made in (figure.value, figure.unit, figure.caption):
                assert made.width() >= made.sizeHint().width(), (language, made.text())
            assert figure.geometry().right() < view.keep_button.x()


def test_figures_change_four_times_a_second_at_most(bar, qtbot):
    """Faster cannot be read; the last figures come all the same."""
    now = [0.0]
    view, model = bar(make_outcome(samples=make_samples(median_ms=3.0)), clock=lambda: now[0])
    before = view.p50.value.text()
    now[0] = INTERVAL_S / 2
    model.rows[0].set_outcome(make_outcome(samples=make_samples(median_ms=50.0)), final=True)
    view.refresh()
    assert view.p50.value.text() == before
    now[0] = 2 * INTERVAL_S
    qtbot.waitUntil(lambda: view.p50.value.text() != before)
    assert float(view.p50.value.text()) == pytest.approx(50, rel=0.05)


def test_buttons_are_there_when_they_mean_something(bar, running, show):
    """Keep measuring for a measured row of an idle run; Follow live after the user picked another row."""
    view, _ = bar(make_outcome())
    assert view.keep_button.isEnabled()
    assert not view.follow_button.isVisible()
    live = show(FiguresBar(running), width=760, height=72)
    assert not live.keep_button.isEnabled()
    assert not live.follow_button.isVisible()
    running.select(1, by_user=True)
    assert live.follow_button.isVisible()


def test_buttons_ask_the_window(bar, qtbot):
    """The bar itself measures nothing."""
    view, _ = bar(make_outcome())
    with qtbot.waitSignal(view.keep_measuring_requested):
        view.keep_button.click()
    with qtbot.waitSignal(view.follow_live_requested):
        view.follow_button.click()


def test_a_narrow_bar_keeps_its_buttons_as_icons(bar):
    """Words give way, names stay for assistive technology."""
    view, _ = bar(make_outcome())
    view.resize(600, 72)
    assert view.keep_button.text() == ""
    assert view.keep_button.accessibleName() == text.say("figures.keep")
    view.resize(760, 72)
    assert view.keep_button.text() == text.say("figures.keep")


def test_the_language_switches_live(bar):
    """Captions, word and tooltip."""
    view, _ = bar(make_outcome(samples=make_samples(count=300), trust=Trust("noisy")))
    text.set_language("zh")
    assert view.trust.value.text() == "波动大"
    assert view.p99.caption.text() == "p99 · 还需 362 个"
    assert view.keep_button.text() == "继续测量"


def test_terms_are_explained_in_two_lines():
    """Each tooltip of a term is two lines in both languages."""
    for code, both in text.TABLE.items():
        if code.startswith("term."):
            assert [words.count("\n") for words in both] == [1, 1], code

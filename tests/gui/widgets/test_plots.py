"""Latency and memory plots: everything is drawn, only when it is new, and the user's zoom is the user's."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication

from engine import events
from engine.job import Configuration
from gui import text, theme
from gui.models.run_model import RunModel
from gui.widgets.axes import tick_strings
from gui.widgets.latency_plot import LatencyPlot
from gui.widgets.memory_plot import MemoryPlot, _thinned
from tests.support.fake_engine import block
from tests.support.runs import make_outcome, make_run


@pytest.fixture
def pair(show):
    """Both plots of a model on one time axis."""

    def made(model):
        latency, memory = show(LatencyPlot(model)), show(MemoryPlot(model), height=200)
        memory.link_time_axis(latency)
        settle(latency, memory)
        return latency, memory

    return made


def settle(*plots):
    for _ in range(12):
        for plot in plots:
            plot.refresh()
        QApplication.processEvents()


def picture(plot):
    settle(plot)
    return plot.widget.grab().toImage()


def has_colour(image, colour, tolerance=12):
    wanted = QColor(colour)
    found = (image.pixelColor(x, y) for x in range(70, image.width(), 2) for y in range(0, image.height(), 2))
    return any(max(abs(each.red() - wanted.red()), abs(each.green() - wanted.green()), abs(each.blue() - wanted.blue())) <= tolerance for each in found)


def turn_wheel(plot, by=120, modifiers=Qt.KeyboardModifier.NoModifier):
    middle = QPointF(plot.widget.width() / 2, plot.widget.height() / 2)
    event = QWheelEvent(
        middle, plot.widget.viewport().mapToGlobal(middle), QPoint(), QPoint(0, by), Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )
    QApplication.sendEvent(plot.widget.viewport(), event)
    settle(plot)


@pytest.mark.parametrize(("values", "scale", "spacing", "words"), [
    ([0.0, 5.0, 10.0], 1.0, 5.0, ["0", "5", "10"]),
    ([0.001, 0.0015], 1000.0, 0.0005, ["1.0", "1.5"]),
    ([1.25, 1.5], 1.0, 0.25, ["1.25", "1.50"]),
    ([-0.0, 20_000.0], 1.0, 20_000.0, ["0", "20,000"]),
])
def test_ticks_are_plain_numbers(values, scale, spacing, words):
    """No prefixes, no powers of ten, no minus before zero, and as many digits as tell two ticks apart."""
    assert tick_strings(values, scale, spacing) == words


def test_an_empty_plot_says_what_will_be_there(pair, qapp):
    """Never an empty box."""
    latency, memory = pair(RunModel())
    assert latency.empty_note.text() == text.say("plot.latency-empty")
    assert memory.empty_note.text() == text.say("plot.memory-empty")


def test_a_failed_row_says_that_nothing_was_measured(pair, done):
    """An out-of-memory row has no points, and says so."""
    latency, _ = pair(done)
    done.select(3)
    settle(latency)
    assert latency.empty_note.text() == text.say("plot.latency-none")
    assert latency.empty_note.isVisible()


def test_new_samples_change_the_picture(pair, running):
    """Live means that pixels differ, and warm-up is not in the accent."""
    latency, _ = pair(running)
    before = picture(latency)
    running.apply(block(0, 50, 0.5, steady=False, ms=3.0))
    warm = picture(latency)
    assert warm != before
    assert not has_colour(warm, theme.current().accent, tolerance=75)
    running.apply(block(0, 80, 1.0, ms=3.0))
    assert has_colour(picture(latency), theme.current().accent, tolerance=75)
    assert latency.warm_up_label.text() == text.say("plot.warm-up")


def test_nothing_is_drawn_when_nothing_is_new(pair, done):
    """A window at rest costs nothing."""
    latency, memory = pair(done)
    painted = []
    for plot in (latency, memory):
        plot.canvas._paint = lambda painter, paint=plot._paint: (painted.append(1), paint(painter))
    settle(latency, memory)
    assert painted == []
    done.select(1)
    settle(latency, memory)
    assert painted


def test_the_selected_row_fills_the_range(pair, done):
    """What is selected is seen whole but for rare spikes, and those are told."""
    latency, _ = pair(done)
    for index in (0, 1, 2):
        done.select(index)
        settle(latency)
        values = done.rows[index].samples.xy()[1]
        low, high = latency.view.viewRange()[1]
        assert low <= values.min()
        hidden = int((values > high).sum())
        assert hidden < 0.01 * len(values)
        assert latency.above_label.text() == (text.say("plot.above", n=hidden) if hidden else "")


def test_both_plots_share_one_time_axis(pair, done):
    """A time stands at the same place in both."""
    latency, memory = pair(done)
    assert latency.view.viewRange()[0] == pytest.approx(memory.view.viewRange()[0], abs=1e-6)
    turn_wheel(latency)
    settle(memory)
    assert latency.view.viewRange()[0] == pytest.approx(memory.view.viewRange()[0], abs=1e-6)


def test_the_whole_run_is_in_view_when_it_is_done(pair, done):
    """From the start to the last sample of any row."""
    latency, _ = pair(done)
    left, right = latency.view.viewRange()[0]
    ends = [row.samples.xy()[0][-1] for row in done.rows if len(row.samples)]
    assert left == 0
    assert max(ends) <= right <= 1.1 * max(ends)


@pytest.mark.parametrize("which", [0, 1])
def test_new_samples_leave_the_users_zoom_alone(pair, running, which):
    """The range stays until a double click, in whichever plot it was chosen."""
    running.apply(block(0, 200, 0.5))
    plots = pair(running)
    turn_wheel(plots[which], 480)
    chosen = plots[0].view.viewRange()[0]
    assert plots[0].is_zoomed
    assert plots[0].zoom_note.text() == text.say("plot.zoomed")
    running.apply(block(0, 200, 30.0))
    settle(*plots)
    assert plots[0].view.viewRange()[0] == pytest.approx(chosen)
    plots[which].view.reset_requested.emit()
    settle(*plots)
    assert not plots[0].is_zoomed
    assert plots[0].view.viewRange()[0][1] > 30
    assert plots[0].zoom_note.text() == ""


def test_follow_live_shows_everything_again(pair, running):
    """Following means to see what comes."""
    running.apply(block(0, 200, 0.5))
    latency, _ = pair(running)
    running.select(1, by_user=True)
    turn_wheel(latency, 480)
    assert latency.is_zoomed
    running.follow_live()
    settle(latency)
    assert not latency.is_zoomed


def test_shift_and_wheel_zoom_the_values(pair, done):
    """Spikes above the range can be brought into it."""
    latency, _ = pair(done)
    top = latency.view.viewRange()[1][1]
    turn_wheel(latency, -480, Qt.KeyboardModifier.ShiftModifier)
    assert latency.view.viewRange()[1][1] > top
    assert latency.is_zoomed


def test_the_pointer_reads_both_plots(pair, done):
    """Time, latency and memory of one moment."""
    latency, memory = pair(done)
    t_s, ms = (float(column[100]) for column in done.rows[0].samples.xy())
    latency.crosshair.point(t_s)
    assert latency.readout.text().startswith(f"{t_s:.3f} s")
    assert f"{ms:.1f} ms" in latency.readout.text()
    assert memory.readout.text().startswith("resident ")
    assert memory.cursor_s == t_s
    memory.crosshair.point(None)
    assert latency.readout.text() == ""


def test_the_unit_of_the_axis_suits_the_values(pair, running):
    """Microseconds for a tiny model, and the title says so."""
    running.apply(block(0, 100, 0.1, ms=0.045))
    latency, _ = pair(running)
    assert latency.title.text() == "Latency, µs"
    assert latency.value_axis.scale == pytest.approx(1000)


def test_a_device_has_its_own_lines(pair, done):
    """Used, reserved and allocated on CUDA; resident memory on the CPU."""
    _, memory = pair(done)
    assert [line.code for line in memory.lines()] == ["track.worker_resident_bytes"]
    done.select(2)
    settle(memory)
    assert [line.code for line in memory.lines()] == ["track.gpu_memory_bytes", "track.reserved_bytes", "track.allocated_bytes"]
    assert len({line.colour for line in memory.lines()}) == 3
    assert memory.title.text() == "Memory on the device, GiB"
    assert all(has_colour(picture(memory), line.colour) for line in memory.lines())


def test_memory_starts_at_zero(pair, done):
    """The height of a line is its size."""
    _, memory = pair(done)
    low, high = memory.view.viewRange()[1]
    assert low == 0
    assert high > max(done.rows[0].timeline["worker_resident_bytes"].xy()[1])


def test_a_line_is_not_drawn_where_nobody_looked(pair, running):
    """Readings far apart are two lines."""
    for t_s in (0.1, 0.2, 0.3, 9.0, 9.1):
        running.apply(events.MonitorSampled(0, int(t_s * 1e9), {"worker_resident_bytes": 1e9}))
    _, memory = pair(running)
    assert [len(part) for part in memory._polylines(memory.lines()[0].series)] == [3, 2]


def test_thinning_keeps_peaks_and_ends():
    """A peak that lasts one reading survives."""
    x, y = np.arange(100_000.0), np.zeros(100_000)
    y[77_777] = 5.0
    thin_x, thin_y = _thinned(x, y, most=1000)
    assert len(thin_x) <= 1002
    assert thin_y.max() == 5.0
    assert thin_x[-1] == x[-1]
    assert np.all(np.diff(thin_x) > 0)


def test_both_plots_follow_theme_and_language(pair, done, qapp):
    """Live, without a restart."""
    latency, memory = pair(done)
    theme.apply_theme(qapp, "dark")
    text.set_language("zh")
    settle(latency, memory)
    assert latency.widget.backgroundBrush().color() == QColor(theme.DARK.surface)
    assert picture(latency).pixelColor(latency.widget.width() - 2, 2) == QColor(theme.DARK.surface)
    assert memory.title.text() == "模型进程内存(MiB)"


def test_a_new_run_starts_afresh(pair, done):
    """Points of the old run are gone, and so is the zoom."""
    latency, _ = pair(done)
    turn_wheel(latency, 480)
    done.load(make_run((make_outcome(Configuration(precision="bf16")),)))
    settle(latency)
    assert not latency.is_zoomed
    assert {key[0] for key in latency._rasters} == {0}
    assert latency.name_label.text() == "bf16 · b1"


def test_rows_of_a_saved_run_are_drawn_beside_the_selected_one(pair, done):
    """They are decoded one after another, and all of them in the end."""
    pair(done)
    assert all(row.is_filled for row in done.rows)


def test_an_empty_plot_has_no_numbers_and_no_crosshair(pair, done):
    """Numbers without data would be made up."""
    latency, _ = pair(done)
    assert latency.value_axis.style["showValues"]
    latency.crosshair.point(5.0)
    done.select(3)
    settle(latency)
    assert not latency.value_axis.style["showValues"]
    assert latency.readout.text() == ""
    done.select(0)
    settle(latency)
    assert latency.value_axis.style["showValues"]
    assert latency.empty_note.isHidden()

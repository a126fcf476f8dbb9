"""Hover one plot, see the other: one line, and both values read out."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from gui.widgets.crosshair import Crosshair
from gui.widgets.latency_plot import LatencyPlot
from gui.widgets.memory_plot import MemoryPlot


@pytest.fixture
def pair(show, done):
    latency, memory = show(LatencyPlot(done)), show(MemoryPlot(done), height=200)
    memory.link_time_axis(latency)
    for _ in range(12):
        latency.refresh()
        memory.refresh()
        QApplication.processEvents()
    return latency, memory


def hover(plot, t_s):
    """The pointer itself, over the plot's own pixels."""
    scene = plot.view.mapViewToScene(QPointF(t_s, sum(plot.view.viewRange()[1]) / 2))
    place = QPointF(plot.widget.mapFromScene(scene))
    viewport = plot.widget.viewport()
    QApplication.sendEvent(viewport, QMouseEvent(
        QEvent.Type.MouseMove, place, QPointF(viewport.mapToGlobal(place.toPoint())), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
    ))
    QApplication.processEvents()


@pytest.mark.parametrize("which", [0, 1])
def test_hovering_one_reads_both(pair, done, which):
    """At the same time, whichever of them the pointer is over."""
    latency, memory = pair
    t_s = float(done.rows[0].samples.xy()[0][100])
    hover(pair[which], t_s)
    assert latency.cursor_s == memory.cursor_s == pytest.approx(t_s, abs=0.02)
    assert " ms" in latency.readout.text() and memory.readout.text().startswith("resident ")
    assert latency.x_pixel(t_s) == pytest.approx(memory.x_pixel(t_s), abs=1.0)


@pytest.mark.parametrize("which", [0, 1])
def test_line_and_mark_are_drawn_on_the_other_plot(pair, done, which):
    """Its picture changes where the line is, over its whole height."""
    other = pair[1 - which]
    t_s = float(done.rows[0].samples.xy()[0][100])
    before = other.widget.grab().toImage()
    hover(pair[which], t_s)
    after = other.widget.grab().toImage()
    column = round(other.view.sceneBoundingRect().left() + other.x_pixel(other.cursor_s))
    changed = [y for y in range(after.height()) if any(before.pixel(x, y) != after.pixel(x, y) for x in range(column - 1, column + 2))]
    assert len(changed) > 0.3 * after.height() and changed[-1] - changed[0] > 0.7 * other.view.height()
    aside = [y for y in range(after.height()) if before.pixel(column + 6, y) != after.pixel(column + 6, y)]
    assert not aside


def test_the_line_leaves_with_the_pointer(pair):
    latency, memory = pair
    hover(memory, 2.0)
    assert latency.cursor_s is not None
    QApplication.sendEvent(memory.widget, QEvent(QEvent.Type.Leave))
    assert latency.cursor_s is None and latency.readout.text() == "" == memory.readout.text()


def test_it_tells_only_of_a_move(qapp, qtbot):
    crosshair, told = Crosshair(), []
    crosshair.moved.connect(lambda: told.append(crosshair.t_s))
    for t_s in (1.0, 1.0, 2.0, None, None):
        crosshair.point(t_s)
    assert told == [1.0, 2.0, None]

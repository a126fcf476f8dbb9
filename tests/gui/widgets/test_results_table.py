"""The results table: the user's choice is the run's selection, and a failure takes the width of its row."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from gui import text
from gui.models.results_table_model import COLUMNS
from gui.models.run_model import RunModel
from gui.widgets.results_table import ResultsTable


@pytest.fixture
def table(show, done):
    return show(ResultsTable(done), width=668, height=320)


def place_of(table, x=200, row=0):
    rect = table.visualRect(table.table.index(row, 0))
    return rect.center()


def test_a_click_selects_the_row(table, done, qtbot):
    """Figures, graphs and details follow."""
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place_of(table, row=2))
    assert done.selected == 2


def test_the_users_choice_ends_following(show, running, qtbot):
    """While a job runs the newest row is shown until another is picked."""
    table = show(ResultsTable(running), width=668, height=280)
    assert running.is_following
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place_of(table, row=1))
    assert (running.selected, running.is_following) == (1, False)
    running.follow_live()
    assert table.currentIndex().row() == 0
    assert running.is_following


def test_keys_select_too(table, done, qtbot):
    """Without a mouse."""
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert done.selected == 1


def test_a_selection_made_elsewhere_is_shown(table, done):
    """And is not the user's."""
    done.select(5)
    assert table.currentIndex().row() == 5


def test_a_failure_takes_the_width_of_its_row(table):
    """The sentence is read without widening a column; it moves along when the rows are sorted."""
    assert [table.columnSpan(row, 1) for row in range(7)] == [1, 1, 1, 6, 6, 6, 6]
    table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    spans = [table.columnSpan(row, 1) for row in range(7)]
    assert spans == [1, 1, 1, 6, 6, 6, 6]
    table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert [table.columnSpan(row, 1) for row in range(7)] == [6, 6, 6, 6, 1, 1, 1]


def test_sorting_keeps_the_selection(table, done):
    """The same configuration stays selected at its new place."""
    done.select(2)
    table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert table.table.index_of(table.currentIndex().row()) == 2
    assert done.selected == 2


def test_columns_fit_the_pane(table):
    """Nothing scrolls sideways in the centre of a window of 1280."""
    assert table.horizontalHeader().length() <= table.viewport().width() + 1
    assert all(table.columnWidth(number) >= 50 for number in range(len(COLUMNS)))
    assert not table.horizontalScrollBar().isVisible()


def test_copy_puts_markdown_on_the_clipboard(table):
    """With the model's name."""
    table.copy_action.trigger()
    words = QGuiApplication.clipboard().text()
    assert words == table.markdown()
    assert words.startswith("**resnet50.pth**")


def test_an_empty_table_says_so(show, qapp):
    """Never an empty box."""
    run = RunModel()
    table = show(ResultsTable(run), width=668, height=280)
    assert table.empty_note.isVisible()
    assert table.empty_note.text() == text.say("table.empty")


def test_every_row_has_a_shape(table, done):
    """A row's state is seen without its colour: done, out of memory, not possible, failed differ."""
    done.select(6)
    QApplication.processEvents()
    pictures = []
    for row in (0, 2, 3, 4, 5):
        rect = table.visualRect(table.table.index(row, 0))
        image = table.viewport().grab(rect.adjusted(4, 2, 24 - rect.width(), -2)).toImage()
        ground = image.pixelColor(0, 0)
        pictures.append(tuple(image.pixelColor(x, y) == ground for x in range(image.width()) for y in range(image.height())))
    assert pictures[0] == pictures[1]
    assert not any(all(picture) for picture in pictures)
    assert len(set(pictures)) == 4

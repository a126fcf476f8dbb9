"""The rows of a run as a Qt table: sorting, words for every cell, numbers to sort by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from engine import units
from gui import text
from gui.models import row_words as words
from gui.models.row import Row
from gui.models.run_model import RunModel

Index = QModelIndex | QPersistentModelIndex
STATE_ROLE = Qt.ItemDataRole.UserRole + 1
"""Name of the icon for where the row stands."""
GRADE_ROLE = Qt.ItemDataRole.UserRole + 2
MUTED_ROLE = Qt.ItemDataRole.UserRole + 3
SORT_ROLE = Qt.ItemDataRole.UserRole + 4


@dataclass(frozen=True)
class Column:
    """One column: its code in gui.text, its words, what it sorts by, and its term's tooltip."""

    name: str
    words: Callable[[Row], str]
    key: Callable[[Row], Any]
    term: str
    is_number: bool = True


def _latency(name: str) -> Callable[[Row], float | None]:
    return lambda row: getattr(row.outcome.latency, name) if row.outcome is not None and row.outcome.latency is not None else None


def _p50(row: Row) -> str:
    return words.p50_text(row.outcome.latency if row.outcome else None)


def _p99(row: Row) -> str:
    latency = row.outcome.latency if row.outcome else None
    missing = words.p99_missing(latency)
    return text.say("table.needs", n=units.format_count(missing)) if missing else units.format_duration_ms(latency.p99_ms if latency else None)


def _throughput(row: Row) -> float | None:
    return row.outcome.throughput_per_s if row.outcome else None


def _grade(row: Row) -> str:
    return row.outcome.trust.grade if row.outcome is not None and row.outcome.trust is not None else ""


COLUMNS = (
    Column("config", lambda row: "", lambda row: row.index, "term.config", is_number=False),
    Column("p50", _p50, _latency("p50_ms"), "term.p50"),
    Column("p99", _p99, _latency("p99_ms"), "term.p99"),
    Column("throughput", lambda row: units.significant(_throughput(row)), _throughput, "term.throughput"),
    Column("memory", lambda row: units.format_bytes(words.peak_bytes(row.outcome)), lambda row: words.peak_bytes(row.outcome), "term.memory-cpu"),
    Column("accuracy", words.accuracy_text, words.accuracy_text, "term.accuracy", is_number=False),
    Column("trust", lambda row: words.trust_text(row.outcome), lambda row: {"good": 0, "noisy": 1, "poor": 2}.get(_grade(row)), "term.trust", is_number=False),
)


class ResultsTableModel(QAbstractTableModel):
    """A view of a `RunModel`; row numbers here are places on the screen, `index_of` gives the run's."""

    def __init__(self, run: RunModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run = run
        self._order: list[int] = [row.index for row in run.rows]
        self._sorted: tuple[int, Qt.SortOrder] = (0, Qt.SortOrder.AscendingOrder)
        run.reset.connect(self._on_reset)
        run.row_added.connect(self._on_added)
        run.row_changed.connect(self._on_changed)
        text.current.changed.connect(self.retranslate)

    def row_at(self, place: int) -> Row:
        """The row on this place of the screen."""
        return self._run.rows[self._order[place]]

    def index_of(self, place: int) -> int:
        """The run's index of the row on this place."""
        return self._order[place]

    def place_of(self, index: int) -> int:
        """Where the run's row stands on the screen."""
        return self._order.index(index)

    def name_of(self, row: Row) -> str:
        """What tells this row from the others."""
        return words.short_name(row.configuration, [other.configuration for other in self._run.rows])

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        """How many configurations there are."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        """How many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A column's name, and its term in two lines."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return text.say(f"table.{column.name}")
        if role == Qt.ItemDataRole.ToolTipRole:
            return text.say(column.term)
        return _alignment(column) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The words, tooltip, alignment, icon, grade and sort key of a cell."""
        if not index.isValid():
            return None
        row, column = self.row_at(index.row()), COLUMNS[index.column()]
        answers: dict[int, Callable[[], Any]] = {
            int(Qt.ItemDataRole.DisplayRole): lambda: self._words(row, column),
            int(Qt.ItemDataRole.ToolTipRole): lambda: self._tip(row, column),
            int(Qt.ItemDataRole.AccessibleTextRole): lambda: self._spoken(row, column),
            int(Qt.ItemDataRole.TextAlignmentRole): lambda: _alignment(column) if words.has_figures(row) else _LEFT,
            STATE_ROLE: lambda: words.picture(row),
            GRADE_ROLE: lambda: _grade(row),
            MUTED_ROLE: lambda: _is_muted(row, column),
            SORT_ROLE: lambda: column.key(row),
        }
        answer = answers.get(role)
        return answer() if answer else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order by a column; what is not known stands last either way."""
        self._sorted = (column, order)
        self.layoutAboutToBeChanged.emit()
        old = self._order
        self._order = self._in_order()
        before = self.persistentIndexList()
        self.changePersistentIndexList(before, [self.index(self._order.index(old[each.row()]), each.column()) for each in before])
        self.layoutChanged.emit()

    def retranslate(self) -> None:
        """Say every word again."""
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)
        if self._order:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._order) - 1, len(COLUMNS) - 1))

    def _in_order(self) -> list[int]:
        key, rows = COLUMNS[self._sorted[0]].key, self._run.rows
        known = [index for index in self._order if key(rows[index]) is not None]
        known.sort(key=lambda index: (key(rows[index]), index), reverse=self._sorted[1] == Qt.SortOrder.DescendingOrder)
        return known + sorted(index for index in self._order if key(rows[index]) is None)

    def _words(self, row: Row, column: Column) -> str:
        if column.name == "config":
            return self.name_of(row)
        sentence = words.failure_sentence(row)
        if sentence:
            return sentence if column.name == "p50" else ""
        if not words.has_figures(row):
            return words.state_word(row) if column.name == "p50" else units.NONE if row.is_ended else ""
        return column.words(row)

    def _tip(self, row: Row, column: Column) -> str:
        if words.failure_sentence(row):
            return words.failure_sentence(row)
        missing = words.p99_missing(row.outcome.latency if row.outcome else None)
        if column.name == "p99" and missing:
            return text.say("table.needs.tip", n=units.format_count(missing))
        if column.name == "trust" and words.trust_reasons(row.outcome):
            return "\n".join(words.trust_reasons(row.outcome))
        if column.name == "config":
            return f"{words.full_name(row.configuration)} · {words.state_word(row)}"
        return text.say(column.term)

    def _spoken(self, row: Row, column: Column) -> str:
        return f"{self._words(row, column)}, {words.state_word(row)}" if column.name == "config" else self._words(row, column)

    def _on_reset(self) -> None:
        self.beginResetModel()
        self._order = [row.index for row in self._run.rows]
        self.endResetModel()

    def _on_added(self, index: int) -> None:
        if index in self._order:
            return
        place = len(self._order)
        self.beginInsertRows(QModelIndex(), place, place)
        self._order.append(index)
        self.endInsertRows()

    def _on_changed(self, index: int) -> None:
        if index not in self._order:
            return
        place = self.place_of(index)
        self.dataChanged.emit(self.index(place, 0), self.index(place, len(COLUMNS) - 1))
        if self._in_order() != self._order:
            self.sort(*self._sorted)


def _is_muted(row: Row, column: Column) -> bool:
    if column.name == "config" or words.failure_sentence(row):
        return False
    return column.name == "accuracy" or not words.has_figures(row) or (column.name == "p99" and _latency("p99_ms")(row) is None)


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


def _alignment(column: Column) -> Qt.AlignmentFlag:
    return _RIGHT if column.is_number else _LEFT

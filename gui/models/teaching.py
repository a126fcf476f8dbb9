"""What each switch did, as a Qt table: one row of the run a row, against the first one."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from engine import units
from engine.option_names import option_names
from engine.remarks import remarks
from engine.teaching import Lesson, lessons, outputs_text
from gui import text
from gui.models import row_words as words
from gui.models.row import Row
from gui.models.run_model import RunModel

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("switch", "time", "memory", "outputs")
SWITCH, TIME, MEMORY, OUTPUTS = range(4)


def is_lesson(run: RunModel) -> bool:
    """Whether the run's rows were measured to show what switches do: asked for, or their outputs were compared."""
    asked = run.job is not None and run.job.compare_outputs
    return asked or any(row.outcome is not None and row.outcome.outputs is not None for row in run.rows)


class TeachingModel(QAbstractTableModel):
    """A view of a `RunModel`; empty for a run in which no outputs were compared."""

    def __init__(self, run: RunModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run = run
        self._rows: list[Row] = []
        self._lessons: dict[int, Lesson] = {}
        for signal in (run.reset, run.row_added, run.row_changed, run.state_changed, text.current.changed):
            signal.connect(self._read)
        self._read()

    @property
    def first(self) -> Row | None:
        """The row that the others are shown against."""
        return self._rows[0] if self._rows else None

    def sentence(self, place: int) -> str:
        """Why a row has no figures; empty where it has, or none are due yet."""
        return words.failure_sentence(self._rows[place])

    def index_of(self, place: int) -> int:
        """The run's index of the row on this place."""
        return self._rows[place].index

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        """How many configurations there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        """Switch, time, memory, outputs."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """A column's name, and what it means in two lines."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        codes: dict[int, str] = {Qt.ItemDataRole.DisplayRole: f"teach.{COLUMNS[section]}", Qt.ItemDataRole.ToolTipRole: f"teach.{COLUMNS[section]}.tip"}
        return text.say(codes[role]) if role in codes else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The words, tooltip and alignment of a cell."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._words(row, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, index.column())
        return _alignment(index.column()) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def _words(self, row: Row, column: int) -> str:
        if column == SWITCH:
            return switch_name(row, self._rows[0])
        if column == TIME and (sentence := words.failure_sentence(row)):
            return sentence
        lesson = self._lessons.get(row.index)
        if lesson is None or lesson.times is None:
            return words.state_word(row) if column == TIME else units.NONE
        if column == TIME:
            return time_text(row, lesson, row is self._rows[0])
        return memory_text(lesson) if column == MEMORY else outputs_text(row.outcome.outputs if row.outcome else None, text.language())

    def _tip(self, row: Row, column: int) -> str:
        if column == SWITCH:
            return words.full_name(row.configuration)
        if column != OUTPUTS or row.outcome is None:
            return words.failure_sentence(row)
        said = [each for each in remarks(row.outcome) if each.code.startswith(("outputs-", "state-"))]
        return "\n".join(text.say_reason(each.code, each.values, each.sentence) for each in said)

    def _read(self) -> None:
        """Take the run's rows as they stand now."""
        self.beginResetModel()
        self._rows = list(self._run.rows) if is_lesson(self._run) else []
        outcomes = [row.outcome for row in self._rows if row.outcome is not None]
        begun = bool(self._rows) and self._rows[0].outcome is not None
        self._lessons = dict(zip([row.index for row in self._rows if row.outcome is not None], lessons(outcomes), strict=False)) if begun else {}
        self.endResetModel()


def switch_name(row: Row, first: Row) -> str:
    """What is other than in the first row."""
    if row is first:
        return text.say("teach.plain")
    mine, its = row.configuration, first.configuration
    names = [name for name in option_names(mine, text.language()) if name not in option_names(its, text.language())]
    if mine.threads != its.threads:
        names.append(text.say("config.thread" if mine.threads == 1 else "config.threads", n=mine.threads))
    return " · ".join(names) or words.short_name(mine, [mine, its])


def time_text(row: Row, lesson: Lesson, is_first: bool) -> str:
    """The median, and how many times the first row's."""
    p50 = words.p50_text(row.outcome.latency if row.outcome else None)
    return p50 if is_first else text.say("teach.time-of", p50=p50, times=units.significant(lesson.times))


def memory_text(lesson: Lesson) -> str:
    """What running takes, and how much more than in the first row."""
    size = units.format_bytes(lesson.bytes)
    if lesson.more_bytes is None:
        return size
    return text.say("teach.more", size=size, sign="\u2212" if lesson.more_bytes < 0 else "+", difference=units.format_bytes(abs(lesson.more_bytes)))


def _alignment(column: int) -> Qt.AlignmentFlag:
    return Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft

"""The inputs of the current model as a table: name, type, shape, range and where each comes from; every cell can be edited."""

from __future__ import annotations

from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from engine.inputs import InputError, unknown_sizes
from engine.job import InputSpec
from gui import text
from gui.models.input_cells import COLUMNS, NAME, RANGE, SHAPE, SOURCE, TYPE, changed, takes_range, type_text, value_text
from gui.models.model_entry import ModelEntry
from gui.models.model_list import ModelList

DATA_ENDINGS = (".npy", ".npz", ".pt")
Index = QModelIndex | QPersistentModelIndex

_NOWHERE = QModelIndex()


class Bad(NamedTuple):
    """What was typed into a cell and could not be read."""

    row: int
    column: int
    typed: str
    error: InputError


class InputsModel(QAbstractTableModel):
    """One input a row, and at its end, after `add_row`, one that is being made. `edited` after every change by the user, readable or not."""

    edited = Signal()

    def __init__(self, models: ModelList, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._bad: Bad | None = None
        self._draft: InputSpec | None = None
        self._rows, self._has_draft = 0, False
        models.current_changed.connect(self._forget)
        models.entry_changed.connect(self.refresh)
        models.entries_changed.connect(self.refresh)
        models.looking_changed.connect(self.refresh)
        text.current.changed.connect(self.refresh)
        self.refresh()

    @property
    def bad(self) -> Bad | None:
        """The cell that cannot be read, if there is one."""
        return self._bad

    @property
    def entry(self) -> ModelEntry | None:
        """The model that the table is about."""
        return self._models.current

    def specs(self) -> tuple[InputSpec, ...]:
        """The rows, the one that is being made last."""
        inputs = self.entry.inputs if self.entry else ()
        return inputs if self._draft is None else (*inputs, self._draft)

    def refresh(self) -> None:
        """Everything may have changed; a cell that is being typed in stays open, and so does the row that is being made."""
        rows = len(self.specs())
        at_end = int(self._has_draft and self._draft is not None)
        if rows > self._rows:
            self.beginInsertRows(_NOWHERE, self._rows - at_end, rows - at_end - 1)
            self._take_rows()
            self.endInsertRows()
        elif rows < self._rows:
            self.beginRemoveRows(_NOWHERE, rows - at_end, self._rows - at_end - 1)
            self._take_rows()
            self.endRemoveRows()
        self._take_rows()
        if rows:
            self.dataChanged.emit(self.index(0, 0), self.index(rows - 1, SOURCE))
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, SOURCE)

    def _take_rows(self) -> None:
        self._rows, self._has_draft = len(self.specs()), self._draft is not None
        if self._bad is not None and self._bad.row >= self._rows:
            self._bad = None

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """One an input."""
        return 0 if parent.isValid() else self._rows

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """Name, type, shape, range, source."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The columns' names and what they take."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return text.say(f"inputs.column.{COLUMNS[section]}")
        if role == Qt.ItemDataRole.ToolTipRole and section != SOURCE:
            return text.say(f"inputs.tip.{COLUMNS[section]}")
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """All but the source can be edited."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if not 0 <= index.row() < len(self.specs()):
            return Qt.ItemFlag.NoItemFlags
        spec = self.specs()[index.row()]
        editable = index.column() != SOURCE and not (index.column() == RANGE and not takes_range(spec))
        return flags | Qt.ItemFlag.ItemIsEditable if editable else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What stands in a cell; a tooltip has what is too long for it."""
        row, column = index.row(), index.column()
        if not 0 <= row < len(self.specs()):
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return self._cell(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{self._cell(row, column)}\n{text.say(f'inputs.tip.{COLUMNS[column]}')}".strip() if column != SOURCE else None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (self._cell(row, each) for each in range(len(COLUMNS))) if part)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take what was typed; what cannot be read stays in its cell, with the reason in `bad`."""
        if role != Qt.ItemDataRole.EditRole or not 0 <= index.row() < len(self.specs()):
            return False
        row, column, typed = index.row(), index.column(), str(value).strip()
        if typed == self._cell(row, column):
            return True
        try:
            spec = changed(self.specs()[row], column, typed)
        except InputError as error:
            self._bad = Bad(row, column, typed, error)
            self.refresh()
            self.edited.emit()
            return False
        self._put(row, spec, is_whole=column == SHAPE)
        return True

    def add_row(self) -> int:
        """Begin a new input; it counts when its shape is given. Its row."""
        if self._draft is None:
            self._draft = InputSpec()
            self.refresh()
        return self.rowCount() - 1

    def remove_row(self, row: int) -> None:
        """Take an input away."""
        if not 0 <= row < self.rowCount():
            return
        self._bad = None
        inputs = list(self.entry.inputs) if self.entry else []
        if row >= len(inputs):
            self._draft = None
            self.refresh()
        else:
            del inputs[row]
            self._models.set_inputs(tuple(inputs))
        self.edited.emit()

    def set_file(self, row: int, path: str) -> None:
        """Take the data of a file for an input."""
        if 0 <= row < self.rowCount():
            name = self.specs()[row].name
            self._put(row, InputSpec(name=name, data_path=path, source="given"), is_whole=True)

    def state_of(self, row: int) -> str:
        """Where an input comes from: `declared`, `guessed-ran`, `needs-you` ... as in `chip.source.*`."""
        spec = self.specs()[row]
        if self._is_being_tried():
            return spec.source
        if unknown_sizes(spec) or self._was_refused(spec):
            return "needs-you"
        return f"{spec.source}-ran" if spec.ran else spec.source

    def has_ranges(self) -> bool:
        """Whether any input is of integers."""
        return any(takes_range(spec) for spec in self.specs())

    def line_of(self, row: int) -> str:
        """What is said below a row: why a cell cannot be read, what is too long for a cell, or the layout in memory."""
        if self._bad is not None and self._bad.row == row:
            error = self._bad.error
            return " ".join((text.say_reason(error.say, error.values, error.summary), text.say_reason("input-spec.hint", {}, error.hint)))
        spec = self.specs()[row]
        if spec.container or spec.data_path:
            return value_text(spec)
        layout = spec.memory_format
        return text.say(f"inputs.layout.{layout}") if layout else ""

    def _cell(self, row: int, column: int) -> str:
        if self._bad is not None and (self._bad.row, self._bad.column) == (row, column):
            return self._bad.typed
        spec = self.specs()[row]
        is_draft = self._draft is not None and row == self.rowCount() - 1
        if column == NAME:
            return spec.name or ""
        if column == TYPE:
            return type_text(spec)
        if column == SHAPE:
            return "" if is_draft else value_text(spec)
        if column == RANGE:
            return f"{spec.range[0]}..{spec.range[1]}" if spec.range else ""
        return "" if is_draft else text.say(f"chip.source.{self.state_of(row)}")

    def _is_being_tried(self) -> bool:
        return self.entry is not None and self.entry.looking is not None and self.entry.looking.what == "examined"

    def _was_refused(self, spec: InputSpec) -> bool:
        """Tried, and the forward did not take it."""
        examined = self.entry.examined if self.entry else None
        return examined is not None and examined.failure is not None and examined.failure.code == "input-mismatch" and not spec.ran

    def _put(self, row: int, spec: InputSpec, is_whole: bool) -> None:
        inputs = list(self.entry.inputs) if self.entry else []
        self._bad = None
        if row >= len(inputs) and not is_whole:
            self._draft = spec
            self.refresh()
            return
        if row >= len(inputs):
            self._draft = None
        inputs[row : row + 1] = [spec]
        self._models.set_inputs(tuple(inputs))
        self.edited.emit()

    def _forget(self) -> None:
        """Another model: an open cell is of no use to it."""
        self.beginResetModel()
        self._bad = self._draft = None
        self._take_rows()
        self.endResetModel()
        self.refresh()

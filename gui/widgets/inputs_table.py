"""The inputs of the current model as specs, one a row, edited in place."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QBrush, QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from engine.inputs import InputError, format_input, unknown_sizes
from engine.job import InputSpec
from gui import text, theme
from gui.models.model_list import ModelList
from gui.widgets.labels import label

ROW_HEIGHT = 26


class InputsTable(QWidget):
    """Edits the inputs through `ModelList.set_input_text`; a spec that cannot be read stays in its cell with the reason below."""

    edited = Signal()

    def __init__(self, models: ModelList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._problem: tuple[int, str, InputError] | None = None
        self.table = QTableWidget(0, 2, objectName="inputsTable")
        self._note = label("muted", "inputsNote", wraps=True)
        self._set_up_table()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.table)
        column.addWidget(self._note)
        self.table.itemChanged.connect(self._changed)
        models.current_changed.connect(self._forget_problem)
        models.entry_changed.connect(self.retranslate)
        models.entries_changed.connect(self.retranslate)
        text.current.changed.connect(self.retranslate)
        theme.notifier.changed.connect(self.retranslate)
        self.retranslate()

    @property
    def is_valid(self) -> bool:
        """Whether every spec can be read."""
        return self._problem is None

    def retranslate(self) -> None:
        """Show the current model's inputs in the language of the moment."""
        self.table.setHorizontalHeaderLabels([text.say("inputs.spec"), text.say("inputs.source")])
        self.table.setAccessibleName(text.say("inputs.table"))
        self.table.setToolTip(text.say("inputs.tip"))
        entry = self._models.current
        self.setVisible(entry is not None)
        with QSignalBlocker(self.table):
            self._fill(entry.inputs if entry else ())
        self._note.setText(self._note_text(entry.inputs if entry else ()))
        self._note.setVisible(bool(self._note.text()))

    def _set_up_table(self) -> None:
        table = self.table
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        table.horizontalHeader().setHighlightSections(False)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setShowGrid(False)
        table.setStyleSheet("QTableWidget::item { padding-left: 5px; }")

    def _fill(self, inputs: tuple[InputSpec, ...]) -> None:
        self.table.clearSpans()
        self.table.setRowCount(0)
        self.table.setRowCount(len(inputs) + 1)
        for index, spec in enumerate(inputs):
            self._set(index, format_input(spec), text.say(f"source.{spec.source}"))
        self._set(len(inputs), "", "")
        self._invite(len(inputs), bool(inputs))
        if self._problem is not None and self._problem[0] <= len(inputs):
            index, typed, _ = self._problem
            self.table.removeCellWidget(index, 0)
            self._set(index, typed, "")
            self.table.item(index, 0).setForeground(QBrush(QColor(theme.colours().bad)))
        header = self.table.horizontalHeader().sizeHint().height()
        self.table.setFixedHeight(header + ROW_HEIGHT * self.table.rowCount() + 2)

    def _set(self, row: int, spec: str, source: str) -> None:
        item, origin = QTableWidgetItem(spec), QTableWidgetItem(source)
        item.setToolTip(text.say("inputs.tip"))
        origin.setFlags(Qt.ItemFlag.ItemIsEnabled)
        origin.setForeground(QBrush(QColor(theme.colours().muted)))
        self.table.setItem(row, 0, item)
        self.table.setItem(row, 1, origin)

    def _invite(self, row: int, has_inputs: bool) -> None:
        """The last row invites; its cell holds no text, or editing would begin with the invitation."""
        self.table.setSpan(row, 0, 1, 2)
        self.table.setCellWidget(row, 0, _invitation(text.say("inputs.add" if has_inputs else "inputs.guess")))

    def _note_text(self, inputs: tuple[InputSpec, ...]) -> str:
        if self._problem is not None:
            error = self._problem[2]
            return " ".join((text.say_reason(error.say, error.values, error.summary), text.say_reason("input-spec.hint", {}, error.hint)))
        for number, spec in enumerate(inputs, 1):
            if sizes := unknown_sizes(spec):
                return text.say("inputs.sizes", name=spec.name or text.say("inputs.unnamed", number=number), sizes=", ".join(sizes))
        guessed = [format_input(spec) for spec in inputs if spec.source == "guessed"]
        return text.say("inputs.guessed", specs=", ".join(guessed)) if guessed else ""

    def _changed(self, item: QTableWidgetItem) -> None:
        if item.column() != 0:
            return
        typed = item.text()
        self._problem = None
        try:
            self._models.set_input_text(item.row(), typed)
        except InputError as error:
            self._problem = (item.row(), typed, error)
            self.retranslate()
        self.edited.emit()

    def _forget_problem(self) -> None:
        self._problem = None
        self.retranslate()


def _invitation(words: str) -> QWidget:
    made = label("muted")
    made.setText(words)
    made.setContentsMargins(6, 0, 6, 0)
    made.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    return made

"""The inputs of the current model: the table, what to do with it, and one line about it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.capabilities import BACKEND_OF_KIND
from engine.inputs import unknown_sizes
from gui import text
from gui.models.input_cells import SHAPE
from gui.models.inputs_model import InputsModel
from gui.models.model_entry import ModelEntry
from gui.models.model_list import ModelList
from gui.widgets.inputs_view import InputsView
from gui.widgets.labels import label


class InputsTable(QWidget):
    """Edits the inputs through an `InputsModel`. Signals: `edited` by the user, `find_requested`."""

    edited = Signal()
    find_requested = Signal()

    def __init__(self, models: ModelList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self.model = InputsModel(models, self)
        self.table = InputsView(self.model)
        self._note = label("muted", "inputsNote", wraps=True)
        self.add_button = self._button("addInputButton", self._add)
        self.remove_button = self._button("removeInputButton", self._remove)
        self.find_button = self._button("findInputsButton", self.find_requested.emit)
        self._lay_out()
        self.model.edited.connect(self._edited)
        self.table.remove_requested.connect(self.model.remove_row)
        self.table.selectionModel().currentChanged.connect(lambda *_: self._show_buttons())
        for signal in (models.current_changed, models.entry_changed, models.entries_changed, models.looking_changed, text.current.changed):
            signal.connect(self.retranslate)
        self.retranslate()

    @property
    def is_valid(self) -> bool:
        """Whether every input can be read."""
        return self.model.bad is None

    def row_at(self, point: QPoint) -> int:
        """The input below a point of the screen, or -1: a data file may be dropped there."""
        return self.table.row_at(point)

    def place(self) -> QRect:
        """Where the rows are on the screen; empty while there are none."""
        view = self.table.viewport()
        return QRect(view.mapToGlobal(QPoint(0, 0)), view.size()) if self.table.isVisible() and self.model.rowCount() else QRect()

    def retranslate(self) -> None:
        """Say every word again, for the model of the moment."""
        entry = self._models.current
        self.setVisible(entry is not None)
        self.table.setAccessibleName(text.say("inputs.table"))
        self.table.setVisible(self.model.rowCount() > 0)
        for button, code in ((self.add_button, "inputs.new"), (self.remove_button, "inputs.remove"), (self.find_button, "inputs.find")):
            button.setText("\N{MINUS SIGN}" if button is self.remove_button else text.say(code))
            button.setAccessibleName(text.say(code))
            button.setToolTip(text.say(code if button is self.remove_button else f"{code}.tip"))
        self._show_buttons()
        bad = self.model.bad
        self._note.setText(self.model.line_of(bad.row) if bad else _note(entry) if entry else "")
        self._note.setVisible(bool(self._note.text()))

    def _button(self, name: str, pressed: object) -> QPushButton:
        button = QPushButton(objectName=name)
        button.setProperty("role", "small")
        button.clicked.connect(pressed)
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in (self.add_button, self.remove_button):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.find_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.table)
        column.addWidget(self._note)
        column.addLayout(row)

    def _show_buttons(self) -> None:
        entry = self._models.current
        self.remove_button.setEnabled(self.table.currentIndex().isValid())
        self.remove_button.setVisible(self.model.rowCount() > 0)
        may_find = entry is not None and entry.is_ready and not entry.needs_class and entry.kind in BACKEND_OF_KIND
        self.find_button.setVisible(may_find and entry is not None and entry.looking is None and not _are_proven(entry))

    def _add(self) -> None:
        row = self.model.add_row()
        self.retranslate()
        index = self.model.index(row, SHAPE)
        self.table.setFocus()
        self.table.setCurrentIndex(index)
        self.table.edit(index)

    def _remove(self) -> None:
        self.model.remove_row(self.table.currentIndex().row())

    def _edited(self) -> None:
        self.retranslate()
        self.edited.emit()


def _are_proven(entry: ModelEntry) -> bool:
    return bool(entry.inputs) and all(spec.ran for spec in entry.inputs)


def _note(entry: ModelEntry) -> str:
    """The one thing to know about these inputs."""
    if entry.looking is not None and entry.looking.what == "examined":
        return text.say("inputs.looking")
    for number, spec in enumerate(entry.inputs, 1):
        if sizes := unknown_sizes(spec):
            return text.say("inputs.sizes", name=spec.name or text.say("inputs.unnamed", number=number), sizes=", ".join(sizes))
    if not entry.inputs and entry.is_ready:
        is_asked = entry.inspected is not None and entry.inspected.requires_trust
        return text.say("inputs.none-module" if is_asked else "inputs.none")
    was_refused = entry.examined is not None and entry.examined.failure is not None  # the card and the problem bar say why
    if any(spec.source == "guessed" for spec in entry.inputs) and not was_refused:
        return text.say("inputs.guessed-ran" if _are_proven(entry) else "inputs.guessed-untried")
    return ""

"""Choosing the class that weights belong to: a Python file, one of its classes, literal arguments. The file is read, never run here."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.architecture import ArchitectureError, parse_architecture
from engine.classes import ClassEntry, SourceError, list_classes
from gui import text
from gui.models.model_list import ModelList, architecture_of
from gui.widgets.labels import label
from gui.widgets.lines import LinesDelegate


class ClassPicker(QDialog):
    """Asks for the class of the current model; `architecture` and `allow_missing` are the answer after it was accepted."""

    rank_requested = Signal(tuple)
    """Candidates that are to be built and laid beside the weights; files among them are imported, so the user is asked first."""

    def __init__(self, models: ModelList, path: str = "", native: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classPicker")
        entry = models.current
        if entry is None:
            raise LookupError("no model is chosen")
        self._models, self._entry_of = models, entry
        self._model_name, self._path, self._folder, self._native = entry.name, "", str(Path(entry.path).parent), native
        self.allow_missing = False
        self._explanation = label("muted", wraps=True)
        self._file = label("strong", "classFile")
        self.browse_button = QPushButton(objectName="classFileButton")
        self.list = QListWidget(objectName="classList")
        self.list.setItemDelegate(LinesDelegate(self.list))
        self._takes = label("muted", "classTakes", wraps=True)
        self.arguments_field = QLineEdit(objectName="classArguments")
        self._problem = label("bad", "classProblem", wraps=True)
        self.use_button, self.cancel_button = QPushButton(objectName="useClassButton"), QPushButton(objectName="cancelClassButton")
        self._lay_out()
        self._say()
        self._connect()
        self._show_entry()
        if path:
            self.open_file(path)

    @property
    def architecture(self) -> str:
        """The class as `--arch` names it."""
        entry = self._entry()
        return architecture_of(self._path, entry, self.arguments_field.text()) if entry else ""

    def open_file(self, path: str) -> None:
        """Read the classes of another Python file; the most probable one is selected."""
        self._path = path
        self._file.setText(Path(path).name)
        self._file.setToolTip(path)
        self.list.clear()
        try:
            entries = list_classes(path)
        except SourceError as error:
            entries = []
            self._show_problem(text.say(error.code, **error.values))
        for entry in entries:
            item = QListWidgetItem(f"{entry.name}\n{_role(entry)}")
            item.setData(Qt.ItemDataRole.UserRole, entry)
            self.list.addItem(item)
        self.list.setCurrentRow(0 if entries else -1)
        self._show_entry()

    def _lay_out(self) -> None:
        self.resize(460, 460)
        self._problem.hide()
        file_row = QHBoxLayout()
        file_row.addWidget(self._file, 1)
        file_row.addWidget(self.browse_button)
        buttons = QDialogButtonBox()
        buttons.addButton(self.use_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.cancel_button, QDialogButtonBox.ButtonRole.RejectRole)
        self._arguments_label = label("section")
        self._arguments_label.setBuddy(self.arguments_field)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(self._explanation)
        column.addLayout(file_row)
        column.addWidget(self.list, 1)
        for widget in (self._arguments_label, self.arguments_field, self._takes, self._problem, buttons):
            column.addWidget(widget)
        self.use_button.setDefault(True)
        self.use_button.setProperty("role", "accent")

    def _say(self) -> None:
        self.setWindowTitle(text.say("picker.title", name=self._model_name))
        self._explanation.setText(text.say("picker.text"))
        self._file.setText(text.say("picker.no-file"))
        self.browse_button.setText(text.say("picker.browse"))
        self.list.setAccessibleName(text.say("picker.list"))
        self._arguments_label.setText(text.say("picker.arguments"))
        self.arguments_field.setAccessibleName(text.say("picker.arguments"))
        self.arguments_field.setToolTip(text.say("picker.arguments.tip"))
        self.use_button.setText(text.say("picker.use"))
        self.cancel_button.setText(text.say("picker.cancel"))

    def _connect(self) -> None:
        self.browse_button.clicked.connect(self._browse)
        self.list.currentItemChanged.connect(lambda *_: self._show_entry())
        self.list.itemDoubleClicked.connect(lambda *_: self._use())
        self.arguments_field.textChanged.connect(lambda *_: self._show_entry())
        self.use_button.clicked.connect(self._use)
        self.cancel_button.clicked.connect(self.reject)

    def _entry(self) -> ClassEntry | None:
        item = self.list.currentItem()
        return item.data(Qt.ItemDataRole.UserRole) if item else None

    def _show_entry(self) -> None:
        entry = self._entry()
        self.arguments_field.setEnabled(entry is not None and bool(entry.arguments))
        self.use_button.setEnabled(entry is not None)
        self._takes.setText(_takes(entry) if entry else "")
        if entry is not None:
            self._show_problem("")

    def _show_problem(self, sentence: str) -> None:
        self._problem.setText(sentence)
        self._problem.setVisible(bool(sentence))

    def _browse(self) -> None:
        options = QFileDialog.Option(0) if self._native else QFileDialog.Option.DontUseNativeDialog
        filters = f"{text.say('open.filter-python')} (*.py);;{text.say('open.filter-all')} (*)"
        path, _ = QFileDialog.getOpenFileName(self, text.say("picker.browse"), self._folder, filters, options=options)
        if path:
            self.open_file(path)

    def _use(self) -> None:
        try:
            parse_architecture(self.architecture)
        except ArchitectureError as error:
            self._show_problem(f"{text.say_reason(error.say, error.values, error.summary)}\n{text.say_reason('architecture.hint', {}, error.hint)}")
            return
        self.accept()


def _role(entry: ClassEntry) -> str:
    code = "picker.module" if entry.is_module else "picker.function" if entry.is_function else "picker.other"
    return text.say(code, line=entry.line)


def _takes(entry: ClassEntry) -> str:
    if not entry.arguments:
        return text.say("picker.takes-none")
    written = [each.name if each.default is None else f"{each.name}={each.default}" for each in entry.arguments]
    return text.say("picker.takes", arguments=", ".join(written))

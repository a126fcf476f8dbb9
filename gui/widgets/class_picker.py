"""Choosing the class that weights belong to: one that may fit, or one from a Python file, with its arguments. Files are read here, never run."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDialog, QFileDialog, QLineEdit, QListWidgetItem, QWidget

from engine.architecture import ArchitectureError, parse_architecture
from engine.candidates import Candidate
from engine.classes import ClassEntry, SourceError, list_classes
from gui import text, theme
from gui.models import class_choice
from gui.models.card_words import state_line
from gui.models.model_entry import bare_spec
from gui.models.model_list import ModelList, architecture_of
from gui.widgets.class_picker_form import ClassPickerForm

ROLE = Qt.ItemDataRole.UserRole


class ClassPicker(QDialog):
    """Asks for the class of the current model; `architecture` and `allow_missing` are the answer after it was accepted."""

    rank_requested = Signal(tuple)
    """Candidates that are to be built and laid beside the weights; files among them are imported, so the user is asked first."""

    def __init__(self, models: ModelList, path: str = "", native: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("classPicker")
        if models.current is None:
            raise LookupError("no model is chosen")
        self._models, self._model = models, models.current
        self._path, self._folder, self._native = "", str(Path(self._model.path).parent), native
        self._wanted = class_choice.wanted_names(self._model.missing_classes)
        self._problem = ""
        self.form = ClassPickerForm(self)
        self._connect()
        self.retranslate()
        self._show_candidates()
        where, _, name = (self._model.architecture or "").partition(".py:")
        if path or name:
            self.open_file(path or f"{where}.py")

    @property
    def list(self) -> QWidget:
        """The classes of the chosen file."""
        return self.form.classes

    @property
    def arguments_field(self) -> QLineEdit:
        """The constructor's arguments."""
        return self.form.arguments

    @property
    def architecture(self) -> str:
        """The class as `--arch` names it."""
        if (candidate := self._candidate()) is not None:
            return candidate.spec
        entry = self._class()
        return architecture_of(self._path, entry, self.form.arguments.text()) if entry else ""

    @property
    def allow_missing(self) -> bool:
        """Whether the user agreed that weights stay random or are left out."""
        return self.form.allow.isChecked() and self._is_partial()

    def open_file(self, path: str) -> None:
        """Read the classes of another Python file; the one that the model has or asks for is selected, else the most probable one."""
        self._path, self._problem = path, ""
        form = self.form
        form.show_file(path)
        try:
            entries = list_classes(path)
        except SourceError as error:
            entries, self._problem = [], text.say(error.code, **error.values)
        with QSignalBlocker(form.classes):
            form.classes.clear()
            for entry in entries:
                form.classes.add(f"{entry.name}\n{_role(entry)}", data=entry)
        form.show_classes(bool(entries))
        self._choose_class(path, entries)
        if self._wanted and entries and not any(entry.name in self._wanted for entry in entries):
            self._problem = text.say("picker.not-wanted", file=Path(path).name, name=", ".join(self._wanted))
        self._show_chosen()

    def _choose_class(self, path: str, entries: list[ClassEntry]) -> None:
        """Select the class that was chosen before, with its arguments, or the one that is likely meant."""
        form, known = self.form, self._model.architecture or ""
        name = bare_spec(known).removeprefix(f"{path}:")
        row = next((row for row, entry in enumerate(entries) if entry.name == name), class_choice.preselected(entries, self._wanted))
        if row < 0 and form.candidates.currentItem() is not None:
            return
        form.candidates.setCurrentRow(-1)
        form.classes.setCurrentRow(row)
        if row >= 0 and entries[row].name == name:
            form.arguments.setText(class_choice.arguments_of(known))

    def retranslate(self) -> None:
        """Say every word again."""
        self.setWindowTitle(text.say("picker.title", name=self._model.name))
        self.form.retranslate(self._wanted, self._path)
        self._show_chosen()

    def _connect(self) -> None:
        form = self.form
        form.browse_button.clicked.connect(self._browse)
        form.candidates.currentItemChanged.connect(lambda item, _: self._chose(item, form.classes))
        form.classes.currentItemChanged.connect(lambda item, _: self._chose(item, form.candidates))
        form.arguments.textChanged.connect(lambda *_: self._show_chosen())
        form.allow.toggled.connect(lambda *_: self._show_chosen())
        for chosen in (form.candidates, form.classes):
            chosen.itemDoubleClicked.connect(lambda *_: form.use_button.click())
        form.look_button.clicked.connect(self._look)
        form.use_button.clicked.connect(self._use)
        form.cancel_button.clicked.connect(self.reject)
        self._models.entry_changed.connect(self._on_entry)
        self._models.looking_changed.connect(self._show_state)
        text.current.changed.connect(self.retranslate)
        theme.notifier.changed.connect(self._show_state)

    def _chose(self, item: QListWidgetItem | None, other: QWidget) -> None:
        """One thing is chosen at a time: in this list or in the other one."""
        if item is not None:
            with QSignalBlocker(other):
                other.setCurrentRow(-1)
                other.clearSelection()
            self._problem = ""
            candidate = item.data(ROLE)
            with QSignalBlocker(self.form.arguments):
                self.form.arguments.setText(class_choice.arguments_of(candidate.spec) if isinstance(candidate, Candidate) else "")
        self.form.allow.setChecked(False)
        self._show_chosen()

    def _on_entry(self) -> None:
        """Candidates were built meanwhile: show them, and keep the choice."""
        if self._models.current is self._model:
            self._show_candidates()

    def _show_candidates(self) -> None:
        form, candidates = self.form, self._model.candidates
        shown = [form.candidates.item(row).data(ROLE) for row in range(form.candidates.count())]
        form.show_candidates(bool(candidates))
        if shown != list(candidates):
            name = bare_spec(self.architecture or self._model.architecture or "")
            form.candidates.clear()
            for candidate in candidates:
                form.candidates.add(class_choice.candidate_lines(candidate, len(self._wanted)), class_choice.candidate_mark(candidate), candidate, candidate.spec)
            rows = [row for row, each in enumerate(candidates) if bare_spec(each.spec) == name]
            if candidates and (rows or form.classes.currentItem() is None):
                form.candidates.setCurrentRow(rows[0] if rows else 0)
            form.candidates.fit_height()
        self._show_state()

    def _show_state(self) -> None:
        ranked = self._model.ranked
        self.form.show_state(state_line(self._model) if self._model.looking or (ranked and ranked.failure) else None)
        self.form.show_notes([text.say_reason(note.code, note.values, note.sentence) for note in ranked.notes] if ranked else [])
        self._show_chosen()

    def _shown_candidate(self) -> Candidate | None:
        item = self.form.candidates.currentItem()
        return item.data(ROLE) if item else None

    def _candidate(self) -> Candidate | None:
        """The chosen candidate, with the arguments as they stand in the field."""
        shown = self._shown_candidate()
        return class_choice.retyped(shown, self.form.arguments.text()) if shown else None

    def _class(self) -> ClassEntry | None:
        item = self.form.classes.currentItem()
        return item.data(ROLE) if item else None

    def _is_partial(self) -> bool:
        candidate = self._candidate()
        return candidate is not None and candidate.fit is not None and not candidate.fit.perfect

    def _unbuilt(self) -> tuple[Candidate, ...]:
        """What can be looked into: the chosen one as it is typed first, and all others that were not built yet."""
        chosen, shown = self._candidate(), self._shown_candidate()
        others = [each for each in self._model.candidates if each is not shown and each.fit is None]
        if chosen is None and self._class() is not None and self._model.is_weights_only:
            chosen = Candidate(spec=self.architecture, origin="file", score=0.0)
        return (chosen, *others) if chosen is not None and chosen.fit is None else tuple(others)

    def _show_chosen(self) -> None:
        candidate, entry = self._candidate(), self._class()
        needs = candidate.needs if candidate else entry.needs if entry else ()
        order = tuple(each.name for each in entry.arguments) if entry and not candidate else ()
        missing = class_choice.still_needed(needs, self.architecture, order) if needs else ()
        unbuilt = bool(self._unbuilt())
        self.form.show_look(self._model.is_weights_only and (unbuilt or self._model.looking is not None), unbuilt and self._model.looking is None)
        self.form.show_chosen(candidate, entry, missing, self._problem)
        self.form.use_button.setEnabled(bool(self.architecture) and (not self._is_partial() or self.form.allow.isChecked()))

    def _browse(self) -> None:
        options = QFileDialog.Option(0) if self._native else QFileDialog.Option.DontUseNativeDialog
        filters = f"{text.say('open.filter-python')} (*.py);;{text.say('open.filter-all')} (*)"
        path, _ = QFileDialog.getOpenFileName(self, text.say("picker.browse"), self._folder, filters, options=options)
        if path:
            self.open_file(path)

    def _look(self) -> None:
        if self._check():
            self.rank_requested.emit(self._unbuilt())

    def _use(self) -> None:
        if self._check():
            self.accept()

    def _check(self) -> bool:
        """Whether the chosen class can be named so; else the reason is said below."""
        try:
            if self.architecture:
                parse_architecture(self.architecture)
        except ArchitectureError as error:
            self._problem = f"{text.say_reason(error.say, error.values, error.summary)}\n{text.say_reason('architecture.hint', {}, error.hint)}"
            self._show_chosen()
            return False
        return True


def _role(entry: ClassEntry) -> str:
    code = "picker.module" if entry.is_module else "picker.function" if entry.is_function else "picker.other"
    return text.say(code, line=entry.line)

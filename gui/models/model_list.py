"""The models that were dropped or opened: what each file is, its class, its inputs, and what came of looking at it."""

from __future__ import annotations

import msgspec
from PySide6.QtCore import QObject, Signal

from engine.classes import ClassEntry
from engine.events import ClassesRanked, FileInspected, Looking, ModelExamined
from engine.inputs import parse_input
from engine.job import InputSpec
from engine.result import Run
from gui.models.model_entry import WEIGHTS_ONLY, ModelEntry

__all__ = ["WEIGHTS_ONLY", "ModelEntry", "ModelList", "architecture_of"]


class ModelList(QObject):
    """Several models, one of them current. Signals: `entries_changed`, `current_changed`, `entry_changed` (what is known about one of them)."""

    entries_changed = Signal()
    current_changed = Signal()
    entry_changed = Signal()
    looking_changed = Signal()
    """Once a second while a file is looked at: apart from `entry_changed`, so that nothing is built anew under the user's hands."""
    refused = Signal(object)
    """The `FileInspected` of a file that is no model; it leaves the list."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: list[ModelEntry] = []
        self.index = -1

    @property
    def current(self) -> ModelEntry | None:
        """The model that the set-up is about."""
        return self.entries[self.index] if 0 <= self.index < len(self.entries) else None

    def add(self, path: str, select: bool = True) -> ModelEntry:
        """Take a file into the list and make it current (unless `select` is False); one that is there already is looked at again."""
        known = [entry for entry in self.entries if entry.path == path]
        entry = known[0] if known else ModelEntry(path)
        if not known:
            self.entries.append(entry)
            self.entries_changed.emit()
        if select:
            self.select(self.entries.index(entry))
        return entry

    def select(self, index: int) -> None:
        """Make another model the current one."""
        if index != self.index and 0 <= index < len(self.entries):
            self.index = index
            self.current_changed.emit()

    def remove(self, index: int) -> None:
        """Take a model out of the list."""
        if 0 <= index < len(self.entries):
            del self.entries[index]
            self.index = min(self.index - (index < self.index), len(self.entries) - 1)
            self.entries_changed.emit()
            self.current_changed.emit()

    def apply(self, event: FileInspected) -> None:
        """Take what the engine found out about a file of the list."""
        for index, entry in enumerate(self.entries):
            if entry.path != event.path:
                continue
            if event.info is None:
                self.remove(index)
                self.refused.emit(event)
                return
            self._fill(entry, event)
            self.entries_changed.emit()
            self.looking_changed.emit()
            self.entry_changed.emit()

    def apply_examined(self, event: ModelExamined) -> bool:
        """Take what came of loading a model once; False for an answer about another class, place or consent than those of now."""
        entry = self.entry_of(event.path)
        if entry is None or not entry.is_about_this(event):
            return False
        entry.examined, entry.looking, entry.was_stopped = event, None, False
        entry.inputs = _inputs_after(entry, event)
        self._tell(entry)
        return True

    def apply_ranked(self, event: ClassesRanked) -> bool:
        """Take candidates that were built; False for an answer about another place in the checkpoint. `ModelEntry.take_perfect` is the session's next step."""
        entry = self.entry_of(event.path)
        if entry is None or (event.source is not None and event.source.weights_at != entry.weights_place):
            return False
        entry.add_ranking(event)
        entry.looking, entry.was_stopped = None, False
        self._tell(entry)
        return True

    def apply_looking(self, event: Looking) -> None:
        """Take word of what is being done; the session says so too when it asks (`Looking(path, what, 0.0)`)."""
        entry = self.entry_of(event.path)
        if entry is not None:
            entry.looking, entry.was_stopped = event, False
            self.looking_changed.emit()

    def end_looking(self, path: str, stopped: bool = True) -> None:
        """Nothing is done with a file any more and no answer will come: the user stopped it."""
        entry = self.entry_of(path)
        if entry is not None:
            entry.looking, entry.was_stopped = None, stopped
            self.looking_changed.emit()

    def entry_of(self, path: str) -> ModelEntry | None:
        """The entry of a file, where it is in the list."""
        return next((entry for entry in self.entries if entry.path == path), None)

    def set_architecture(self, architecture: str | None, allow_missing: bool = False) -> None:
        """Name the class (`file.py:Name(arguments)`) of the current model, and whether it may run with weights left random."""
        entry = self.current
        if entry is not None:
            if (architecture, allow_missing) != (entry.architecture, entry.allow_missing):
                entry.architecture, entry.allow_missing = architecture, allow_missing
                entry.forget_examination()
            self.entry_changed.emit()

    def set_weights_at(self, place: str) -> None:
        """Take the weights of the current checkpoint from another place in it."""
        entry = self.current
        if entry is not None and place != entry.weights_place:
            entry.weights_at, entry.ranked = place, None
            entry.forget_examination()
            self.entry_changed.emit()

    def set_inputs(self, inputs: tuple[InputSpec, ...], edited: bool = True) -> None:
        """Give the inputs of the current model; those that the user changed were not seen to run."""
        entry = self.current
        if entry is not None:
            entry.inputs = tuple(msgspec.structs.replace(spec, ran=False) for spec in inputs) if edited else inputs
            entry.inputs_edited = edited and bool(inputs)
            self.entry_changed.emit()

    def set_input_text(self, index: int, text: str) -> None:
        """Replace, append (index = length) or, with an empty text, remove one input; raises InputError."""
        if self.current is None:
            return
        inputs = list(self.current.inputs)
        if not text.strip():
            del inputs[index : index + 1]
        else:
            inputs[index : index + 1] = [parse_input(text)]
        self.set_inputs(tuple(inputs))

    def learn_inputs(self, run: Run) -> None:
        """Take the inputs that a run guessed into the list, so that they can be seen and changed."""
        for entry in self.entries:
            if entry.info is not None and entry.info.sha256 == run.model.sha256 and not entry.inputs:
                entry.inputs = run.inputs
        self.entry_changed.emit()

    def _fill(self, entry: ModelEntry, event: FileInspected) -> None:
        """Other bytes under the same name are another model: what was chosen for it goes with the old ones."""
        old, new = entry.inspected, event.info
        if old is not None and old.info is not None and new is not None:
            if old.info.sha256 != new.sha256:
                entry.examined, entry.ranked, entry.weights_at = None, None, None
            elif old.info.weights_at != new.weights_at and old.fingerprint != event.fingerprint:
                entry.forget_network()
        entry.inspected, entry.looking, entry.was_stopped = event, None, False
        if not entry.inputs and (event.inputs or event.guessed):
            entry.inputs = tuple(event.inputs or event.guessed)

    def _tell(self, entry: ModelEntry) -> None:
        self.looking_changed.emit()
        if entry is self.current:
            self.entry_changed.emit()


def _inputs_after(entry: ModelEntry, event: ModelExamined) -> tuple[InputSpec, ...]:
    """What the forward was tried with, unless the user wrote something else meanwhile."""
    same = [msgspec.structs.replace(spec, ran=False) for spec in event.inputs] == [msgspec.structs.replace(spec, ran=False) for spec in entry.inputs]
    return event.inputs if event.inputs and (same or not entry.inputs_edited) else entry.inputs


def architecture_of(path: str, entry: ClassEntry, arguments: str = "") -> str:
    """The class as `--arch` names it."""
    return f"{path}:{entry.name}({arguments.strip()})" if arguments.strip() else f"{path}:{entry.name}"

"""The models that were dropped or opened: what each file is, its class, its inputs, and whether it may run code."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.classes import ClassEntry
from engine.events import FileInspected
from engine.inputs import parse_input
from engine.job import InputSpec, ModelSource
from engine.result import ModelInfo, Run

WEIGHTS_ONLY = ("state-dict", "checkpoint", "safetensors")


class ModelEntry:
    """One model of the list; changed only through `ModelList`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.inspected: FileInspected | None = None
        self.architecture: str | None = None
        self.inputs: tuple[InputSpec, ...] = ()
        self.is_demo = False

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return Path(self.path).name

    @property
    def info(self) -> ModelInfo | None:
        """What the file is; None until it was looked at."""
        return self.inspected.info if self.inspected else None

    @property
    def kind(self) -> str:
        """The contract's kind; a bare module's until the file was looked at."""
        return self.info.kind if self.info else "module"

    @property
    def is_ready(self) -> bool:
        """Whether the file was looked at and is a model."""
        return self.info is not None

    @property
    def is_weights_only(self) -> bool:
        """Whether only weights lie in the file, so that a class is needed."""
        return self.info is not None and self.info.kind in WEIGHTS_ONLY

    @property
    def needs_class(self) -> bool:
        """Whether somebody must name the class before it can run."""
        return self.is_weights_only and self.architecture is None

    def source(self, trusted: bool) -> ModelSource:
        """The model as a job names it."""
        info = self.info
        return ModelSource(
            path=self.path, kind=self.kind, architecture=self.architecture, trusted=trusted, weights_at=info.weights_at if info else None,
        )


class ModelList(QObject):
    """Several models, one of them current. Signals: `entries_changed`, `current_changed`, `entry_changed` (what is known about the current one)."""

    entries_changed = Signal()
    current_changed = Signal()
    entry_changed = Signal()
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

    def add(self, path: str) -> ModelEntry:
        """Take a file into the list and make it current; one that is there already is looked at again."""
        known = [entry for entry in self.entries if entry.path == path]
        entry = known[0] if known else ModelEntry(path)
        if not known:
            self.entries.append(entry)
            self.entries_changed.emit()
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
            self.entry_changed.emit()

    def set_architecture(self, architecture: str | None) -> None:
        """Name the class (`file.py:Name(arguments)`) of the current model."""
        if self.current is not None:
            self.current.architecture = architecture
            self.entry_changed.emit()

    def set_inputs(self, inputs: tuple[InputSpec, ...]) -> None:
        """Give the inputs of the current model."""
        if self.current is not None:
            self.current.inputs = inputs
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
        entry.inspected = event
        if not entry.inputs and (event.inputs or event.guessed):
            entry.inputs = tuple(event.inputs or event.guessed)


def architecture_of(path: str, entry: ClassEntry, arguments: str = "") -> str:
    """The class as `--arch` names it."""
    return f"{path}:{entry.name}({arguments.strip()})" if arguments.strip() else f"{path}:{entry.name}"

"""What the current model is: kind, size, class, and whether loading it runs code."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from engine.result import ModelInfo
from engine.units import format_bytes, format_count, format_count_short
from gui import text
from gui.models.model_list import ModelEntry, ModelList
from gui.widgets.labels import label, set_role


class ModelCard(QFrame):
    """Facts about the current model, and what it needs."""

    class_requested = Signal()
    """The user wants to choose its class."""
    place_chosen = Signal(str)
    """The user wants the weights from another place in the checkpoint."""
    stop_requested = Signal()
    """The user wants what is being done with the file to end."""

    def __init__(self, models: ModelList, trusted: frozenset[str] = frozenset(), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelCard")
        self.setProperty("role", "card")
        self._models, self._trusted = models, trusted
        self._line = label("strong", "modelFacts", wraps=True)
        self._saved = label("muted", "modelSaved", wraps=True)
        self._class = label("", "modelClass", wraps=True)
        self._code = label("muted", "modelCode", wraps=True)
        self.class_button = QPushButton(objectName="chooseClassButton")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(4)
        for widget in (self._line, self._saved, self._code, self._class, self.class_button):
            column.addWidget(widget)
        column.setAlignment(self.class_button, Qt.AlignmentFlag.AlignLeft)
        self.class_button.clicked.connect(self.class_requested)
        for signal in (models.entries_changed, models.current_changed, models.entry_changed, text.current.changed):
            signal.connect(self.retranslate)
        self.retranslate()

    def set_trusted(self, trusted: frozenset[str]) -> None:
        """Take the files (by sha256) that may always run code."""
        self._trusted = trusted
        self.retranslate()

    def retranslate(self) -> None:
        """Show the current model in the language of the moment."""
        entry = self._models.current
        self.setVisible(entry is not None)
        if entry is not None:
            self._show(entry)

    def _show(self, entry: ModelEntry) -> None:
        info = entry.info
        self._line.setText(_facts(info) if info else text.say("card.inspecting"))
        self._saved.setText(_saved(info) if info else "")
        self._saved.setVisible(bool(self._saved.text()))
        self._code.setText(self._code_line(entry) if info else "")
        self._code.setVisible(info is not None)
        self._class.setText(_class_line(entry))
        set_role(self._class, "caution" if entry.needs_class else "")
        self._class.setVisible(bool(self._class.text()))
        self.class_button.setVisible(entry.is_weights_only)
        self.class_button.setText(text.say("card.choose-class" if entry.needs_class else "card.change-class"))
        set_role(self.class_button, "accent" if entry.needs_class else "flat")

    def _code_line(self, entry: ModelEntry) -> str:
        if entry.inspected is None or not entry.inspected.requires_trust:
            return text.say("card.safe")
        return text.say("card.trusted" if entry.info and entry.info.sha256 in self._trusted else "card.needs-trust")


def _facts(info: ModelInfo) -> str:
    kind = text.say(f"kind.{info.kind}")
    if info.values is None:
        return text.say("card.line-small", kind=kind, size=format_bytes(info.file_bytes))
    return text.say("card.line", kind=kind, values=_count(info.values), size=format_bytes(info.file_bytes))


def _saved(info: ModelInfo) -> str:
    parts = [", ".join(info.dtypes)] if info.dtypes else []
    elsewhere = [device for device in info.saved_on if device != "cpu"]
    if elsewhere:
        parts.append(text.say("card.saved-on", devices=", ".join(elsewhere)))
    return " · ".join(parts)


def _class_line(entry: ModelEntry) -> str:
    info = entry.info
    if entry.architecture:
        where, _, name = entry.architecture.partition(".py:")
        return text.say("card.class", name=_breakable(f"{name} · {Path(where).name}.py" if name else where))
    if entry.needs_class and info is not None:
        return text.say("card.needs-class", tensors=format_count(info.tensors), values=_count(info.values or 0))
    return text.say("card.class", name=_breakable(info.architecture)) if info and info.architecture else ""


def _breakable(name: str) -> str:
    """A long dotted name may be broken after each dot; the space has no width."""
    return name.replace(".", ".\u200b").replace("_", "_\u200b")


def _count(values: int) -> str:
    return format_count(values) if values < 100_000 else format_count_short(values)

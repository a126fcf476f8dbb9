"""The field for the most memory that a worker may hold on the CPU."""

from __future__ import annotations

import msgspec
from PySide6.QtWidgets import QLineEdit, QWidget

from engine.matrix import SettingError, parse_memory_limit
from engine.units import format_bytes
from gui import text
from gui.models.setup_model import SetupModel
from gui.widgets.labels import set_role


class MemoryLimitField(QLineEdit):
    """`4GB`; empty for no limit."""

    def __init__(self, setup: SetupModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("memoryLimitField")
        self._setup = setup
        self.textEdited.connect(self._edited)
        self.editingFinished.connect(self.show_model)

    def problem(self) -> str:
        """Why what is typed cannot be read; empty when it can."""
        try:
            parse_memory_limit(self.text())
        except SettingError as error:
            return " ".join((text.say_reason(error.say, error.values, error.summary), text.say_hint(error.say, error.values, error.hint)))
        return ""

    def show_model(self) -> None:
        """The limit as it stands; what is being typed, or cannot be read, is left alone."""
        limit = self._setup.axes.memory_limit_bytes
        if not (self.hasFocus() and self.isModified()) and not self.problem() and parse_memory_limit(self.text()) != limit:
            self.setText(exact_text(limit))

    def retranslate(self) -> None:
        """Say its words again."""
        self.setToolTip(text.say("memory-limit.tip"))
        self.setPlaceholderText(text.say("memory-limit.empty"))
        self.setAccessibleName(text.say("axis.memory"))

    def _edited(self) -> None:
        problem = self.problem()
        set_role(self, "invalid" if problem else "")
        if not problem:
            self._setup.set_axes(msgspec.structs.replace(self._setup.axes, memory_limit_bytes=parse_memory_limit(self.text())))
        self._setup.changed.emit()


def exact_text(limit: int | None) -> str:
    """The limit as it is read again: in units where that is exact, else in bytes."""
    if limit is None:
        return ""
    for unit, size in (("GB", 10**9), ("GiB", 2**30), ("MB", 10**6), ("MiB", 2**20)):
        if limit % size == 0:
            return f"{limit // size}{unit}"
    shown = format_bytes(limit).replace(",", "")
    return shown if parse_memory_limit(shown) == limit else f"{limit}B"

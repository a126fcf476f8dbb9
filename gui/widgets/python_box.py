"""Choosing the Python that runs models: the program's own, one chosen before, or another from the disk; below it what it is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from gui import text
from gui.models.setup_model import SetupModel
from gui.widgets.boxes import ScrolledBox
from gui.widgets.labels import label

BROWSE = "\0browse"


class PythonBox(QWidget):
    """Signals: `chosen(path)`, empty for the program's own; `browsed` when another is to be looked for."""

    chosen = Signal(str)
    browsed = Signal()

    def __init__(self, setup: SetupModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setup = setup
        self._paths: tuple[str, ...] = ()
        self.box = ScrolledBox(objectName="pythonBox")
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(8)
        self._facts = label("muted", "pythonFacts", wraps=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.box)
        column.addWidget(self._facts)
        self.box.activated.connect(self._activated)
        setup.changed.connect(self.retranslate)
        text.current.changed.connect(self.retranslate)
        self.retranslate()

    def set_pythons(self, paths: tuple[str, ...]) -> None:
        """Offer these interpreters, newest first."""
        self._paths = paths
        self.retranslate()

    def retranslate(self) -> None:
        """Say every word again, and show the one in use."""
        chosen = self._setup.interpreter or ""
        with QSignalBlocker(self.box):
            self.box.clear()
            self.box.addItem(text.say("python.own"), "")
            for path in dict.fromkeys((*self._paths, *([chosen] if chosen else []))):
                self.box.addItem(_short(path), path)
                self.box.setItemData(self.box.count() - 1, path, Qt.ItemDataRole.ToolTipRole)
            self.box.insertSeparator(self.box.count())
            self.box.addItem(text.say("python.browse"), BROWSE)
            self.box.setCurrentIndex(max(0, self.box.findData(chosen)))
        self.box.setAccessibleName(text.say("axis.python"))
        self.box.setToolTip(f"{chosen}\n{text.say('python.tip')}".strip())
        facts = self._setup.facts
        self._facts.setText(text.say("python.facts", python=facts.python, torch=facts.torch) if facts else text.say("python.checking"))

    def _activated(self, index: int) -> None:
        value = self.box.itemData(index)
        if value == BROWSE:
            self.retranslate()  # until one is found, the one in use stays
            self.browsed.emit()
        elif value is not None:
            self.chosen.emit(value)


def _short(path: str) -> str:
    """The environment's folder says which one it is; the name of the program is nearly always the same."""
    parts = Path(path).parts
    return "/".join(parts[-4:]) if len(parts) > 4 else path

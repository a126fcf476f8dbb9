"""The field for batch sizes with the button beside it that adds the largest one that fits."""

from __future__ import annotations

import msgspec
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QWidget

from gui import text
from gui.models.setup_model import SetupModel

MAX = "max"


class BatchBox(QWidget):
    """`1,8,32 [max]`; the button is down while `max` is in the list."""

    def __init__(self, setup: SetupModel, field: QLineEdit, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setup = setup
        self.max_button = QToolButton(objectName="batchMaxButton")
        self.max_button.setCheckable(True)
        self.max_button.setProperty("chip", "true")
        self.max_button.clicked.connect(self._toggle)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(field, 1)
        row.addWidget(self.max_button)

    def show_model(self) -> None:
        """Down while the largest is sought; closed where the inputs leave no choice."""
        batches = self._setup.batches()
        self.max_button.setEnabled(batches.can_choose)
        self.max_button.setChecked(batches.can_choose and MAX in batches.sizes)

    def retranslate(self) -> None:
        """Say its words again."""
        self.max_button.setText(text.say("batch.max"))
        self.max_button.setToolTip(text.say("batch.max.tip"))
        self.max_button.setAccessibleName(text.say("fix.find-largest"))

    def _toggle(self, chosen: bool) -> None:
        """Into the list, or out of it; what was typed beside it stays."""
        axes = self._setup.axes
        others = tuple(size for size in axes.batches if size != MAX)
        self._setup.set_axes(msgspec.structs.replace(axes, batches=(*others, MAX) if chosen else others))
        self._setup.changed.emit()

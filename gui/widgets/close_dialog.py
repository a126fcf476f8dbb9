"""Asking once before a window with a running job closes."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui import text
from gui.models.run_model import RunModel
from gui.widgets.labels import label


class CloseDialog(QDialog):
    """Accepted: stop and close. Rejected, the default: go on measuring."""

    def __init__(self, model: RunModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("closeDialog")
        self.setWindowTitle(text.say("close.title"))
        self.setFixedWidth(420)
        done = sum(row.is_ended for row in model.rows)
        sentence = label(wraps=True)
        sentence.setMinimumWidth(420 - 2 * 16)  # or Qt reckons the height for the narrowest width
        sentence.setText(text.say("close.text", done=min(done + 1, len(model.rows)), total=len(model.rows)))
        self.keep_button = QPushButton(text.say("close.keep"), objectName="keepRunningButton")
        self.stop_button = QPushButton(text.say("close.stop"), objectName="stopAndCloseButton")
        self.stop_button.setProperty("role", "danger")
        self.keep_button.clicked.connect(self.reject)
        self.stop_button.clicked.connect(self.accept)
        self.stop_button.setAutoDefault(False)
        self.keep_button.setDefault(True)
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(self.stop_button)
        row.addWidget(self.keep_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addWidget(sentence)
        column.addLayout(row)

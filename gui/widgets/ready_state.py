"""The centre while a model is loaded and nothing was run: what it is waiting for, and the one next step."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from gui import text
from gui.models.setup_model import SetupModel
from gui.widgets.labels import label


class ReadyState(QWidget):
    """Shows a `SetupModel` before its first run; the step is a signal."""

    class_requested = Signal()

    def __init__(self, setup: SetupModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("readyState")
        self._setup = setup
        self._title = label("title", "readyTitle", wraps=True)
        self._sentence = label("muted", "readySentence", wraps=True)
        self.class_button = QPushButton(objectName="readyClassButton")
        self.class_button.setProperty("role", "primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(12)
        column.addStretch(1)
        for widget in (self._title, self._sentence):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(widget)
        column.addWidget(self.class_button, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(1)
        self.class_button.clicked.connect(self.class_requested)
        setup.changed.connect(self.retranslate)
        setup.models.looking_changed.connect(self.retranslate)
        text.current.changed.connect(self.retranslate)
        self.retranslate()

    def retranslate(self) -> None:
        """Say what is loaded and what is missing, in the language of the moment."""
        entry = self._setup.models.current
        missing = self._setup.missing()
        self._title.setText(text.say("ready.title", name=entry.name) if entry else "")
        is_tried = entry is not None and entry.looking is not None and entry.looking.what == "examined"
        is_dangerous = entry is not None and entry.inspected is not None and entry.inspected.danger == "dangerous"
        self._sentence.setText(text.say("ready.looking" if is_tried else missing or ("ready.dangerous" if is_dangerous else "ready.go")))
        self.class_button.setText(text.say("picker.browse" if entry is not None and entry.missing_classes else "card.choose-class"))
        self.class_button.setVisible(entry is not None and entry.needs_class)

"""Code to be copied: a view, and a button that puts it on the clipboard."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from gui import text
from gui.widgets.code_view import CodeView


class CodeBlock(QWidget):
    """Shows `words` and copies them; `name` is the view's, the button's is `name` + `Copy`."""

    def __init__(self, name: str, wraps: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = CodeView(name, wraps=wraps)
        self._words = ""
        self.copy_button = QPushButton(objectName=f"{name}Copy")
        self.copy_button.setProperty("role", "small")
        self.copy_button.setAutoDefault(False)
        self.copy_button.clicked.connect(self._copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.view)
        column.addWidget(self.copy_button, 0, Qt.AlignmentFlag.AlignRight)
        self.retranslate()

    def show_text(self, words: str, name: str) -> None:
        """Replace the code; `name` says what it is to a screen reader."""
        if words != self._words:
            self._words = words
            self.view.show_text(words)
            self.retranslate()
        self.view.setAccessibleName(name)

    def retranslate(self) -> None:
        """Say the button again, as it is before it is pressed."""
        self.copy_button.setText(text.say("code.copy"))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._words)  # the view gives plain spaces for others, which a file's name may have
        self.copy_button.setText(text.say("code.copied"))

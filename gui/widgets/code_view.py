"""Text in a monospaced font that can be selected and copied: code, logs, tracebacks."""

from __future__ import annotations

from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from gui import theme

MOST_LINES = 26


class CodeView(QPlainTextEdit):
    """As high as its text, up to `most_lines`; long lines scroll sideways."""

    def __init__(self, name: str, most_lines: int = MOST_LINES, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._most_lines = most_lines
        self.setReadOnly(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setFont(theme.font(11, monospaced=True))
        self.setTabChangesFocus(True)
        self.show_text("")

    def show_text(self, words: str) -> None:
        """Replace the text; the same text keeps scroll position and selection."""
        words = words.rstrip("\n")
        if words != self.toPlainText():
            self.setPlainText(words)
        lines = min(max(words.count("\n") + 1, 1), self._most_lines)
        self.setFixedHeight(lines * QFontMetrics(self.font()).lineSpacing() + 26)

"""Text in a monospaced font that can be selected and copied: code, logs, tracebacks."""

from __future__ import annotations

from PySide6.QtGui import QFontMetrics, QResizeEvent, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from gui import theme

MOST_LINES = 26


class CodeView(QPlainTextEdit):
    """As high as its text, up to `most_lines`; long lines scroll sideways, or are wrapped."""

    def __init__(self, name: str, most_lines: int = MOST_LINES, wraps: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._most_lines, self._wraps = most_lines, wraps
        self.setReadOnly(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth if wraps else QPlainTextEdit.LineWrapMode.NoWrap)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere if wraps else QTextOption.WrapMode.NoWrap)
        self.setFont(theme.font(11, monospaced=True))
        self.setTabChangesFocus(True)
        self.show_text("")

    def show_text(self, words: str) -> None:
        """Replace the text; the same text keeps scroll position and selection."""
        words = words.rstrip("\n")
        if words != self.toPlainText():
            self.setPlainText(words)
        self._fit_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrapped text needs another height at another width."""
        super().resizeEvent(event)
        if self._wraps and event.size().width() != event.oldSize().width():
            self._fit_height()

    def _fit_height(self) -> None:
        lines = int(self.document().size().height()) if self._wraps else self.blockCount()
        room = 14 if self._wraps else 26  # without wrapping, room for the scroll bar
        self.setFixedHeight(min(max(lines, 1), self._most_lines) * QFontMetrics(self.font()).lineSpacing() + room)

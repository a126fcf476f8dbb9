"""What lies over the window while a file is dragged across it."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gui import text, theme

MARGIN = 12


class DropOverlay(QWidget):
    """A frame and a sentence; the mouse and the drag go through it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dropOverlay")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def cover(self) -> None:
        """Lie over the whole parent."""
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame and the sentence."""
        colours = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(colours.window)
        veil.setAlpha(235)
        painter.fillRect(self.rect(), veil)
        painter.setPen(QPen(QColor(colours.accent), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN), 8, 8)
        font = QFont(self.font())
        font.setPixelSize(20)
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        painter.drawText(self.rect().adjusted(48, 48, -48, -48), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text.say("drop.hint"))
        painter.end()


def local_paths(mime: QMimeData) -> list[str]:
    """The files that a drag carries."""
    return [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]

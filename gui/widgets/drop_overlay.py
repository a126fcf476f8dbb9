"""What lies over the window while a file is dragged across it."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QFont, QPainter, QPaintEvent, QPen, QRegion
from PySide6.QtWidgets import QWidget

from gui import text, theme
from gui.models.inputs_model import DATA_ENDINGS

MARGIN = 12


class DropOverlay(QWidget):
    """A frame and a sentence; the mouse and the drag go through it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dropOverlay")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._opening = QRect()
        self.hide()

    def cover(self, opening: QRect | None = None) -> None:
        """Lie over the whole parent, but for an opening (in the screen's coordinates) where the file may be put on something."""
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self._opening = QRect(self.mapFromGlobal(opening.topLeft()), opening.size()) if opening is not None and not opening.isEmpty() else QRect()
        self.raise_()
        self.show()

    def enter(self, event: QDragEnterEvent, rows: QRect) -> None:
        """Files come over the window: all are welcome; data for an input leaves the rows in sight."""
        if event.mimeData().hasUrls():
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.cover(rows if is_data(local_paths(event.mimeData())) else None)

    def take(self, event: QDropEvent) -> list[str]:
        """The files are let go; their paths."""
        self.hide()
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        return local_paths(event.mimeData())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame and the sentence."""
        colours = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(colours.window)
        veil.setAlpha(235)
        painter.setClipRegion(QRegion(self.rect()).subtracted(QRegion(self._opening)))
        painter.fillRect(self.rect(), veil)
        painter.setPen(QPen(QColor(colours.accent), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN), 8, 8)
        font = QFont(self.font())
        font.setPixelSize(20)
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        painter.drawText(self.rect().adjusted(48, 48, -48, -48), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._words())
        if not self._opening.isEmpty():
            painter.setClipping(False)
            painter.setPen(QPen(QColor(colours.accent), 2))
            painter.drawRoundedRect(QRectF(self._opening).adjusted(-2, -2, 2, 2), 6, 6)
        painter.end()

    def _words(self) -> str:
        return text.say("drop.hint" if self._opening.isEmpty() else "drop.data")


def is_data(paths: list[str]) -> bool:
    """Whether one file is dragged that may hold the data of an input."""
    return len(paths) == 1 and paths[0].lower().endswith(DATA_ENDINGS)


def local_paths(mime: QMimeData) -> list[str]:
    """The files that a drag carries."""
    return [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]

"""A column of words that scrolls, as high as its words need."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget


class Column(QWidget):
    """What is scrolled: as high as its words need at the width that it has, where Qt would reckon with the narrowest width."""

    def minimumSizeHint(self) -> QSize:
        """The height for the present width."""
        layout = self.layout()
        return QSize(0, layout.heightForWidth(self.width()) if layout is not None else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width needs another height."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()

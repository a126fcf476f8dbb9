"""Drop-downs inside what is scrolled: the wheel scrolls, and changes nothing on its way."""

from __future__ import annotations

from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox


class ScrolledBox(QComboBox):
    """Chosen from by click and keyboard only."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave it to the pane."""
        event.ignore()

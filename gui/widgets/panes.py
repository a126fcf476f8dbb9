"""Left, centre and right: both sides collapse; in a narrow window the right pane lies over the centre."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

NARROW = 1180
LEFT_WIDTH = 292
RIGHT_WIDTH = 320


class Panes(QWidget):
    """Holds the three panes. `right_changed` when the right one is shown or hidden by the layout itself."""

    right_changed = Signal(bool)

    def __init__(self, left: QWidget, centre: QWidget, right: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._left, self._centre, self._right = left, centre, right
        self._narrow = False
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        for pane in (left, centre, right):
            self.splitter.addWidget(pane)
        self.splitter.setCollapsible(1, False)
        for index, stretch in enumerate((0, 1, 0)):
            self.splitter.setStretchFactor(index, stretch)
        self.splitter.setSizes([LEFT_WIDTH, 668, RIGHT_WIDTH])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.splitter)
        right.hide()

    @property
    def is_narrow(self) -> bool:
        """Whether the right pane lies over the centre when it is shown."""
        return self._narrow

    def show_left(self, shown: bool) -> None:
        """Show or hide the left pane."""
        self._left.setVisible(shown)

    def show_right(self, shown: bool) -> None:
        """Show or hide the right pane."""
        self._right.setVisible(shown)
        self._place()
        self.right_changed.emit(shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Move the right pane over the centre, or back beside it."""
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        if narrow != self._narrow:
            self._narrow = narrow
            self._move_right(narrow)
        self._place()

    def _move_right(self, over: bool) -> None:
        # Becoming narrow hides it: it would cover what the user is looking at.
        shown = self._right.isVisible() and not over
        if over:
            self._right.setParent(self)
        else:
            self.splitter.addWidget(self._right)
            self.splitter.setSizes([self._left.width(), self.width() - self._left.width() - RIGHT_WIDTH, RIGHT_WIDTH])
        self._right.setVisible(shown)
        self.right_changed.emit(shown)

    def _place(self) -> None:
        if self._narrow:
            self._right.setGeometry(self.width() - RIGHT_WIDTH, 0, RIGHT_WIDTH, self.height())
            self._right.raise_()

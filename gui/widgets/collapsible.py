"""A section with a header that opens and closes it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from gui import theme


class Collapsible(QWidget):
    """`body` takes the content's widgets; buttons stand right of the title. `toggled` when the user opens or closes it."""

    toggled = Signal(bool)

    def __init__(self, name: str, is_open: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.header = QToolButton(objectName=f"{name}Header")
        self.header.setProperty("role", "section-header")
        self.header.setCheckable(True)
        self.header.setChecked(is_open)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.header.setIconSize(QSize(10, 10))
        self.header.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._content = QWidget()
        self.body = QVBoxLayout(self._content)
        self.body.setContentsMargins(20, 0, 0, 8)
        self.body.setSpacing(4)
        self._line = QHBoxLayout()
        self._line.setSpacing(4)
        self._line.addWidget(self.header)
        self._line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._line)
        column.addWidget(self._content)
        self.header.toggled.connect(self._show_content)
        theme.notifier.changed.connect(self._show_icon)
        self._show_content(is_open)

    @property
    def is_open(self) -> bool:
        """Whether the content shows."""
        return self.header.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Open or close it."""
        self.header.setChecked(is_open)

    def set_title(self, title: str) -> None:
        """Name it."""
        self.header.setText(title)
        self.header.setAccessibleName(title)

    def add_button(self, button: QWidget) -> None:
        """Put a button right of the title."""
        self._line.addWidget(button)

    def _show_content(self, is_open: bool) -> None:
        self._content.setVisible(is_open)
        self._show_icon()
        self.toggled.emit(is_open)

    def _show_icon(self) -> None:
        self.header.setIcon(theme.icon("expanded" if self.is_open else "collapsed", "muted"))

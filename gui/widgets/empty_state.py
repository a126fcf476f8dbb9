"""The centre before there is anything to see: what to do, and three ways to do it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui import text, theme
from gui.widgets.labels import label

MOST_RECENTS = 5
ICON_SIZE = 40
WIDTH = 460


class EmptyState(QWidget):
    """Asks the window by signals; `dropZone` is its frame, though the whole window takes drops."""

    open_requested = Signal()
    demo_requested = Signal()
    recent_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("emptyState")
        self._recents: list[str] = []
        self.picture = label()
        self.sentence, self.second = label("title", "emptySentence", wraps=True), label("", wraps=True)
        self.recent_title = label("section")
        self.open_button = QPushButton(objectName="emptyOpenButton")
        self.open_button.setProperty("role", "primary")
        self.open_button.clicked.connect(self.open_requested)
        self.demo_button = QPushButton(objectName="emptyDemoButton")
        self.demo_button.setMinimumHeight(36)
        self.demo_button.clicked.connect(self.demo_requested)
        self.recent_buttons: list[QPushButton] = []
        self._recent_column = QVBoxLayout()
        self._lay_out()
        text.current.changed.connect(self.retranslate)
        theme.notifier.changed.connect(self.retranslate)
        self.retranslate()

    def set_recents(self, paths: list[str]) -> None:
        """Offer the newest of these files."""
        self._recents = paths[:MOST_RECENTS]
        self._show_recents()

    def retranslate(self) -> None:
        """Say every word again."""
        self.picture.setPixmap(theme.icon("drop", "muted").pixmap(QSize(ICON_SIZE, ICON_SIZE)))
        self.sentence.setText(text.say("empty.sentence"))
        self.second.setText(text.say("empty.second"))
        self.open_button.setText(text.say("empty.open"))
        self.demo_button.setText(text.say("empty.demo"))
        self.recent_title.setText(text.say("empty.recent"))
        self._show_recents()

    def _show_recents(self) -> None:
        self.recent_title.setVisible(bool(self._recents))
        while len(self.recent_buttons) < len(self._recents):
            self._add_recent_button()
        for place, button in enumerate(self.recent_buttons):
            button.setVisible(place < len(self._recents))
            if place < len(self._recents):
                path = Path(self._recents[place])
                button.setText(path.name.replace("&", "&&"))
                button.setToolTip(str(path))
                button.setIcon(theme.icon("history", "muted"))

    def _add_recent_button(self) -> None:
        place, button = len(self.recent_buttons), QPushButton()
        button.setProperty("role", "flat")
        button.setIconSize(QSize(12, 12))
        button.clicked.connect(lambda: self.recent_chosen.emit(self._recents[place]))
        self._recent_column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        self.recent_buttons.append(button)

    def _lay_out(self) -> None:
        zone = QFrame(objectName="dropZone")
        zone.setMaximumWidth(WIDTH)
        column, buttons = QVBoxLayout(zone), QHBoxLayout()
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(12)
        for made in (self.picture, self.sentence, self.second, self.recent_title):
            made.setAlignment(Qt.AlignmentFlag.AlignCenter)
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.demo_button)
        buttons.addStretch(1)
        column.addWidget(self.picture)
        column.addWidget(self.sentence)
        column.addWidget(self.second)
        column.addSpacing(4)
        column.addLayout(buttons)
        column.addSpacing(4)
        column.addWidget(self.recent_title)
        self._recent_column.setSpacing(0)
        column.addLayout(self._recent_column)
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(zone, 4)
        across.addStretch(1)
        whole = QVBoxLayout(self)
        whole.addStretch(2)
        whole.addLayout(across)
        whole.addStretch(3)

"""The runs that are kept on this machine, newest first."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine.events import HistoryListed
from engine.history import Entry


class HistoryModel(QObject):
    """What the History tab lists. `changed` when the list is new, `opened_changed` when another run is shown."""

    changed = Signal()
    opened_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: tuple[Entry, ...] = ()
        self.opened: str | None = None

    def apply(self, event: HistoryListed) -> None:
        """Take the list as the engine read it."""
        if event.entries != self.entries:
            self.entries = event.entries
            self.changed.emit()

    def set_opened(self, path: str | None) -> None:
        """Mark the run that is on the screen."""
        if path != self.opened:
            self.opened = path
            self.opened_changed.emit()

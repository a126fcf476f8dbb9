"""What the user prefers, for the window: the settings file as a value that tells when it changed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from engine.storage import StorageError
from gui.settings import Settings, SettingsFile


class Preferences(QObject):
    """Settings with a signal. A file that cannot be written costs nothing but a note: `write_failed` carries the `Failure`, once."""

    changed = Signal()
    write_failed = Signal(object)

    def __init__(self, file: SettingsFile, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.file = file
        self.value: Settings = file.value
        self._said = False

    def change(self, change: Callable[[Settings], Settings]) -> None:
        """Change the settings here and in the file."""
        try:
            value = self.file.change(change)
        except StorageError as error:
            value = change(self.value)
            if not self._said:
                self._said = True
                self.write_failed.emit(error.failure)
        if value != self.value:
            self.value = value
            self.changed.emit()

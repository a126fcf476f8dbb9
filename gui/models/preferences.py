"""What the user prefers, for the window: the settings file as a value that tells when it changed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from gui.settings import Settings, SettingsFile


class Preferences(QObject):
    """Settings with a signal. A file that cannot be written costs nothing but a note: `write_failed` carries the system's reason."""

    changed = Signal()
    write_failed = Signal(str)

    def __init__(self, file: SettingsFile, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.file = file
        self.value: Settings = file.value

    def change(self, change: Callable[[Settings], Settings]) -> None:
        """Change the settings here and in the file."""
        try:
            value = self.file.change(change)
        except OSError as error:
            value = change(self.value)
            self.write_failed.emit(error.strerror or str(error))
        if value != self.value:
            self.value = value
            self.changed.emit()

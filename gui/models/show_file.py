"""Shows a file with the program that the system has for it."""

from __future__ import annotations

from PySide6.QtCore import QUrl


def show_file(path: str) -> None:
    """Open a file with the program that the system has for it."""
    from PySide6.QtGui import QDesktopServices  # late: a session without a window needs none of it

    QDesktopServices.openUrl(QUrl.fromLocalFile(path))

"""The real program with eyes attached: runs main.py's window and answers, on a socket, where its widgets are and what they say.

Started by tests/end2end as a process of its own: `python -m tests.support.eyes SOCKET_FD FILE ...`. It only looks: every act comes from outside, as
real X events.
"""

from __future__ import annotations

import json
import socket
import sys
import traceback
from typing import Any

from PySide6.QtCore import QAbstractProxyModel, QAbstractTableModel, QObject, QSocketNotifier, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QWidget


class Eyes(QObject):
    """Answers questions on the GUI thread, between the window's own events."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._socket = socket.socket(fileno=fd)
        self._stream = self._socket.makefile("rw")
        self._notifier = QSocketNotifier(fd, QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._asked)

    def _asked(self) -> None:
        line = self._stream.readline()
        if not line:
            self._notifier.setEnabled(False)
            return
        question = json.loads(line)
        try:
            answer = {"answer": getattr(self, question.pop("ask"))(**question)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        self._stream.write(json.dumps(answer) + "\n")
        self._stream.flush()

    def widget(self, name: str) -> dict[str, Any] | None:
        """Where a visible widget is on the screen, and what it says."""
        found = _find(name)
        if found is None:
            return None
        corner = found.mapToGlobal(found.rect().topLeft())
        return {"x": corner.x(), "y": corner.y(), "w": found.width(), "h": found.height(), "text": _text(found), "enabled": found.isEnabled()}

    def texts(self, name: str) -> list[str]:
        """Everything that is written inside a widget."""
        found = _find(name)
        return [] if found is None else [text for child in found.findChildren(QWidget) if child.isVisible() and (text := _text(child))]

    def rows(self, name: str) -> list[list[str]]:
        """The cells of a table or list."""
        found = _find(name)
        if isinstance(found, QComboBox):
            return [[found.itemText(row)] for row in range(found.count())]
        if not isinstance(found, QAbstractItemView) or found.model() is None:
            return []
        model = found.model()
        columns = model.columnCount() if isinstance(model, QAbstractTableModel | QAbstractProxyModel) else 1
        return [
            [str(model.data(model.index(row, column), Qt.ItemDataRole.DisplayRole) or "") for column in range(columns)]
            for row in range(model.rowCount())
        ]

    def row_place(self, name: str, row: int) -> dict[str, int] | None:
        """The middle of a row on the screen."""
        found = _find(name)
        if not isinstance(found, QAbstractItemView) or found.model() is None or row >= found.model().rowCount():
            return None
        centre = found.viewport().mapToGlobal(found.visualRect(found.model().index(row, 0)).center())
        return {"x": centre.x(), "y": centre.y()}

    def modules(self) -> list[str]:
        """Packages imported in the window's process."""
        return sorted({name.partition(".")[0] for name in sys.modules})


_seen: list[list[QWidget]] = []
"""A child's Python object is of no use once its dialog's is gone: all are held until the next question."""


def _find(name: str) -> QWidget | None:
    """The visible widget of that name, the newest dialog first."""
    _seen.clear()
    for top in reversed(QApplication.topLevelWidgets()):
        _seen.append([top, *top.findChildren(QWidget)])
        for widget in _seen[-1]:
            if widget.objectName() == name and widget.isVisible():
                return widget
    return None


def _text(widget: QWidget) -> str:
    if isinstance(widget, QPlainTextEdit):
        return widget.toPlainText()
    if isinstance(widget, QComboBox):
        return widget.currentText()
    return widget.text() if isinstance(widget, QLabel | QAbstractButton | QLineEdit) else ""


def main() -> int:
    """Open the window as main.py does, with the files given."""
    from gui import app

    application = QApplication(["model-dyno"])
    eyes = Eyes(int(sys.argv[1]))
    code = app.main(sys.argv[2:])
    eyes.deleteLater()
    application.processEvents()
    return code


if __name__ == "__main__":
    sys.exit(main())

"""A window of another program from which files can be dragged: `python -m tests.support.drag_source X Y FILE ...`."""

from __future__ import annotations

import sys

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel


class Source(QLabel):
    """Press on it and move: the files go along."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__("drag me")
        self._paths = paths

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(path) for path in self._paths])
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.exec(Qt.DropAction.CopyAction)


def main() -> None:
    """Show the source until the process is ended."""
    application = QApplication(sys.argv[:1])
    source = Source(sys.argv[3:])
    source.setWindowFlag(Qt.WindowType.FramelessWindowHint)
    source.setGeometry(int(sys.argv[1]), int(sys.argv[2]), 120, 60)
    source.show()
    print("ready", flush=True)
    application.exec()


if __name__ == "__main__":
    main()

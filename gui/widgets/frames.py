"""When views draw: by one timer, the newest state only, and not at all while nothing is new."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QObject, QTimer

from gui.models.run_model import RunModel

FRAME_MS = 33


class Refreshing(Protocol):
    """A view that draws what is new when it is asked."""

    def refresh(self) -> None:
        """Draw what is new since the last time."""


class Frames(QObject):
    """Refreshes views while a `RunModel` changes; a change starts the timer, a frame without one stops it."""

    def __init__(self, run: RunModel, parent: QObject | None = None, views: tuple[Refreshing, ...] = ()) -> None:
        super().__init__(parent)
        self._run = run
        self._views = list(views)
        self._drawn = -1
        self._is_open = True
        self.timer = QTimer(self, interval=FRAME_MS)
        self.timer.timeout.connect(self._draw)
        for signal in (run.reset, run.row_changed, run.selection_changed, run.samples_appended, run.timeline_appended, run.progress_changed, run.state_changed):
            signal.connect(self.wake)

    def add(self, *views: Refreshing) -> None:
        """Refresh these too, from the next frame on."""
        self._views += views
        self.wake()

    def wake(self) -> None:
        """Something is new."""
        if self._is_open and not self.timer.isActive():
            self.timer.start()

    def close(self) -> None:
        """Draw no more."""
        self._is_open = False
        self.timer.stop()

    def _draw(self) -> None:
        if self._run.revision == self._drawn:
            self.timer.stop()
        self._drawn = self._run.revision
        for view in self._views:
            view.refresh()

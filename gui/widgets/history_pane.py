"""The History tab: runs kept on this machine, newest first; a click opens one."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QLocale, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from engine.history import Entry
from gui import text
from gui.models.history_model import HistoryModel
from gui.widgets.labels import label
from gui.widgets.lines import LinesDelegate


class HistoryPane(QWidget):
    """Shows a `HistoryModel`; `run_chosen` carries the path of a run."""

    run_chosen = Signal(str)

    def __init__(self, history: HistoryModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("historyPane")
        self._history = history
        self.list = QListWidget(objectName="historyList")
        self.list.setItemDelegate(LinesDelegate(self.list))
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._empty = label("muted", "historyEmpty", wraps=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.addWidget(self._empty)
        column.addWidget(self.list, 1)
        # activated would need a double click on some desktops, clicked alone would leave the keyboard out
        self.list.itemClicked.connect(self._choose)
        self.list.itemActivated.connect(self._choose)
        history.changed.connect(self.retranslate)
        history.opened_changed.connect(self._mark)
        text.current.changed.connect(self.retranslate)
        self.retranslate()

    def retranslate(self) -> None:
        """Show the list in the language of the moment."""
        self._empty.setText(text.say("history.empty"))
        self._empty.setVisible(not self._history.entries)
        self.list.setVisible(bool(self._history.entries))
        self.list.setAccessibleName(text.say("history.list"))
        self.list.clear()
        for entry in self._history.entries:
            item = QListWidgetItem("\n".join(describe(entry)))
            item.setData(Qt.ItemDataRole.UserRole, entry.path)
            item.setToolTip(f"{entry.summary.model_path}\n{entry.path}")
            self.list.addItem(item)
        self._mark()

    def _choose(self, item: QListWidgetItem) -> None:
        path = item.data(Qt.ItemDataRole.UserRole)
        if path != self._history.opened:
            self.run_chosen.emit(path)

    def _mark(self) -> None:
        paths = [entry.path for entry in self._history.entries]
        with QSignalBlocker(self.list):
            self.list.setCurrentRow(paths.index(self._history.opened) if self._history.opened in paths else -1)


def describe(entry: Entry) -> tuple[str, ...]:
    """Name; how many configurations and when; the fastest figure."""
    summary = entry.summary
    code = "history.summary-one" if summary.outcomes == 1 else "history.summary"
    lines = [entry.model_name, text.say(code, count=summary.outcomes, when=_when(summary.created_at))]
    figures = [] if summary.fastest_p50_ms is None else [text.say("history.best", p50=f"{summary.fastest_p50_ms:.3g}")]
    if not summary.finished:
        figures.append(text.say("history.unfinished"))
    return (*lines, " · ".join(figures)) if figures else tuple(lines)


def _when(created_at: str) -> str:
    try:
        moment = datetime.fromisoformat(created_at).astimezone()
    except ValueError:
        return created_at
    locale = QLocale(QLocale.Language.Chinese if text.language() == "zh" else QLocale.Language.English)
    return locale.toString(moment, "d MMM yyyy, HH:mm" if text.language() == "en" else "yyyy年M月d日 HH:mm")

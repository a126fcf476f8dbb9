"""The Switches tab: what each switch did to time, memory and outputs."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QVBoxLayout, QWidget

from gui import text, theme
from gui.models.row_words import short_name
from gui.models.run_model import RunModel
from gui.models.teaching import OUTPUTS, TIME, TeachingModel
from gui.widgets.labels import label

ROW_HEIGHT = 28


class TeachingPane(QWidget):
    """Shows the teaching run of a `RunModel`; a row that is picked is selected there."""

    def __init__(self, run: RunModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("teachingPane")
        self._run = run
        self.model = TeachingModel(run, self)
        self.note, self.empty = label("muted", "teachingNote", wraps=True), label("muted", "teachingEmpty", wraps=True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.table = QTableView(objectName="teachingTable")
        self.table.setModel(self.model)
        self._set_up()
        self.model.modelReset.connect(self.retranslate)
        self.table.clicked.connect(self._pick)
        theme.notifier.changed.connect(self.retranslate)
        self.retranslate()

    def sizeHint(self) -> QSize:
        """As high as the results."""
        return QSize(640, 7 * ROW_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Low: the table scrolls, and the tab takes no room from the graphs above."""
        return QSize(420, 3 * ROW_HEIGHT)

    def retranslate(self) -> None:
        """Say every word again; a sentence takes the width of its row."""
        first = self.model.first
        self.table.setVisible(first is not None)
        self.note.setVisible(first is not None)
        self.empty.setVisible(first is None)
        self.empty.setText(text.say("teach.empty"))
        self.table.setAccessibleName(text.say("teach.name"))
        if first is None:
            return
        self.note.setText(text.say("teach.against", name=short_name(first.configuration)) if first.outcome is not None else text.say("teach.waiting"))
        self.table.clearSpans()
        for place in range(self.model.rowCount()):
            if self.model.sentence(place):
                self.table.setSpan(place, TIME, 1, OUTPUTS)
        self.table.resizeColumnsToContents()

    def _pick(self, index: QModelIndex) -> None:
        self._run.select(self.model.index_of(index.row()), by_user=True)

    def _set_up(self) -> None:
        table, header = self.table, self.table.horizontalHeader()
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.note)
        column.addWidget(table, 1)
        column.addWidget(self.empty, 1)

"""The results as a table: one configuration a row, a failure as one sentence across it."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFontMetrics, QGuiApplication, QKeySequence, QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from gui import text, theme
from gui.models.markdown import markdown
from gui.models.results_table_model import COLUMNS, GRADE_ROLE, MUTED_ROLE, STATE_ROLE, ResultsTableModel
from gui.models.row_words import failure_sentence
from gui.models.run_model import RunModel
from gui.widgets.labels import label

ROW_HEIGHT = 28
PADDING = 8
ICON_SIZE = 12
STATE_COLOURS = {"done": "good", "failed": "bad", "out-of-memory": "bad", "unsupported": "caution", "running": "accent"}
GRADE_COLOURS = {"good": "good", "noisy": "caution", "poor": "bad"}
WIDEST = {"p50": "88.888 ± 0.888 ms", "p99": "888 more.", "throughput": "88,888", "memory": "888.8 MiB", "accuracy": "not checked.", "trust": "noisy--"}
P50 = 1
WITH_QUARTILES = "88.88 ms (88.88–888.88)"
NAME_WIDTH, ROOMY_NAME_WIDTH = 120, 320
"""The least for the name; and what it should have before a median of one visit gets the room for its quartiles."""


class _Delegate(QStyledItemDelegate):
    """Paints a shape before the name and before the grade; a colour never stands alone."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Background by the style, then shape and words."""
        self.initStyleOption(option, index)
        words, option.text = option.text, ""
        widget = option.widget
        widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, widget)
        room = option.rect.adjusted(PADDING, 0, -PADDING, 0)
        shape = self._shape(index)
        if shape:
            name, role = shape
            size = QSize(ICON_SIZE, ICON_SIZE)
            place = QRect(QPoint(room.left(), room.center().y() - ICON_SIZE // 2 + 1), size)
            theme.icon(name, role).paint(painter, place)
            room.setLeft(place.right() + 7)
        painter.setFont(option.font)
        painter.setPen(QColor(self._colour(index)))
        shown = QFontMetrics(option.font).elidedText(words, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(option.displayAlignment), shown)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """One line."""
        return QSize(super().sizeHint(option, index).width() + 2 * PADDING, ROW_HEIGHT)

    def _shape(self, index: QModelIndex | QPersistentModelIndex) -> tuple[str, str] | None:
        name = COLUMNS[index.column()].name
        if name == "config":
            state = index.data(STATE_ROLE)
            return state, STATE_COLOURS.get(state, "muted")
        grade = index.data(GRADE_ROLE)
        return (grade, GRADE_COLOURS[grade]) if name == "trust" and grade in GRADE_COLOURS and index.data() else None

    def _colour(self, index: QModelIndex | QPersistentModelIndex) -> str:
        colours = theme.colours()
        name = COLUMNS[index.column()].name
        if name == "trust" and index.data(GRADE_ROLE) in GRADE_COLOURS:
            return str(getattr(colours, GRADE_COLOURS[index.data(GRADE_ROLE)]))
        return colours.muted if index.data(MUTED_ROLE) else colours.text


class ResultsTable(QTableView):
    """Shows a `RunModel`; what the user picks is selected there. `rows_chosen` when others are marked: with Ctrl or Shift several are, to be compared."""

    rows_chosen = Signal()

    def __init__(self, model: RunModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resultsTable")
        self._run = model
        self._is_showing = False
        self.table = ResultsTableModel(model, self)
        self.setModel(self.table)
        self.setItemDelegate(_Delegate(self))
        self.empty_note = label("muted", parent=self.viewport())
        self.empty_note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.copy_action = QAction(self)
        self.copy_action.setShortcut(QKeySequence.StandardKey.Copy)
        self.copy_action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.copy_action.triggered.connect(lambda: QGuiApplication.clipboard().setText(self.markdown()))
        self.addAction(self.copy_action)
        self._set_up()
        self._connect()
        self.retranslate()
        self._show_rows()

    def markdown(self) -> str:
        """The table as Markdown, in the order on the screen."""
        model = self._run.model
        return markdown(self.table, model.path.replace("\\", "/").rpartition("/")[2] if model is not None else "")

    def refresh(self) -> None:
        """Nothing to do by timer: the table is told of each change."""

    def retranslate(self) -> None:
        """Say every word again."""
        self.setAccessibleName(text.say("table.name"))
        self.copy_action.setText(text.say("table.copy"))
        self.empty_note.setText(text.say("table.empty"))
        self._show_empty()
        self._fit()
        self.viewport().update()

    def sizeHint(self) -> QSize:
        """Six rows and the header."""
        return QSize(640, 7 * ROW_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Two rows and the header."""
        return QSize(200, 3 * ROW_HEIGHT)

    def contextMenuEvent(self, event: object) -> None:
        """Copy, at the pointer."""
        menu = QMenu(self)
        menu.addAction(self.copy_action)
        menu.exec(event.globalPos())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width anew."""
        super().resizeEvent(event)
        self.empty_note.setGeometry(self.viewport().rect())
        self._fit()

    def _set_up(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    def _connect(self) -> None:
        self.selectionModel().currentRowChanged.connect(self._on_picked)
        self.selectionModel().selectionChanged.connect(lambda *_: self.rows_chosen.emit())
        self._run.selection_changed.connect(self._show_selected)
        self._run.reset.connect(self._show_empty)
        for signal in (self.table.rowsInserted, self.table.layoutChanged, self.table.dataChanged, self.table.modelReset):
            signal.connect(self._show_rows)
        text.current.changed.connect(self.retranslate)
        theme.notifier.changed.connect(self.retranslate)

    def _on_picked(self, current: QModelIndex) -> None:
        if current.isValid() and not self._is_showing:
            # Which rows are marked beside it is the view's own doing, just now: showing the selection would undo it.
            self._is_showing = True
            self._run.select(self.table.index_of(current.row()), by_user=True)
            self._is_showing = False

    def chosen_rows(self) -> list[int]:
        """The run's indices of the marked rows, in the order on the screen."""
        return [self.table.index_of(place) for place in sorted(index.row() for index in self.selectionModel().selectedRows())]

    def _show_selected(self) -> None:
        if self._is_showing:
            return
        self._is_showing = True
        if self._run.selected is None or self._run.selected >= self.table.rowCount():
            self.clearSelection()
        else:
            index = self.table.index(self.table.place_of(self._run.selected), 0)
            if not self.selectionModel().isRowSelected(index.row()):      # it may be one of several
                kinds = QItemSelectionModel.SelectionFlag
                self.selectionModel().setCurrentIndex(index, kinds.ClearAndSelect | kinds.Rows)
        self._is_showing = False

    def _show_rows(self) -> None:
        """A sentence takes the width of the row; where rows were sorted, spans move along."""
        self.clearSpans()
        for place in range(self.table.rowCount()):
            if failure_sentence(self.table.row_at(place)):
                self.setSpan(place, 1, 1, len(COLUMNS) - 1)
        self._show_empty()
        self._show_selected()

    def _show_empty(self) -> None:
        self.empty_note.setVisible(not self.table.rowCount())

    def _fit(self) -> None:
        """Figures take what they need; the name takes the rest."""
        widths = [self._width_of(number, WIDEST[column.name]) for number, column in enumerate(COLUMNS[1:], 1)]
        roomy = self._width_of(P50, WITH_QUARTILES)
        if self.viewport().width() - sum(widths) + widths[P50 - 1] - roomy >= ROOMY_NAME_WIDTH:
            widths[P50 - 1] = roomy
        for number, width in enumerate(widths, 1):
            self.horizontalHeader().resizeSection(number, width)
        self.horizontalHeader().resizeSection(0, max(NAME_WIDTH, self.viewport().width() - sum(widths)))

    def _width_of(self, number: int, widest: str) -> int:
        """What a column needs for its widest words and for its name."""
        name = str(self.table.headerData(number, Qt.Orientation.Horizontal))
        extra = ICON_SIZE + 7 if COLUMNS[number].name == "trust" else 0
        words, head = QFontMetrics(self.font()).horizontalAdvance(widest) + extra, QFontMetrics(theme.font(11)).horizontalAdvance(name) + 14
        return max(words, head) + 2 * PADDING

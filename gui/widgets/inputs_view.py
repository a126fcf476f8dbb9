"""The table of inputs as it is drawn: two lines a row, the cells, and below them where the input comes from or what is wrong with it."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolTip,
    QWidget,
)

from gui import theme
from gui.models.input_cells import NAME, RANGE, SHAPE, SOURCE, TYPE, type_choices
from gui.models.inputs_model import InputsModel

LINE, LOWER, INDENT = 24, 20, 5
ROW = LINE + LOWER
MOST_ROWS = 6
NAME_WIDTH, TYPE_WIDTH, RANGE_WIDTH = 62, 60, 64
ROLES = {"needs-you": "caution", "declared": "good", "declared-ran": "good", "guessed-ran": "good", "given-ran": "good", "file-ran": "good"}
Index = QModelIndex | QPersistentModelIndex


class InputsView(QTableView):
    """Shows an `InputsModel`. `remove_requested(row)` on Delete."""

    remove_requested = Signal(int)

    def __init__(self, model: InputsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inputsTable")
        self._inputs = model
        self.setModel(model)
        self.setItemDelegate(_Delegate(self))
        self.setColumnHidden(SOURCE, True)
        self.setShowGrid(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self._set_up_headers()
        for signal in (model.modelReset, model.rowsInserted, model.rowsRemoved):
            signal.connect(self._fit)
        model.dataChanged.connect(self._fit)
        theme.notifier.changed.connect(self.viewport().update)
        self._fit()

    def _set_up_headers(self) -> None:
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(SHAPE, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(24)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def row_at(self, point: QPoint) -> int:
        """The row below a point of the screen, or -1."""
        inside = self.viewport().mapFromGlobal(point)
        return self.rowAt(inside.y()) if self.isVisible() and self.viewport().rect().contains(inside) else -1

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete takes the row away; Return edits, as F2 does."""
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and index.isValid():
            self.remove_requested.emit(index.row())
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid() and self.state() != QAbstractItemView.State.EditingState:
            self.edit(index)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The cells, then the lower line of each row."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row in range(self._inputs.rowCount()):
            self._paint_lower(painter, row)
        painter.end()

    def viewportEvent(self, event: QEvent) -> bool:
        """The lower line's tooltip has all of it."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = self.rowAt(event.pos().y())
            if row >= 0 and event.pos().y() > self.rowViewportPosition(row) + LINE and (line := self._inputs.line_of(row)):
                QToolTip.showText(event.globalPos(), line, self)
                return True
        return super().viewportEvent(event)

    def _paint_lower(self, painter: QPainter, row: int) -> None:
        colours = theme.colours()
        top, width = self.rowViewportPosition(row), self.viewport().width()
        if row:
            painter.setPen(QPen(QColor(colours.grid), 1))
            painter.drawLine(0, top, width, top)
        line, bad = self._inputs.line_of(row), self._inputs.bad
        is_bad = bad is not None and bad.row == row
        left = 8
        chip = self._inputs.index(row, SOURCE).data() or ""
        if chip and not is_bad:
            left = self._paint_chip(painter, left, top + LINE, chip, self._inputs.state_of(row)) + 8
        painter.setFont(theme.font(11))
        painter.setPen(QColor(colours.bad if is_bad else colours.muted))
        room = QRect(left, top + LINE - 2, max(0, width - left - 6), LOWER)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideRight, room.width()))

    def _paint_chip(self, painter: QPainter, left: int, top: int, words: str, state: str) -> int:
        """A rounded frame with a word in it; the frame alone says nothing that the word does not. Its right edge."""
        colour = QColor(getattr(theme.colours(), ROLES.get(state, "muted")))
        painter.setFont(theme.font(11))
        width = painter.fontMetrics().horizontalAdvance(words) + 12
        frame = QRectF(left + 0.5, top - 1.5, width, 16)
        painter.setPen(QPen(colour, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(frame, 8, 8)
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, words)
        return left + width

    def _fit(self) -> None:
        """As high as its rows, up to a limit; the range column only where there are integers."""
        has_ranges = self._inputs.has_ranges()
        self.setColumnHidden(RANGE, not has_ranges)
        for column, width in ((NAME, NAME_WIDTH), (TYPE, TYPE_WIDTH), (RANGE, RANGE_WIDTH)):
            self.setColumnWidth(column, width)
        shown = min(self._inputs.rowCount(), MOST_ROWS)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff if shown == self._inputs.rowCount() else Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + ROW * shown + 2)


class _Delegate(QStyledItemDelegate):
    """Cells on the upper line; a list for the type, a field for the rest."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.fillRect(QRect(option.rect.left(), option.rect.top() + LINE, option.rect.width(), LOWER), QColor(theme.colours().surface))
        upper = QStyleOptionViewItem(option)
        upper.rect = QRect(option.rect.left() + INDENT, option.rect.top() + 1, option.rect.width() - INDENT, LINE - 2)
        model = index.model()
        bad = model.bad if isinstance(model, InputsModel) else None
        if bad is not None and (bad.row, bad.column) == (index.row(), index.column()):
            upper.palette.setColor(upper.palette.ColorRole.Text, QColor(theme.colours().bad))
            upper.palette.setColor(upper.palette.ColorRole.HighlightedText, QColor(theme.colours().bad))
        super().paint(painter, upper, index)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(super().sizeHint(option, index).width(), ROW)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        if index.column() != TYPE:
            field = QLineEdit(parent)
            field.setObjectName("inputField")
            field.setFrame(False)
            field.setStyleSheet("QLineEdit { border-radius: 0; padding: 0 3px; min-height: 0; }")
            return field
        box = QComboBox(parent)
        box.setObjectName("inputTypeBox")
        box.setStyleSheet("QComboBox { border-radius: 0; padding: 0 3px; min-height: 0; } QComboBox::drop-down { width: 12px; }")
        for words, value in type_choices():
            box.addItem(words, value)
        box.activated.connect(lambda _: self._commit(box))
        QTimer.singleShot(0, box, box.showPopup)
        return box

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        wider = 0 if index.column() != TYPE else 18
        editor.setGeometry(QRect(option.rect.left(), option.rect.top(), option.rect.width() + wider, LINE))

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if editor.property("filled"):
            return  # what is being typed is not overwritten by what arrives meanwhile
        editor.setProperty("filled", True)
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(max(0, editor.findText(str(index.data()))))
        else:
            super().setEditorData(editor, index)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QComboBox):
            model.setData(index, editor.currentData())
        elif isinstance(editor, QLineEdit):
            model.setData(index, editor.text())

    def _commit(self, box: QComboBox) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box)

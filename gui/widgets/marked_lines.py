"""List items of several lines with a mark in front: shape and colour beside the words."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QStyle, QStyleOptionViewItem, QWidget

from gui import theme
from gui.widgets.lines import LINE_HEIGHT, PADDING, LinesDelegate

MARK_ROLE = Qt.ItemDataRole.UserRole + 1
"""(icon of gui.theme, role of its colour)"""
MARK, INDENT = 14, 22


class MarkedLinesDelegate(LinesDelegate):
    """As `LinesDelegate`, with the item's mark left of the lines."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Draw one item."""
        mark = index.data(MARK_ROLE)
        if mark is None:
            super().paint(painter, option, index)
            return
        self._fill(painter, option)
        shifted = QStyleOptionViewItem(option)
        shifted.rect = option.rect.adjusted(INDENT, 0, 0, 0)
        super().paint(painter, shifted, index)
        place = QRect(option.rect.left() + PADDING, option.rect.top() + PADDING + (LINE_HEIGHT - MARK) // 2, MARK, MARK)
        theme.icon(*mark).paint(painter, place)

    def _fill(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        colours = theme.colours()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(colours.selection))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(colours.hover))


class MarkedList(QListWidget):
    """Two lines an item; as high as its items up to `most`, longer lists scroll."""

    def __init__(self, name: str, most: int = 4, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._most = most
        self.setItemDelegate(MarkedLinesDelegate(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        theme.notifier.changed.connect(self.viewport().update)

    def add(self, words: str, mark: tuple[str, str] | None = None, data: object = None, tip: str = "") -> None:
        """Append an item: its lines, its mark, what it stands for."""
        item = QListWidgetItem(words)
        item.setData(Qt.ItemDataRole.UserRole, data)
        item.setData(MARK_ROLE, mark)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, words.replace("\n", ", "))
        item.setToolTip(tip)
        self.addItem(item)

    def fit_height(self) -> None:
        """Take the height of the items, up to `most` of them."""
        heights = [self.sizeHintForRow(row) for row in range(min(self.count(), self._most))]
        # A part of the next item shows that there is more.
        more = LINE_HEIGHT if self.count() > self._most else 0
        self.setFixedHeight(sum(heights) + more + 2 * self.frameWidth())

    def sizeHint(self) -> QSize:
        """No wider than its neighbours."""
        return QSize(200, super().sizeHint().height())

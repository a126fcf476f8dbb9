"""List items of several lines: the first strong, the others small and muted."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from gui import theme

LINE_HEIGHT, PADDING = 17, 8


class LinesDelegate(QStyledItemDelegate):
    """The first line strong, the others small and muted."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Draw one run."""
        colours = theme.colours()
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(colours.selection))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(colours.hover))
        place = QRect(option.rect.adjusted(PADDING, PADDING, -PADDING, 0))
        place.setHeight(LINE_HEIGHT)
        for number, line in enumerate(str(index.data()).split("\n")):
            font = QFont(option.font)
            font.setPixelSize(11 if number else 13)
            font.setWeight(QFont.Weight.Normal if number else QFont.Weight.DemiBold)
            painter.setFont(font)
            painter.setPen(QColor(colours.muted if number else colours.text))
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideMiddle, place.width()))
            place.translate(0, LINE_HEIGHT)
        painter.setPen(QColor(colours.grid))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """As high as its lines."""
        return QSize(0, LINE_HEIGHT * len(str(index.data()).split("\n")) + 2 * PADDING)

"""Chips: checkable buttons that flow into lines, one group an axis."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QToolButton, QWidget

from engine.capabilities import Choice

Words = Callable[[Choice], str]


class FlowLayout(QLayout):
    """Items side by side, broken into lines at the right edge."""

    def __init__(self, parent: QWidget | None = None, gap: int = 4) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        """Append an item (Qt calls this from addWidget)."""
        self._items.append(item)

    def count(self) -> int:
        """How many items there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """The item at `index`, None past the end."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Take the item at `index` out."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        """Narrower means more lines."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height of all lines at `width`."""
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        """Put every item into its line."""
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def sizeHint(self) -> QSize:
        """As wide as the widest item; the height follows the width."""
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        """The widest item alone in a line."""
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _arrange(self, rect: QRect, move: bool) -> int:
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            hint = item.sizeHint()
            if x > rect.x() and x + hint.width() > rect.right() + 1:
                x, y, line = rect.x(), y + line + self._gap, 0
            if move:
                item.setGeometry(QRect(QPoint(x, y), hint))
            x += hint.width() + self._gap
            line = max(line, hint.height())
        return y + line - rect.y()


class ChipBox(QWidget):
    """A group of checkable chips. `toggled(value, checked)` comes from the user only."""

    toggled = Signal(str, bool)

    def __init__(self, object_name: str, label: Words, tip: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(object_name)
        self._label, self._tip = label, tip
        self._chips: dict[str, QToolButton] = {}
        self._flow = FlowLayout(self)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def chip(self, value: str) -> QToolButton:
        """The button of one value."""
        return self._chips[value]

    def set_choices(self, choices: list[Choice], chosen: tuple[str, ...]) -> None:
        """Show these values; buttons are kept while the values are the same."""
        if list(self._chips) != [choice.value for choice in choices]:
            self._rebuild(choices)
        for choice in choices:
            button = self._chips[choice.value]
            button.setText(self._label(choice))
            button.setToolTip(self._tip(choice))
            button.setAccessibleName(f"{self.accessibleName()} {self._label(choice)}")
            button.setAccessibleDescription(self._tip(choice))
            button.setEnabled(choice.available)
            button.setChecked(choice.value in chosen)

    def _rebuild(self, choices: list[Choice]) -> None:
        while (item := self._flow.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self._chips = {choice.value: self._make(choice.value) for choice in choices}
        for chip in self._chips.values():
            self._flow.addWidget(chip)
            chip.show()
        self.updateGeometry()

    def _make(self, value: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"{self.objectName()}.{value}")
        button.setProperty("chip", "true")
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(lambda checked, value=value: self.toggled.emit(value, checked))
        return button

"""Lines of name, optional bar and value, whose widgets are kept when the words change."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from gui.widgets.labels import label


class TableLines:
    """A grid on `parent`; each line is a name, a bar (where `bar` makes one) and a value that can be selected."""

    def __init__(self, parent: QWidget, bar: Callable[[], QWidget] | None = None) -> None:
        self._grid = QGridLayout(parent)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1 if bar is not None else 0, 1)
        self._make_bar = bar
        self._lines: list[tuple[QLabel, QWidget | None, QLabel]] = []

    def show_lines(self, lines: list[tuple[str, str, str]]) -> None:
        """Put in (name, value, tooltip) for each line."""
        while len(self._lines) < len(lines):
            self._add()
        for place, cells in enumerate(self._lines):
            for cell in filter(None, cells):
                cell.setVisible(place < len(lines))
            if place < len(lines):
                name, value, tip = lines[place]
                cells[0].setText(name)
                cells[2].setText(value)
                for cell in filter(None, cells):
                    cell.setToolTip(tip)

    def bars(self) -> list[QWidget]:
        """The bars, in the order of the lines."""
        return [bar for _, bar, _ in self._lines if bar is not None]

    def texts(self) -> list[tuple[str, str]]:
        """Name and value of the lines that show."""
        return [(name.text(), value.text()) for name, _, value in self._lines if not name.isHidden()]

    def _add(self) -> None:
        name, value = label("muted"), label("small")
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        bar = self._make_bar() if self._make_bar is not None else None
        place = len(self._lines)
        self._grid.addWidget(name, place, 0)
        if bar is not None:
            self._grid.addWidget(bar, place, 1)
        self._grid.addWidget(value, place, 2, Qt.AlignmentFlag.AlignRight)
        self._lines.append((name, bar, value))

"""What holds code that runs here, and what does not: a line each, with a shape and a colour beside the word."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QGridLayout, QWidget

from gui import text, theme
from gui.models.consent import TrustRequest
from gui.widgets.labels import label

PICTURE, GAP = 12, 8


class Protections(QWidget):
    """The protections of a `TrustRequest`, in two columns where `width` has room for them."""

    def __init__(self, request: TrustRequest, width: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trustProtections")
        self._width = width
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP)
        self._grid.setVerticalSpacing(4)
        if not request.is_checked:
            self._add(0, 0, ("noisy", "caution"), text.say("trust.holds-unknown"))
        elif not request.holding:
            self._add(0, 0, ("poor", "bad"), text.say("trust.holds-nothing"))
        else:
            self._add_each(request)

    def _add_each(self, request: TrustRequest) -> None:
        lines = [(("good", "good"), text.say_reason(f"confined-{code}", {})) for code in request.holding]
        lines += [(("noisy", "caution"), text.say_reason(f"unconfined-{code}", {})) for code in request.failing]
        narrow = self._room(2)
        font = theme.font(11)
        columns = 2 if all(QFontMetrics(font).horizontalAdvance(words) <= narrow for _, words in lines) else 1
        for number, (mark, words) in enumerate(lines):
            self._add(number // columns, number % columns, mark, words, columns)
        if request.has_gpu:
            self._add(self._grid.rowCount(), 0, ("noisy", "caution"), text.say("trust.cuda"), columns, is_whole=True)
        if request.failing_on_gpu:
            sentences = " ".join(text.say_reason(f"unconfined-{code}", {}) for code in request.failing_on_gpu)
            self._add(self._grid.rowCount(), 0, ("poor", "bad"), text.say("trust.cuda-lacks", sentences=sentences), columns, is_whole=True)

    def _room(self, columns: int) -> int:
        """Width for words in one of so many columns."""
        return (self._width - (columns - 1) * GAP) // columns - PICTURE - GAP

    def _add(self, row: int, column: int, mark: tuple[str, str], words: str, columns: int = 1, is_whole: bool = False) -> None:
        picture, line = label(), label("small", wraps=True)
        picture.setPixmap(theme.icon(*mark).pixmap(QSize(PICTURE, PICTURE)))
        line.setText(words)
        line.ensurePolished()
        line.setFixedWidth(self._room(1 if is_whole else columns))
        line.setFixedHeight(line.heightForWidth(line.width()))  # Qt would reckon the height for the narrowest width
        self._grid.addWidget(picture, row, 2 * column, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(line, row, 2 * column + 1, 1, 2 * columns - 1 if is_whole else 1)

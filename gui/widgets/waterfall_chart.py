"""Memory's parts as bars that each begin where the one before ended, with their words and sizes."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from engine import units
from engine.waterfall import Part, Waterfall
from gui import text, theme
from gui.widgets.table_lines import TableLines

LINE_HEIGHT = 16
LEAST_PX = 2.0
COLOURS = {"cached": "faint", "others": "faint", "rest": "faint"}
"""What is not this model's doing is grey."""


class _Bar(QWidget):
    """One part's bar, beside its word."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(80)
        self.setFixedHeight(LINE_HEIGHT)
        self.part, self.total = Part("rest", 0, 0), 1
        theme.notifier.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """From where the sum stood to where it stands with this part."""
        colours = theme.colours()
        name = COLOURS.get(self.part.code)
        painter = QPainter(self)
        room = self.width() - LEAST_PX
        left = self.part.start_bytes / self.total * room
        width = max(LEAST_PX, self.part.bytes / self.total * room)
        painter.fillRect(QRectF(0, LINE_HEIGHT - 1, self.width(), 1), QColor(colours.grid))
        painter.fillRect(QRectF(left, 3, width, LINE_HEIGHT - 6), QColor(getattr(colours, name) if name else colours.series[0]))


class WaterfallChart(QWidget):
    """Shows a `Waterfall`."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("waterfallChart")
        self.lines = TableLines(self, bar=_Bar)

    def show_parts(self, fall: Waterfall) -> None:
        """Put in the parts."""
        total = max(fall.sum_bytes, fall.total_bytes or 0, 1)
        self.lines.show_lines([(text.say(f"memory.{part.code}"), units.format_bytes(part.bytes), text.say(f"memory.{part.code}.tip")) for part in fall.parts])
        for bar, part in zip(self.lines.bars(), fall.parts, strict=False):
            assert isinstance(bar, _Bar)
            bar.part, bar.total = part, total
            bar.update()
        said = ", ".join(f"{text.say(f'memory.{part.code}')} {units.format_bytes(part.bytes)}" for part in fall.parts)
        self.setAccessibleName(text.say("memory.bar", parts=said))

"""Results as a Markdown table: for a ticket or a chat."""

from __future__ import annotations

from PySide6.QtCore import Qt

from engine import units
from gui.models.results_table_model import COLUMNS, ResultsTableModel
from gui.models.row_words import failure_sentence, full_name

_SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|~"})


def markdown(table: ResultsTableModel, title: str = "") -> str:
    """The table as it is sorted now; a row without figures gives its sentence instead."""
    horizontal = Qt.Orientation.Horizontal
    names = [str(table.headerData(number, horizontal)) for number in range(len(COLUMNS))]
    rules = ["---:" if column.is_number else ":---" for column in COLUMNS]
    lines = [_line(names), _line(rules, escape=False)]
    lines += [_line(_cells(table, place)) for place in range(table.rowCount())]
    heading = [f"**{title.translate(_SPECIAL)}**", ""] if title else []
    return "\n".join([*heading, *lines]) + "\n"


def _cells(table: ResultsTableModel, place: int) -> list[str]:
    row = table.row_at(place)
    name = full_name(row.configuration)
    sentence = failure_sentence(row)
    if sentence:
        return [name, sentence, *[units.NONE] * (len(COLUMNS) - 2)]
    return [name, *(str(table.data(table.index(place, number)) or units.NONE) for number in range(1, len(COLUMNS)))]


def _line(cells: list[str], escape: bool = True) -> str:
    return "| " + " | ".join(" ".join(cell.split()).translate(_SPECIAL) if escape else cell for cell in cells) + " |"

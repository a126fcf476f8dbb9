"""What each switch does, as a table against the first row: time, memory, outputs."""

from __future__ import annotations

from engine.commands.table import describe
from engine.result import Run
from engine.teaching import Lesson, lessons, outputs_text
from engine.units import format_bytes, significant
from engine.words import say

COLUMNS = ("switch", "time", "memory", "outputs")


def print_teaching(run: Run) -> None:
    """One row a configuration that ran; nothing where the first one did not."""
    rows = teaching_rows(run)
    if not rows:
        return
    print(f"\n{say('teaching-heading')}")
    table = [COLUMNS, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(COLUMNS))]
    for row in table:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def teaching_rows(run: Run) -> list[tuple[str, str, str, str]]:
    """Name, time over the first row's, memory beside the first row's, and what became of the outputs."""
    return [
        (describe(lesson.outcome), f"{significant(lesson.times)}x", _memory(lesson), outputs_text(lesson.outcome.outputs))
        for lesson in lessons(run.outcomes) if lesson.times is not None
    ]


def _memory(lesson: Lesson) -> str:
    if lesson.more_bytes is None:
        return format_bytes(lesson.bytes)
    return f"{format_bytes(lesson.bytes)} ({'-' if lesson.more_bytes < 0 else '+'}{format_bytes(abs(lesson.more_bytes))})"

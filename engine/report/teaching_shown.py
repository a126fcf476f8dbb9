"""What each switch did, as a table of the page."""

from __future__ import annotations

from dataclasses import dataclass

from engine.option_names import option_names
from engine.report.labels import Labels
from engine.report.names import configuration_name
from engine.report.verdict import p50_text
from engine.result import Run
from engine.teaching import Lesson, lessons, outputs_text
from engine.units import NONE, format_bytes, significant


@dataclass(frozen=True)
class TaughtRow:
    """One switch: its name, the median, how many times the first row's, memory, outputs; or the sentence of its failure."""

    index: int
    name: str
    cells: tuple[str, ...]
    sentence: str = ""


@dataclass(frozen=True)
class Taught:
    """The table, and what it is against."""

    note: str
    rows: tuple[TaughtRow, ...]


def taught(run: Run, labels: Labels) -> Taught | None:
    """None for a run in which no outputs were compared, or whose first row has no figures."""
    found = lessons(run.outcomes) if any(outcome.outputs is not None for outcome in run.outcomes) else ()
    if len(found) < 2:
        return None
    rows = tuple(_row(index, lesson, found[0], labels) for index, lesson in enumerate(found))
    return Taught(labels("teach.note", name=configuration_name(found[0].outcome.configuration, labels)), rows)


def _row(index: int, lesson: Lesson, first: Lesson, labels: Labels) -> TaughtRow:
    outcome, name = lesson.outcome, _name(lesson, first, labels)
    if lesson.times is None:
        sentence = labels.failure(outcome.error)[0] if outcome.error is not None else labels.or_raw("status", outcome.status)
        return TaughtRow(index, name, (), sentence)
    times = NONE if lesson is first else f"{significant(lesson.times)} ×"
    return TaughtRow(index, name, (p50_text(outcome), times, _memory(lesson, labels), outputs_text(outcome.outputs, labels.language)))


def _name(lesson: Lesson, first: Lesson, labels: Labels) -> str:
    """What is other than in the first row."""
    mine, its = lesson.outcome.configuration, first.outcome.configuration
    if lesson is first:
        return labels("teach.plain")
    theirs = option_names(its, labels.language)
    names = [name for name in option_names(mine, labels.language) if name not in theirs]
    if mine.threads != its.threads:
        names.append(labels("thread") if mine.threads == 1 else labels("threads", n=mine.threads))
    return " · ".join(names) or configuration_name(mine, labels)


def _memory(lesson: Lesson, labels: Labels) -> str:
    size = format_bytes(lesson.bytes)
    if lesson.more_bytes is None:
        return size
    return labels("teach.more", size=size, sign="\u2212" if lesson.more_bytes < 0 else "+", difference=format_bytes(abs(lesson.more_bytes)))

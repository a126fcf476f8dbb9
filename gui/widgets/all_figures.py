"""The section of the details pane with every figure of a row; a percentile below its floor is grey and says how many samples it needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel

from engine import units
from engine.result import Latency, Outcome
from engine.statistics import sample_floor, samples_missing
from gui import text
from gui.models.row import Row
from gui.widgets.details_sections import Section
from gui.widgets.labels import label, set_role

TERMS = {"details.visits": "term.visit", "details.interval": "term.interval", "details.quartiles": "term.quartiles", "details.p99": "term.p99"}
PERCENTILES = {"p90": 0.9, "p95": 0.95, "p99": 0.99}
MEMORY = (
    ("load-peak", "load_peak_bytes"), ("weights", "weights_bytes"), ("saved", "saved_bytes"), ("process", "process_peak_bytes"), ("allocated", "allocated_peak_bytes"),
    ("reserved", "reserved_peak_bytes"), ("device-memory", "device_peak_bytes"),
)


@dataclass(frozen=True)
class Line:
    """A figure under its name; grey where it may not be shown yet."""

    code: str
    value: str
    is_grey: bool = False
    tip: str = ""


class FiguresSection(Section):
    """Every figure of the row, in two columns."""

    def __init__(self) -> None:
        super().__init__("figures", is_open=False)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        self._cells: list[tuple[QLabel, QLabel]] = []
        self.body.addLayout(self._grid)

    def show_row(self, row: Row) -> None:
        """What could not be measured is left out; what needs more samples says so."""
        super().show_row(row)
        lines = [line for line in figure_lines(row.outcome) if line.value != units.NONE] if row.outcome is not None else []
        self.setVisible(bool(lines))
        while len(self._cells) < len(lines):
            self._add_line()
        for place, cells in enumerate(self._cells):
            for cell in cells:
                cell.setVisible(place < len(lines))
            if place < len(lines):
                _show(cells, lines[place])

    def _add_line(self) -> None:
        name, value = label("muted"), label("small")
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        place = len(self._cells)
        self._grid.addWidget(name, place, 0)
        self._grid.addWidget(value, place, 1, Qt.AlignmentFlag.AlignRight)
        self._cells.append((name, value))


def _show(cells: tuple[QLabel, QLabel], line: Line) -> None:
    name, value = cells
    name.setText(text.say(line.code))
    value.setText(line.value)
    set_role(value, "muted" if line.is_grey else "small")
    term = TERMS.get(line.code)
    tip = "\n".join(filter(None, [text.say(term) if term is not None else "", line.tip]))
    name.setToolTip(tip)
    value.setToolTip(line.tip)


def figure_lines(outcome: Outcome) -> Iterator[Line]:
    """All of them; an em dash for what was not measured."""
    duration = units.format_duration_ms
    if outcome.latency is not None:
        yield from _latency_lines(outcome.latency)
    yield Line("details.device", duration(outcome.device_latency.p50_ms if outcome.device_latency is not None else None))
    yield Line("details.enqueue", duration(outcome.enqueue_p50_ms))
    for code, name in MEMORY:
        yield Line(f"details.{code}", units.format_bytes(getattr(outcome.memory, name)))


def _latency_lines(latency: Latency) -> Iterator[Line]:
    duration = units.format_duration_ms
    yield Line("details.samples", units.format_count(latency.count))
    yield Line("details.visits", units.format_count(latency.visits))
    if latency.p50_ci95_ms is not None:
        yield Line("details.interval", units.format_interval_ms(*latency.p50_ci95_ms))
    yield Line("details.quartiles", units.format_interval_ms(latency.p25_ms, latency.p75_ms))
    for name, share in PERCENTILES.items():
        yield _percentile_line(latency, name, share)
    yield Line("details.mean", duration(latency.mean_ms))
    yield Line("details.stdev", duration(latency.stdev_ms))
    yield Line("details.range", units.format_interval_ms(latency.min_ms, latency.max_ms))


def _percentile_line(latency: Latency, name: str, share: float) -> Line:
    value_ms, missing = getattr(latency, f"{name}_ms"), samples_missing(latency.count, share)
    if value_ms is not None or not missing or not latency.count:
        return Line(f"details.{name}", units.format_duration_ms(value_ms))
    tip = text.say("details.needs.tip", name=name, floor=units.format_count(sample_floor(share)), count=units.format_count(latency.count))
    return Line(f"details.{name}", text.say("details.needs", n=units.format_count(missing)), is_grey=True, tip=tip)

"""Sections of the details pane for how the figures came about: visits, memory's parts, times beside one another."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QWidget

from engine import units
from engine.devices import on_cpu
from engine.remarks import remarks
from engine.result import Outcome
from engine.visit_figures import visit_figures
from engine.waterfall import Waterfall, waterfall
from gui import text
from gui.models.row import Row
from gui.widgets.details_sections import Section, Sentences
from gui.widgets.labels import label
from gui.widgets.table_lines import TableLines
from gui.widgets.visit_chart import VisitChart
from gui.widgets.waterfall_chart import WaterfallChart


class VisitsSection(Section):
    """Each visit's median, so that drift is seen."""

    def __init__(self) -> None:
        super().__init__("visit-graph")
        self.chart, self.note = VisitChart(), label("muted", wraps=True)
        self.body.addWidget(self.chart)
        self.body.addWidget(self.note)

    def show_row(self, row: Row) -> None:
        """Nothing before the first visit is over."""
        super().show_row(row)
        latency = row.outcome.latency if row.outcome is not None else None
        figures = () if latency is None else visit_figures(*row.samples.steady_xy(), row.visits)
        if latency is not None and sum(figure.count for figure in figures) < latency.count:
            figures = ()      # a saved run keeps a reduction of very many samples, which has other medians
        self.setVisible(bool(figures))
        self.chart.setVisible(len(figures) > 1)
        self.chart.show_visits(figures, latency)
        self.note.setText(text.say("visits.note" if len(figures) > 1 else "visits.note-one"))


class MemorySection(Section):
    """The waterfall, and what it adds up to."""

    def __init__(self) -> None:
        super().__init__("memory")
        self.chart, self.sentences = WaterfallChart(), Sentences("memorySentences")
        self.body.addWidget(self.chart)
        self.body.addWidget(self.sentences)

    def show_row(self, row: Row) -> None:
        """Not there before anything was read."""
        super().show_row(row)
        fall = waterfall(row.outcome.memory, row.configuration.device) if row.outcome is not None else None
        self.setVisible(fall is not None)
        if fall is not None:
            self.chart.show_parts(fall)
            self.sentences.say([("muted", sentence) for sentence in sum_sentences(fall, row.configuration.device)])


def sum_sentences(fall: Waterfall, device: str) -> list[str]:
    """What the bars add up to, and what is missing."""
    percent, total = fall.covered_percent, units.format_bytes(fall.total_bytes)
    if fall.missing:
        names = ", ".join(text.say(f"memory.{code}") for code in fall.missing)
        return [text.say("memory.missing", names=names)]
    if percent is None:
        return [text.say("memory.sum-only", sum=units.format_bytes(fall.sum_bytes))]
    if on_cpu(device):
        return [text.say("memory.adds-up-cpu", total=total)]
    return [text.say("memory.adds-up", percent=units.significant(percent), total=total)]


class TimesSection(Section):
    """Host, device, enqueue and busy time together; copies, rest and energy; and what they mean."""

    def __init__(self) -> None:
        super().__init__("times")
        holder = QWidget()
        self.lines, self.sentences = TableLines(holder), Sentences("timesSentences")
        self.body.addWidget(holder)
        self.body.addWidget(self.sentences)

    def show_row(self, row: Row) -> None:
        """Only where there is more than the host's time, or something to say of it."""
        super().show_row(row)
        lines = [(code, value) for code, value in times(row.outcome) if value != units.NONE] if row.outcome is not None else []
        self.lines.show_lines([(text.say(f"times.{code}"), value, text.say(f"times.{code}.tip")) for code, value in lines])
        said = remarks(row.outcome) if row.outcome is not None else ()
        self.setVisible(len(lines) > 1 or bool(said))
        self.sentences.say([("", text.say_reason(reason.code, reason.values, reason.sentence)) for reason in said])


def times(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Code and words of every time; an em dash for what was not measured."""
    copies, energy, duration = outcome.copies, outcome.energy or {}, units.format_duration_ms
    yield "host", duration(outcome.latency.p50_ms if outcome.latency is not None else None)
    yield "device", duration(outcome.device_latency.p50_ms if outcome.device_latency is not None else None)
    yield "enqueue", duration(outcome.enqueue_p50_ms)
    yield "busy", duration(outcome.gpu_busy_ms)
    yield "to-device", duration(copies.to_device_ms if copies is not None else None)
    yield "from-device", duration(copies.from_device_ms if copies is not None else None)
    yield "rested", duration(outcome.idle_latency.p50_ms if outcome.idle_latency is not None else None)
    yield "joules", f"{units.significant(energy['joules_per_item'])} J" if "joules_per_item" in energy else units.NONE
    yield "watts", f"{units.significant(energy['mean_watts'])} W" if "mean_watts" in energy else units.NONE
    yield "context", duration(outcome.phases_ms.context)
    yield "steady", duration(outcome.phases_ms.steady)

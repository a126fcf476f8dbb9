"""The section of the details pane for several devices at once: each replica's own figures, and what they do together."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from engine import devices, scaling, units
from engine.result import Replica
from gui import text
from gui.models.row import Row
from gui.widgets.details_sections import Section, Sentences
from gui.widgets.table_lines import TableLines


class ReplicasSection(Section):
    """A line for each replica; not there for one device."""

    def __init__(self) -> None:
        super().__init__("replicas")
        holder = QWidget()
        self.lines, self.sentences = TableLines(holder), Sentences("replicaSentences")
        self.body.addWidget(holder)
        self.body.addWidget(self.sentences)

    def show_row(self, row: Row) -> None:
        """Each one's figures, the scaling where one of its devices was measured alone too."""
        super().show_row(row)
        replicas = row.outcome.replicas if row.outcome is not None else ()
        self.setVisible(bool(replicas))
        names, tip = devices.member_names(row.configuration.device), text.say("replicas.tip")
        self.lines.show_lines([(name, _figures(replica), tip) for name, replica in zip(names, replicas, strict=False)])
        notes = row.outcome.notes if row.outcome is not None else ()
        found = {note.code: text.say_reason(note.code, note.values, note.sentence) for note in notes}
        self.sentences.say([(role, found[code]) for role, code in zip(("", "muted"), scaling.NOTES, strict=True) if code in found])


def _figures(replica: Replica) -> str:
    p50 = replica.latency.p50_ms if replica.latency is not None else None
    peak = replica.memory.device_peak_bytes or replica.memory.process_peak_bytes
    return text.say("replicas.figures", p50=units.format_duration_ms(p50), rate=units.format_rate(replica.throughput_per_s), memory=units.format_bytes(peak))

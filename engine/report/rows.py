"""One configuration as the page shows it: its row of the table and its details."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from engine.devices import member_names, on_cpu, shown
from engine.report.figures_shown import Shown, shown_of
from engine.report.labels import Labels
from engine.report.names import configuration_name
from engine.report.verdict import p50_text
from engine.result import Latency, Outcome, Replica
from engine.statistics import sample_floor
from engine.units import (
    NONE,
    format_bytes,
    format_ci,
    format_count,
    format_duration_ms,
    format_interval_ms,
    format_percent,
    format_rate,
    significant,
)

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
LOG_CHARACTERS = 20_000
"""The end of a log is what tells; a page stays small."""


@dataclass(frozen=True)
class Cell:
    """A figure with the sentence that explains it, e.g. why it is absent."""

    text: str
    tip: str = ""
    state: str = ""
    """`good`, `caution`, `bad` or nothing."""

    @property
    def absent(self) -> bool:
        """Whether there is no figure."""
        return self.text == NONE


@dataclass(frozen=True)
class Row:
    """Everything that the template shows of one outcome."""

    index: int
    name: str
    status: str
    status_text: str
    figures: dict[str, Cell] | None
    summary: str
    hint: str
    grade: str
    grade_text: str
    reasons: list[str]
    facts: list[tuple[str, list[tuple[str, str]]]]
    """Groups of names and figures for the details."""
    stopped: str
    notes: list[str]
    advice: list[str]
    error_details: str
    log: str
    code: str
    charted: bool
    shown: Shown


def make_row(index: int, outcome: Outcome, labels: Labels) -> Row:
    """The row of `outcome`."""
    summary, hint = _ending(outcome, labels)
    grade = outcome.trust.grade if outcome.trust is not None else ""
    has_figures = outcome.latency is not None and outcome.latency.count > 0
    return Row(
        index=index, name=configuration_name(outcome.configuration, labels), status=outcome.status,
        status_text=labels.or_raw("status", outcome.status) if outcome.status != "ok" else "",
        figures=_figures(outcome, labels) if has_figures else None, summary=summary, hint=hint, grade=grade,
        grade_text=labels.or_raw("grade", grade) if grade else labels("grade.none"),
        reasons=[labels.reason(reason) for reason in outcome.trust.reasons] if outcome.trust is not None else [], facts=_facts(outcome, labels),
        stopped=labels.reason(outcome.stopped_because) if outcome.stopped_because is not None and outcome.status != "cancelled" else "", notes=_notes(outcome, labels),
        advice=[labels.reason(reason) for reason in outcome.advice], error_details=_error_details(outcome), log=_end_of(outcome.log),
        code=outcome.code, shown=shown_of(outcome, labels), charted=bool(outcome.timeline) or (outcome.samples is not None and outcome.samples.count > 0),
    )


def _ending(outcome: Outcome, labels: Labels) -> tuple[str, str]:
    """What went wrong and what to do; both empty for a row that is ok."""
    if outcome.error is not None:
        return labels.failure(outcome.error)
    if outcome.status == "cancelled":
        return labels.reason(outcome.stopped_because) if outcome.stopped_because is not None else labels("status.cancelled-said"), ""
    return "", ""


def _figures(outcome: Outcome, labels: Labels) -> dict[str, Cell]:
    assert outcome.latency is not None
    cells = {name: percentile_cell(outcome.latency, name, labels) for name in PERCENTILES}
    if not cells["p50"].absent:
        cells["p50"] = Cell(p50_text(outcome), spread_text(outcome.latency, labels))
    peak, tip = peak_memory(outcome, labels)
    return cells | {
        "throughput": Cell(significant(outcome.throughput_per_s), labels("items")), "peak": Cell(format_bytes(peak), tip),
        "accuracy": accuracy_cell(outcome.accuracy, labels),
    }


def percentile_cell(latency: Latency, name: str, labels: Labels) -> Cell:
    """A percentile, or how many more samples it needs."""
    value: float | None = getattr(latency, f"{name}_ms")
    if value is not None:
        return Cell(format_duration_ms(value))
    floor = sample_floor(PERCENTILES[name])
    if latency.count >= floor:
        return Cell(NONE)
    tip = labels("needs-more-tip", name=name, floor=format_count(floor), count=format_count(latency.count))
    return Cell(NONE, f"{tip} {labels('needs-more', n=format_count(floor - latency.count))}")


def spread_text(latency: Latency, labels: Labels) -> str:
    """The interval of the median, or the quartiles where one visit has none."""
    if latency.p50_ci95_ms is not None:
        return labels("interval", interval=format_interval_ms(*latency.p50_ci95_ms))
    return labels("no-interval", quartiles=format_interval_ms(latency.p25_ms, latency.p75_ms))


def peak_memory(outcome: Outcome, labels: Labels) -> tuple[int | None, str]:
    """The peak that matters for the row's device, and whose it is."""
    memory = outcome.memory
    if on_cpu(outcome.configuration.device):
        return memory.process_peak_bytes, labels("peak-process")
    said = "peak-difference" if memory.device_memory_source == "difference" else "peak-device"
    return memory.device_peak_bytes, labels(said, device=shown(outcome.configuration.device, labels.language))


def accuracy_cell(accuracy: dict[str, Any] | None, labels: Labels) -> Cell:
    """What was lost against the reference, or that nobody looked."""
    if not accuracy:
        return Cell(labels("not-checked"), labels("not-checked-tip"))
    loss, within = accuracy.get("loss"), accuracy.get("within_budget")
    text = format_percent(loss * 100) if isinstance(loss, int | float) else NONE
    state = {True: "good", False: "bad"}.get(within, "") if isinstance(within, bool) else ""
    words = {True: labels("within-budget"), False: labels("over-budget")}.get(within, "") if isinstance(within, bool) else ""
    return Cell(" ".join(part for part in (text, str(accuracy.get("loss_is") or ""), words) if part), state=state)


def _facts(outcome: Outcome, labels: Labels) -> list[tuple[str, list[tuple[str, str]]]]:
    groups = [
        (labels("figure.latency"), _latency_facts(outcome.latency, labels)), (labels("figure.device"), _device_facts(outcome, labels)),
        (labels("figure.phases"), _phase_facts(outcome, labels)), (labels("peak"), _memory_facts(outcome, labels)),
        (labels("replicas.title"), _replica_facts(outcome, labels)),
    ]
    return [(title, facts) for title, facts in groups if facts]


def _latency_facts(latency: Latency | None, labels: Labels) -> list[tuple[str, str]]:
    if latency is None or latency.count == 0:
        return []
    visits = "samples-one" if latency.visits == 1 else "samples"
    facts = [(labels("figure.samples"), labels(visits, n=format_count(latency.count), visits=latency.visits))]
    if latency.mean_ms is not None and latency.stdev_ms is not None:
        facts.append((labels("figure.mean"), format_ci(latency.mean_ms, latency.mean_ms - latency.stdev_ms, latency.mean_ms + latency.stdev_ms)))
    facts.append((labels("figure.range"), f"{format_duration_ms(latency.min_ms)} – {format_duration_ms(latency.max_ms)}"))
    if latency.p25_ms is not None:
        facts.append((labels("figure.quartiles"), format_interval_ms(latency.p25_ms, latency.p75_ms)))
    return facts


def _device_facts(outcome: Outcome, labels: Labels) -> list[tuple[str, str]]:
    values = {name: getattr(outcome.device_latency, f"{name}_ms", None) for name in PERCENTILES}
    facts = [(name, format_duration_ms(value)) for name, value in values.items() if value is not None]
    if outcome.enqueue_p50_ms is not None:
        facts.append((labels("figure.enqueue"), format_duration_ms(outcome.enqueue_p50_ms)))
    return facts


def _phase_facts(outcome: Outcome, labels: Labels) -> list[tuple[str, str]]:
    phases = {name: getattr(outcome.phases_ms, name) for name in ("context", "load", "load_reading", "load_moving", "prepare", "first_call", "warm_up", "steady")}
    return [(labels(f"phase.{name}"), format_duration_ms(value)) for name, value in phases.items() if value is not None]


def _memory_facts(outcome: Outcome, labels: Labels) -> list[tuple[str, str]]:
    names = ("load_peak_bytes", "weights_bytes", "saved_bytes", "process_peak_bytes", "allocated_peak_bytes", "reserved_peak_bytes", "device_peak_bytes", "context_bytes")
    values = {name: getattr(outcome.memory, name) for name in names}
    return [(labels(f"memory.{name}"), format_bytes(value)) for name, value in values.items() if value is not None]


def _replica_facts(outcome: Outcome, labels: Labels) -> list[tuple[str, str]]:
    """Of several devices at once each one's own figures."""
    names = member_names(outcome.configuration.device)
    return [(name, _replica_text(replica, labels)) for name, replica in zip(names, outcome.replicas, strict=False)]


def _replica_text(replica: Replica, labels: Labels) -> str:
    p50 = replica.latency.p50_ms if replica.latency is not None else None
    peak = replica.memory.device_peak_bytes or replica.memory.process_peak_bytes
    return labels("replicas.line", p50=format_duration_ms(p50), rate=format_rate(replica.throughput_per_s), memory=format_bytes(peak))


def _notes(outcome: Outcome, labels: Labels) -> list[str]:
    notes = [labels.reason(note) for note in outcome.notes]
    counted = any(note.code == "uncounted" for note in outcome.notes)
    return notes + ([labels("uncounted", n=format_count(outcome.uncounted_calls))] if outcome.uncounted_calls and not counted else [])


def _error_details(outcome: Outcome) -> str:
    """The details as text: a traceback as it was printed, everything else by name."""
    if outcome.error is None:
        return ""
    details = {name: value for name, value in outcome.error.details.items() if value not in (None, "", [], {})}
    lines = [f"{name}: {_plain(value)}" for name, value in details.items() if name not in ("traceback", "log")]
    texts = [str(details[name]) for name in ("traceback", "log") if name in details and details[name] != outcome.log]
    return _end_of("\n".join([f"code: {outcome.error.code}", *lines, *texts]))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _end_of(text: str) -> str:
    return text if len(text) <= LOG_CHARACTERS else "… " + text[-LOG_CHARACTERS:]


def rate_text(outcome: Outcome) -> str:
    """Items a second with their unit."""
    return format_rate(outcome.throughput_per_s)

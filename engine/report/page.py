"""What the template shows, gathered from a run."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.report.comparison_shown import compared, sentences
from engine.report.labels import Labels
from engine.report.method import method_of
from engine.report.names import input_line, model_name
from engine.report.own_cost import own_cost_of
from engine.report.rows import PERCENTILES, Row, make_row, peak_memory, percentile_cell, rate_text, spread_text
from engine.report.series import make_series
from engine.report.teaching_shown import taught
from engine.report.verdict import best_index, has_winner, p50_text, verdict
from engine.result import Outcome, Run
from engine.statistics import samples_missing
from engine.units import NONE, format_bytes, format_count, significant


@dataclass(frozen=True)
class Card:
    """One headline figure."""

    label: str
    value: str
    note: str
    state: str = ""


def context_of(run: Run, labels: Labels, selected: int | None = None) -> dict[str, Any]:
    """All values of the template; `selected` is the row of the headline figures, by default the one that does most."""
    from engine.report import charts  # late: Bokeh takes half a second to import, and only a page with charts needs it

    rows = [make_row(index, outcome, labels) for index, outcome in enumerate(run.outcomes)]
    series, broken = make_series(run)
    for damaged in broken:
        rows[damaged.index].notes.append(labels.damaged(damaged.code, damaged.values))
    data, roots = charts.charts_of(series, labels)
    head = best_index(run) if selected is None else selected
    return {
        "t": labels, "run": run, "name": model_name(run.model), "created": created_text(run.created_at), "machine": _machine(run, labels), "verdict": _said(run, labels), "compared": compared(run, labels), "rows": rows, "taught": taught(run, labels),
        "best": head, "is_best": has_winner(run) and head == best_index(run), "best_row": None if head is None else rows[head], "cards": [] if head is None else _cards(run.outcomes[head], rows[head], labels),
        "model_facts": _model_facts(run, labels), "environment": _environment(run, labels), "method": method_of(run, labels), "own_cost": own_cost_of(run, labels),
        "guessed": any(spec.source == "guessed" for spec in run.inputs), "slots": {one.index: one.slot for one in series}, "roots": roots, "data": data,
        "library": charts.library() if roots else "", "nonce": secrets.token_urlsafe(16), "chart_notes": _chart_notes(series, labels),
        "percentiles": [name for name in PERCENTILES if name != "p50"],
    }


def _said(run: Run, labels: Labels) -> str:
    """The run in a sentence or two: of a comparison its verdict, else which configuration leads."""
    return labels.sentences(sentences(run.comparison, labels)) if run.comparison is not None and compared(run, labels) else verdict(run, labels)


def created_text(created_at: str) -> str:
    """The time in UTC to the minute; what is no time is shown as it is."""
    try:
        moment = datetime.fromisoformat(created_at)
        return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError):
        return created_at


def _cards(outcome: Outcome, row: Row, labels: Labels) -> list[Card]:
    assert outcome.latency is not None
    p99, missing = percentile_cell(outcome.latency, "p99", labels), samples_missing(outcome.latency.count, PERCENTILES["p99"])
    peak, whose = peak_memory(outcome, labels)
    median = percentile_cell(outcome.latency, "p50", labels)
    return [
        Card(labels("p50"), p50_text(outcome), median.tip if median.absent else spread_text(outcome.latency, labels)),
        Card(labels("p99-long"), p99.text, labels("needs-more", n=format_count(missing)) if p99.absent and missing else _samples(outcome, labels)),
        Card(labels("throughput"), rate_text(outcome), labels("items")),
        Card(labels("peak"), format_bytes(peak), whose if peak is not None else ""),
        Card(labels("trust"), row.grade_text, row.reasons[0] if row.reasons else labels("no-doubt") if row.grade else "", row.grade),
    ]


def _samples(outcome: Outcome, labels: Labels) -> str:
    assert outcome.latency is not None
    visits = outcome.latency.visits
    return labels("samples-one" if visits == 1 else "samples", n=format_count(outcome.latency.count), visits=visits)


def _model_facts(run: Run, labels: Labels) -> list[tuple[str, str]]:
    model = run.model
    facts = [(labels("file"), model.path), (labels("model"), labels.join(_model_parts(run, labels)))]
    if model.architecture:
        facts.append((labels("class"), model.architecture))
    if run.inputs:
        facts.append((labels("inputs"), labels.join(input_line(spec, labels) for spec in run.inputs)))
    return [*facts, (labels("sha256"), model.sha256)] if model.sha256 else facts


def _model_parts(run: Run, labels: Labels) -> list[str]:
    model = run.model
    parts = [labels.or_raw("kind", model.kind)]
    if model.parameters is not None:
        parts.append(labels("parameters", n=format_count(model.parameters)))
    elif model.values is not None:
        parts.append(labels("values", n=format_count(model.values)))
    return [*parts, *sorted(model.dtypes), format_bytes(model.file_bytes)]


def _machine(run: Run, labels: Labels) -> str:
    names = [str(gpu["name"]) for gpu in run.environment.gpus if gpu.get("name")]
    return labels.join([*names, run.environment.cpu] if run.environment.cpu else names)


def _environment(run: Run, labels: Labels) -> list[tuple[str, str]]:
    machine = run.environment
    cpu = [part for part in (machine.cpu, labels("env.cores", n=machine.cores) if machine.cores else "") if part]
    gpus = [f"{gpu.get('name', '?')} ({format_bytes(gpu['memory_bytes'])})" if _is_number(gpu.get("memory_bytes")) else str(gpu.get("name", "?")) for gpu in machine.gpus]
    load = [significant(value, digits=2) if value else "0" for value in (machine.load_before, machine.load_after) if value is not None]
    facts = [
        ("env.platform", machine.platform), ("env.cpu", labels.join(cpu)), ("env.memory", format_bytes(machine.memory_bytes) if machine.memory_bytes else ""),
        ("env.gpu", labels.join(gpus)), ("env.driver", machine.driver or ""), ("env.python", machine.python), ("env.torch", machine.torch),
        ("env.packages", labels.join(f"{name} {version}" for name, version in sorted(machine.packages.items()))), ("env.load", " → ".join(load)),
        ("env.app", f"{run.app.name} {run.app.version}".strip()), ("env.run", run.id),
    ]
    return [(labels(code), value) for code, value in facts if value and value != NONE]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _chart_notes(series: list[Any], labels: Labels) -> dict[str, list[str]]:
    shown, total = sum(one.shown for one in series), sum(one.total for one in series)
    latency = [labels("chart.latency-note")]
    if shown < total:
        latency.append(labels("chart.reduced", shown=format_count(shown), total=format_count(total)))
    distribution = [labels("chart.distribution-note")]
    if any(one.curve_is_of_figures for one in series):
        distribution.append(labels("chart.distribution-figures"))
    return {"latency": latency, "distribution": distribution, "memory": [], "tracks": _tracks(series, labels)}


def _tracks(series: list[Any], labels: Labels) -> list[str]:
    """Line styles of the memory chart and what they stand for: `dashed|reserved by torch`."""
    from engine.report.charts import DASHES

    kinds = dict.fromkeys(track.kind for one in series for track in one.tracks)
    return [f"{DASHES[kind]}|{labels(f'track.{kind}')}" for kind in kinds]

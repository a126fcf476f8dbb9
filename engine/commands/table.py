"""The results as a table on standard output."""

from __future__ import annotations

import os
import sys

from engine import devices, scaling
from engine.option_names import option_names
from engine.result import Outcome, Replica, Run
from engine.statistics import samples_missing
from engine.units import format_bytes, format_ci, format_duration_ms, format_rate
from engine.words import say

COLUMNS = ("configuration", "p50", "p99", "items/s", "memory", "accuracy", "trust")


def show_table(run: Run) -> None:
    """Print the table; who reads it may have gone, which is no reason to lose the files that were asked for."""
    try:
        print_table(run)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered must go somewhere when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_table(run: Run) -> None:
    """One row an outcome; what could not be measured is a dash, what failed is a sentence."""
    rows = [COLUMNS, *(row for outcome in run.outcomes for row in (_row(outcome), *replica_rows(outcome)))]
    whole = [row for row in rows if len(row) == len(COLUMNS)]
    widths = [max(len(row[column]) for row in (rows if column == 0 else whole)) for column in range(len(COLUMNS))]
    for row in rows:
        # A sentence takes the width of all the figures it stands for.
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=False)] if len(row) == len(COLUMNS) else [row[0].ljust(widths[0]), row[1]]
        print("  ".join(cells).rstrip())
    for note in (note for outcome in run.outcomes for note in outcome.notes if note.code == scaling.CODE):
        print(note.sentence)


def describe(outcome: Outcome) -> str:
    """The configuration in one line."""
    each = outcome.configuration
    parts = [devices.shown(each.device), each.precision, *([each.quantization] if each.quantization != "none" else []), each.backend, f"b{each.batch_size}", f"{each.threads}t"]
    return ", ".join([" ".join(parts), *option_names(each)])


def _row(outcome: Outcome) -> tuple[str, ...]:
    if outcome.latency is None:
        sentence = outcome.error.summary if outcome.error else outcome.stopped_because.sentence if outcome.stopped_because else outcome.status
        return describe(outcome), f"{outcome.status}: {' '.join(sentence.split())}"
    latency = outcome.latency
    low, high = latency.p50_ci95_ms or (None, None)
    missing = samples_missing(latency.count, 0.99)
    memory = outcome.memory.device_peak_bytes or outcome.memory.process_peak_bytes
    return (
        describe(outcome), format_ci(latency.p50_ms, low, high), format_duration_ms(latency.p99_ms) if not missing else say("needs-more", {"count": missing}),
        format_rate(outcome.throughput_per_s), format_bytes(memory), say("not-checked") if outcome.accuracy is None else "", outcome.trust.grade if outcome.trust else "",
    )


def replica_rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """Of several devices at once each one's own figures, indented below the row of all together."""
    names = devices.member_names(outcome.configuration.device)
    return [_replica_row(name, replica) for name, replica in zip(names, outcome.replicas, strict=False)]


def _replica_row(name: str, replica: Replica) -> tuple[str, ...]:
    latency, memory = replica.latency, replica.memory.device_peak_bytes or replica.memory.process_peak_bytes
    p50, p99 = (None, None) if latency is None else (latency.p50_ms, latency.p99_ms)
    return (f"  {name}", format_ci(p50), format_duration_ms(p99), format_rate(replica.throughput_per_s), format_bytes(memory), "", "")

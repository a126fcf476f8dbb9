"""What each switch does, as a table against the first row: time, memory, outputs."""

from __future__ import annotations

from engine.commands.table import describe
from engine.result import Outcome, Outputs, Run
from engine.units import NONE, format_bytes, significant
from engine.words import say

COLUMNS = ("switch", "time", "memory", "outputs")
NO_DIFFERENCE = 0.0


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
    base = run.outcomes[0] if run.outcomes else None
    if base is None or base.latency is None or not base.latency.p50_ms:
        return []
    return [
        (describe(outcome), _times(outcome, base.latency.p50_ms), _memory(outcome, base), outputs_text(outcome.outputs))
        for outcome in run.outcomes if outcome.latency is not None and outcome.latency.p50_ms
    ]


def _times(outcome: Outcome, base_ms: float) -> str:
    assert outcome.latency is not None and outcome.latency.p50_ms is not None
    return f"{significant(outcome.latency.p50_ms / base_ms)}x"


def running_bytes(outcome: Outcome) -> int | None:
    """What running takes beyond the loaded model: activations on a GPU, growth on the CPU."""
    memory = outcome.memory
    return memory.activations_bytes if outcome.configuration.device != "cpu" else memory.growth_bytes


def _memory(outcome: Outcome, base: Outcome) -> str:
    mine, first = running_bytes(outcome), running_bytes(base)
    if mine is None or first is None or outcome is base:
        return format_bytes(mine)
    sign = "+" if mine >= first else "-"
    return f"{format_bytes(mine)} ({sign}{format_bytes(abs(mine - first))})"


def outputs_text(outputs: Outputs | None) -> str:
    """What became of the outputs, in a few words."""
    if outputs is None:
        return NONE
    if outputs.max_abs_difference is None:
        words = [say("teaching-incomparable")]
    elif outputs.max_abs_difference == NO_DIFFERENCE:
        words = [say("teaching-none")]
    else:
        words = [say("teaching-differ", {"difference": significant(outputs.max_abs_difference)})]
    if outputs.repeat_max_abs_difference:
        words.append(say("teaching-unsteady"))
    if outputs.state_changed:
        words.append(say("teaching-rewritten"))
    return ", ".join(words)

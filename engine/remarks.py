"""What a row's figures mean beside one another: coded sentences that the window and the page both show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.result import Outcome, Outputs, Reason
from engine.units import format_bytes, format_difference, format_duration_ms, significant
from engine.words import say

LAUNCH_BOUND, DEVICE_BOUND = 0.8, 0.9
"""Enqueue over host time above which the CPU sets the pace; GPU-busy over device time above which the GPU does."""
AS_WARM = 0.05
"""A call after a rest that differs from the tight loop by less is called the same."""


def remarks(outcome: Outcome) -> tuple[Reason, ...]:
    """Sentences about pace, copies, rest and energy; none where a figure is missing."""
    return tuple(Reason(code, values, say(code, values)) for code, values in _coded(outcome))


def _coded(outcome: Outcome) -> Iterator[tuple[str, dict[str, Any]]]:
    p50_ms = outcome.latency.p50_ms if outcome.latency is not None else None
    if not p50_ms:
        return
    yield from _pace(outcome, p50_ms)
    if outcome.copies is not None:
        copies = outcome.copies
        yield "copies-beside", {
            "to": format_duration_ms(copies.to_device_ms), "to_bytes": format_bytes(copies.to_device_bytes), "back": format_duration_ms(copies.from_device_ms),
            "back_bytes": format_bytes(copies.from_device_bytes), "percent": significant((copies.to_device_ms + copies.from_device_ms) / p50_ms * 100.0, digits=2),
        }
    rested_ms = outcome.idle_latency.p50_ms if outcome.idle_latency is not None else None
    if rested_ms is not None:
        same = abs(rested_ms / p50_ms - 1.0) <= AS_WARM
        gap = significant(outcome.idle_gap_ms) if outcome.idle_gap_ms is not None else "100"
        yield ("after-rest-same" if same else "after-rest"), {"gap": gap, "p50": format_duration_ms(rested_ms), "times": significant(rested_ms / p50_ms, digits=2)}
    if outcome.outputs is not None:
        yield from _answers(outcome.outputs)
    if outcome.energy is not None:
        energy = outcome.energy
        yield "energy-of-gpu", {
            "joules": significant(energy["joules_per_item"]), "watts": significant(energy["mean_watts"]), "seconds": significant(energy.get("seconds"), digits=2),
        }


def _answers(outputs: Outputs) -> Iterator[tuple[str, dict[str, Any]]]:
    """What switches did to the answers."""
    if outputs.non_finite_differs:
        yield "outputs-non-finite", {}
    elif outputs.max_abs_difference is None:
        yield "outputs-incomparable", {}
    elif outputs.max_abs_difference == 0.0:
        yield "outputs-same", {}
    else:
        yield "outputs-close", {"difference": format_difference(outputs.max_abs_difference)}
    if outputs.repeat_non_finite_differs:
        yield "outputs-unsteady-non-finite", {}
    elif outputs.repeat_max_abs_difference:
        yield "outputs-unsteady", {"difference": format_difference(outputs.repeat_max_abs_difference)}
    if outputs.state_changed:
        yield "state-rewritten", {}


def _pace(outcome: Outcome, p50_ms: float) -> Iterator[tuple[str, dict[str, Any]]]:
    """Who sets the pace on a GPU: the CPU that launches, or the GPU that computes."""
    device_ms = outcome.device_latency.p50_ms if outcome.device_latency is not None else None
    enqueue_ms, busy_ms = outcome.enqueue_p50_ms, outcome.gpu_busy_ms
    if device_ms is None or enqueue_ms is None:
        return
    times = {"host": format_duration_ms(p50_ms), "device": format_duration_ms(device_ms), "enqueue": format_duration_ms(enqueue_ms), "busy": format_duration_ms(busy_ms)}
    if enqueue_ms >= LAUNCH_BOUND * p50_ms:
        if busy_ms:
            yield "launch-bound-busy", {**times, "times": significant(p50_ms / busy_ms, digits=2)}
        else:
            yield "launch-bound", times
    elif busy_ms and busy_ms >= DEVICE_BOUND * device_ms:
        yield "device-bound", times

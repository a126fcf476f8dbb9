"""What each switch did, from the outcomes of a teaching run: time, memory and outputs against the first row."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from engine.devices import on_cpu
from engine.result import Outcome, Outputs
from engine.units import NONE, format_difference
from engine.words import say


class Lesson(msgspec.Struct, frozen=True):
    """One row against the first one; None where a figure is missing on either side."""

    outcome: Outcome
    times: float | None = None
    """Its median over the first row's."""
    bytes: int | None = None
    """What running takes beyond the loaded model."""
    more_bytes: int | None = None
    """Beyond what it takes in the first row."""


def lessons(outcomes: Sequence[Outcome]) -> tuple[Lesson, ...]:
    """One for each outcome; empty where the first one has no median."""
    base_ms = _p50_ms(outcomes[0]) if outcomes else None
    return tuple(_lesson(outcome, outcomes[0], base_ms) for outcome in outcomes) if base_ms else ()


def _lesson(outcome: Outcome, base: Outcome, base_ms: float) -> Lesson:
    p50_ms, mine, first = _p50_ms(outcome), running_bytes(outcome), running_bytes(base)
    more = None if mine is None or first is None or outcome is base else mine - first
    return Lesson(outcome, None if p50_ms is None else p50_ms / base_ms, mine, more)


def _p50_ms(outcome: Outcome) -> float | None:
    return outcome.latency.p50_ms if outcome.latency is not None else None


def running_bytes(outcome: Outcome) -> int | None:
    """What running takes beyond the loaded model: activations on a GPU, growth on the CPU."""
    memory = outcome.memory
    return memory.growth_bytes if on_cpu(outcome.configuration.device) else memory.activations_bytes


def outputs_text(outputs: Outputs | None, language: str = "en") -> str:
    """What became of the outputs, in a few words."""
    if outputs is None:
        return NONE
    if outputs.non_finite_differs:
        words = [say("teaching-non-finite", {}, language)]
    elif outputs.max_abs_difference is None:
        words = [say("teaching-incomparable", {}, language)]
    elif not outputs.max_abs_difference:
        words = [say("teaching-none", {}, language)]
    else:
        words = [say("teaching-differ", {"difference": format_difference(outputs.max_abs_difference)}, language)]
    if outputs.repeat_max_abs_difference or outputs.repeat_non_finite_differs:
        words.append(say("teaching-unsteady", {}, language))
    if outputs.state_changed:
        words.append(say("teaching-rewritten", {}, language))
    return say("teaching-join", {}, language).join(words)

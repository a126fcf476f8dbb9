"""What replicas at once do beside one device alone, where the same run measured that too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from engine import devices
from engine.result import Outcome, Reason
from engine.units import format_rate
from engine.words import say

CODE = "replicas-scaling"
NOTES = (CODE, "replicas-pooled")
"""What is said of replicas where each one's figures stand."""


def scaled(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """The outcomes; those of replicas say how their total compares with their devices alone."""
    return tuple(_with_scaling(outcome, outcomes) for outcome in outcomes)


def _with_scaling(outcome: Outcome, outcomes: Sequence[Outcome]) -> Outcome:
    if not outcome.replicas:
        return outcome
    notes = tuple(note for note in outcome.notes if note.code != CODE)
    values = scaling(outcome, outcomes)
    return msgspec.structs.replace(outcome, notes=notes if values is None else (*notes, Reason(CODE, values, say(CODE, values))))


def scaling(outcome: Outcome, outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """Values of the sentence; None where none of its devices was measured alone with all other settings the same.

    A device that was not measured alone counts as much as those that were, on average.
    """
    each = devices.members(outcome.configuration.device)
    alone = {member: rate for member in each if (rate := _rate_of(outcome, member, outcomes)) is not None}
    if not alone or not outcome.throughput_per_s:
        return None
    mean = sum(alone.values()) / len(alone)
    whole = sum(alone.get(member, mean) for member in each)
    return {
        "count": len(each), "total": format_rate(outcome.throughput_per_s), "device": ", ".join(alone), "alone": format_rate(mean),
        "times": outcome.throughput_per_s / mean, "percent": outcome.throughput_per_s / whole * 100.0,
    }


def _rate_of(outcome: Outcome, member: str, outcomes: Sequence[Outcome]) -> float | None:
    wanted = devices.alone(outcome.configuration, member).key()
    return next((each.throughput_per_s for each in outcomes if each.status == "ok" and each.throughput_per_s and each.configuration.key() == wanted), None)

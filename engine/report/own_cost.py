"""What the program itself costs, as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from engine.report.labels import Labels
from engine.result import Run
from engine.self_cost.result import GOALS, Ratio, SelfCost

COMMAND = "python3 main.py doctor --self-cost"


@dataclass(frozen=True)
class OwnCost:
    """Facts for each kind of device, and what to say besides."""

    devices: list[tuple[str, list[tuple[str, str]]]]
    sentences: list[str]


def own_cost_of(run: Run, labels: Labels) -> OwnCost:
    """Both figures with date and definition; without them how to get them. What another version wrote and nobody can read is said."""
    try:
        found = [msgspec.convert(value, SelfCost) for value in (run.own_cost or {}).values()]
    except msgspec.ValidationError:
        return OwnCost([], [labels("own-cost.broken"), labels("own-cost.definition")])
    devices = [(labels("own-cost.device", device=one.device), _facts(one, labels)) for one in found]
    return OwnCost(devices, [labels("own-cost.definition")] if found else [labels("own-cost.none", command=COMMAND), labels("own-cost.definition")])


def _facts(found: SelfCost, labels: Labels) -> list[tuple[str, str]]:
    low, high = GOALS.get(found.place.kind, GOALS["cpu"])
    return [
        (labels("own-cost.own"), _ratio(found.own, labels)),
        (labels("own-cost.watching"), _ratio(found.watching, labels)),
        (labels("own-cost.goal"), labels("own-cost.goal-met" if found.meets_goal else "own-cost.goal-missed", low=low, high=high)),
        (labels("own-cost.rounds"), labels("own-cost.rounds-of", rounds=found.rounds, wanted=found.wanted, disturbed=found.disturbed)),
        (labels("own-cost.measured"), found.measured_at[:16].replace("T", " ") + " UTC"),
        (labels("own-cost.with"), labels("own-cost.conditions", model=found.model, seconds=f"{found.seconds:g}", window=found.window, frames=f"{found.frames_per_s[0]:.0f}")),
    ]


def _ratio(ratio: Ratio, labels: Labels) -> str:
    if ratio.ci95 is None:
        return f"{ratio.ratio:.3f}"
    return f"{ratio.ratio:.3f} · " + labels("interval", interval=f"{ratio.ci95[0]:.3f} – {ratio.ci95[1]:.3f}")

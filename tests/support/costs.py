"""Results of the program's own cost, made up."""

from __future__ import annotations

from typing import Any

from engine.result import Environment
from engine.self_cost.result import Place, Ratio, SelfCost
from engine.self_cost.rounds import Round, RoundSpec

MEDIANS = (1.003e6, 1e6, 0.98e6, 0.98e6, 1e6, 1.003e6)


SPEC = RoundSpec(weights="/m/demo.pth", architecture="/m/demo_net.py:DemoNet", input="f32[B,3,64,64]")


def make_environment(**changes: Any) -> Environment:
    """The machine that `make_cost` is about."""
    return Environment(**{"cpu": "Test CPU", "cores": 2, "python": "3.11.7", "torch": "2.13.0+cpu", **changes})


def make_cost(
    kind: str = "cpu", own: Ratio = Ratio(1.003, (0.991, 1.015)), watching: Ratio = Ratio(1.024, (1.01, 1.04)), **place: Any
) -> SelfCost:
    """Ten rounds on one machine."""
    where = Place(**{"kind": kind, "cpu": "Test CPU", "cores": 2, "python": "3.11.7", "torch": "2.13.0+cpu", **place})
    return SelfCost(
        place=where, device="cuda:0" if kind == "cuda" else kind, model="demo.pth", own=own, watching=watching, rounds=10, wanted=10, disturbed=2, seconds=2.0,
        measured_at="2026-11-24T08:04:16+00:00", window="xcb", frames_per_s=(30.0, 30.5), rounds_ns=(MEDIANS,),
    )


def a_round(others: float = 0.01, medians: tuple[float, float, float, float, float, float] = MEDIANS) -> Round:
    """A round of `make_cost`."""
    return Round(
        medians_ns=medians, frames_per_s={"A": 30.0, "B": 32.0, "C": 0.8}, others=others, window="offscreen", environment=make_environment()
    )

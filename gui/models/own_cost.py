"""What the program itself costs on this machine, in words for the status strip."""

from __future__ import annotations

from typing import NamedTuple

from engine.capabilities import Facts
from engine.environment import cpu_name
from engine.result import Environment
from engine.self_cost import result as self_cost
from engine.self_cost.result import SelfCost
from gui import text


class OwnCostWords(NamedTuple):
    """A few words, and two lines about each device."""

    text: str
    tip: str


def measured(facts: Facts) -> tuple[SelfCost, ...]:
    """What is kept for this machine and the Python of these facts, a GPU's first: its goal is the stricter one."""
    machine = Environment(
        cpu=facts.cpu_name or cpu_name(), cores=max(facts.cores, 1), gpus=tuple({"name": gpu.name} for gpu in facts.gpus), python=facts.python, torch=facts.torch
    )
    found = (self_cost.found(machine, device) for device in (("cuda:0", "cpu") if facts.gpus else ("cpu",)))
    return tuple(one for one in found if one is not None)


def words_of(results: tuple[SelfCost, ...]) -> OwnCostWords:
    """In the language of the moment; a dash and the way to a figure where there is none."""
    if not results:
        return OwnCostWords(text.say("own-cost.unknown"), text.say("own-cost.unknown.tip"))
    return OwnCostWords(text.say("own-cost.known", ratio=f"{results[0].own.ratio:.2f}"), "\n".join(map(_tip, results)))


def _tip(found: SelfCost) -> str:
    interval = found.own.ci95
    return text.say(
        "own-cost.tip", device=found.device, own=f"{found.own.ratio:.3f}", interval="" if interval is None else f"[{interval[0]:.3f}, {interval[1]:.3f}]",
        watching=f"{found.watching.ratio:.3f}", rounds=found.rounds, date=found.measured_at[:10],
    )

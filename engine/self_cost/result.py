"""The program's own cost as a value: what was found, on which machine, and where it is kept."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from engine import storage
from engine.result import Environment, Failure, Run
from engine.statistics import t_quantile
from engine.version import VERSION
from engine.words import failure

GOALS = {"cpu": (0.97, 1.03), "cuda": (0.99, 1.01)}
"""Within which the interval of the own cost is to lie, by kind of device."""
KEPT = 20
"""Results: one for each kind of device of each machine that shares the folder."""
Positive = Annotated[float, msgspec.Meta(gt=0)]


class Ratio(msgspec.Struct, frozen=True):
    """One median over another, with its 95 % interval (None from a single round)."""

    ratio: Positive
    ci95: tuple[Positive, Positive] | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What a cost belongs to; figures of another place say nothing here."""

    kind: str
    """Of device: `cpu`, `cuda`."""
    cpu: str
    cores: int
    gpu: str = ""
    app: str = VERSION
    python: str
    torch: str

    @classmethod
    def of(cls, environment: Environment, device: str) -> Place:
        """The place of a configuration on this device."""
        kind, _, number = device.partition("+")[0].partition(":")
        names = [str(gpu.get("name", "")) for gpu in environment.gpus] if kind == "cuda" else []
        index = int(number) if number.isdigit() else 0
        gpu = names[index] if index < len(names) else ""
        return cls(kind=kind, cpu=environment.cpu, cores=environment.cores, gpu=gpu, python=environment.python, torch=environment.torch)

    def is_same_machine(self, other: Place) -> bool:
        """Whether a newer result takes the older one's place."""
        return (self.kind, self.cpu, self.cores, self.gpu) == (other.kind, other.cpu, other.cores, other.gpu)


class SelfCost(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the rounds on one device."""

    place: Place
    device: str
    model: str
    own: Ratio
    """Median under the program with its window drawing, over the lone loop's with the same window drawing beside it."""
    watching: Ratio
    """The same, over the lone loop's while the window stands still."""
    rounds: int
    wanted: int
    disturbed: int
    """Rounds that other programs disturbed; they were repeated and are in no figure."""
    seconds: float
    """Of each of the six stretches of a round."""
    measured_at: str
    window: str
    """Qt's platform: `xcb`, `wayland`, `offscreen` ..."""
    frames_per_s: tuple[float, float]
    """How often the latency graph was drawn, under the program and beside the lone loop."""
    rounds_ns: tuple[tuple[float, ...], ...] = ()
    """Medians of each round, in the order program, drawing, still, still, drawing, program."""

    @property
    def meets_goal(self) -> bool:
        """Whether the whole interval of the own cost lies within the goal."""
        low, high = GOALS.get(self.place.kind, GOALS["cpu"])
        return self.own.ci95 is not None and low <= self.own.ci95[0] and self.own.ci95[1] <= high


class _File(msgspec.Struct, frozen=True):
    results: tuple[SelfCost, ...]
    schema: Literal[1] = 1


def ratio_of(logs: npt.NDArray[Any]) -> Ratio:
    """The ratio and its interval from each round's logarithm: Student's t, since the rounds are processes of their own and independent."""
    mean = float(np.mean(logs))
    if len(logs) < 2:
        return Ratio(math.exp(mean))
    half = t_quantile(0.975, len(logs) - 1) * float(np.std(logs, ddof=1)) / math.sqrt(len(logs))
    return Ratio(math.exp(mean), (math.exp(mean - half), math.exp(mean + half)))


def ratios(rounds_ns: Iterable[Iterable[float]]) -> tuple[Ratio, Ratio]:
    """Own cost and cost of watching, from rounds of A B C C B A."""
    logs = np.log(np.array([list(medians) for medians in rounds_ns]))
    a, b, c = logs[:, [0, 5]].mean(1), logs[:, [1, 4]].mean(1), logs[:, [2, 3]].mean(1)
    return ratio_of(a - b), ratio_of(a - c)


def load() -> tuple[tuple[SelfCost, ...], Failure | None]:
    """What is kept, and what is wrong with the file: a broken one counts as none."""
    path = storage.self_cost_path()
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File).results, None
    except FileNotFoundError:
        return (), None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return (), failure("failed", "self-cost-broken", {"path": str(path), "error": str(error)[:200]})


def store(result: SelfCost) -> None:
    """Keep a result in the place of an older one of the same machine and kind of device; raises StorageError."""
    path = storage.self_cost_path()
    with storage.locked(path):
        others = [other for other in load()[0] if not other.place.is_same_machine(result.place)]
        storage.write_json(path, _File((result, *others[: KEPT - 1])))


def found(environment: Environment, device: str) -> SelfCost | None:
    """The kept result of this machine, these versions and this kind of device."""
    place = Place.of(environment, device)
    return next((result for result in load()[0] if result.place == place), None)


def with_own_cost(run: Run) -> Run:
    """A finished run that says what the program itself costs here: by kind of device, those of its rows' that were measured; null without any."""
    devices = dict.fromkeys(outcome.configuration.device for outcome in run.outcomes)
    results = {Place.of(run.environment, device).kind: found(run.environment, device) for device in devices}
    return msgspec.structs.replace(run, own_cost={kind: as_dict(result) for kind, result in results.items() if result is not None} or None)


def as_dict(result: SelfCost) -> dict[str, Any]:
    """Plain values, without the rounds' own medians."""
    plain: dict[str, Any] = msgspec.to_builtins(result)
    del plain["rounds_ns"]
    return plain | {"goal": list(GOALS.get(result.place.kind, GOALS["cpu"])), "meets_goal": result.meets_goal}

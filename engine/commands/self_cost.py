"""`doctor --self-cost`: measure what the program itself costs here, say it, keep it."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from engine import storage
from engine.demo import demo_source
from engine.inputs import format_input
from engine.process import EngineLost
from engine.result import Failure
from engine.self_cost import result as kept
from engine.self_cost.child import RoundProcess
from engine.self_cost.result import GOALS, Ratio, SelfCost
from engine.self_cost.rounds import LEAST, OTHERS_MOST, STRETCHES, Round, Rounds, RoundSpec, Standing
from engine.setup.speech import system_language
from engine.supervisor import Engine
from engine.words import say as say_in
from engine.workers import ConfigurationEnded

OK, FAILED, REFUSED, UNWRITABLE, INTERRUPTED = 0, 1, 2, 5, 130
OVERHEAD_S = 9
"""Of a round beyond its stretches, about: two starts of torch, and the rests."""
Take = Callable[[], Round]


class Setting(msgspec.Struct, frozen=True):
    """An option of its own: number range and default, or a text where there is no range."""

    name: str
    default: float | None = None
    low: float = 0
    high: float = 0


SETTINGS = (Setting("rounds", 10, 1, 100), Setting("seconds", 2.0, 0.2, 60.0), Setting("limit", 20.0, 0.1, 600.0), Setting("device"), Setting("json"))


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--self-cost` and what belongs to it."""
    parser.add_argument("--self-cost", action="store_true", help=say("self-cost-option"))
    for setting in SETTINGS:
        parser.add_argument(f"--{setting.name}", help=say(f"self-cost-{setting.name}"))


def say(code: str, **values: Any) -> str:
    """The engine's sentence in the language of the terminal."""
    return say_in(code, values, system_language())


def checked(options: argparse.Namespace) -> dict[str, Any]:
    """The settings as numbers and texts; raises ValueError with a sentence for what cannot be."""
    given = {setting.name: getattr(options, setting.name) for setting in SETTINGS}
    if not options.self_cost:
        if alone := next((name for name, value in given.items() if value is not None), None):
            raise ValueError(say("self-cost-alone", option=f"--{alone}"))
        return given
    return {setting.name: _checked(setting, given[setting.name]) for setting in SETTINGS}


def _checked(setting: Setting, text: str | None) -> Any:
    if setting.default is None or text is None:
        return setting.default if text is None else text
    try:
        value = type(setting.default)(text)
    except ValueError:
        value = setting.low - 1
    if not setting.low <= value <= setting.high:
        raise ValueError(say("self-cost-number", option=f"--{setting.name}", low=f"{setting.low:g}", high=f"{setting.high:g}", value=text))
    return value


def main(settings: dict[str, Any]) -> int:
    """Measure each device and print; 0 when all of them were measured."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _all(settings)
    except (ConfigurationEnded, EngineLost) as error:
        return _tell(error.failure.summary, error.failure.hint) if isinstance(error, ConfigurationEnded) else _tell(str(error), "")
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _all(settings: dict[str, Any]) -> int:
    there = devices()
    if settings["device"] not in (None, *there):
        _tell(say("self-cost-no-device", device=settings["device"]), say("self-cost-no-device.hint"))
        return REFUSED
    results, code, unkept = [], OK, OK
    try:
        with tempfile.TemporaryDirectory(prefix="model-dyno-", ignore_cleanup_errors=True) as home:
            for device in there if settings["device"] is None else (settings["device"],):
                measured = _measured(device, settings, Path(home))
                if isinstance(measured, Failure):
                    code = _tell(measured.summary, measured.hint)
                else:
                    results.append(measured)
    finally:
        # Also when the next device's rounds were interrupted: this one's are whole.
        unkept = keep(results, settings["json"])
    return unkept or code


def _measured(device: str, settings: dict[str, Any], home: Path) -> SelfCost | Failure:
    try:
        return measure(demo_spec(device, settings["seconds"]), settings, home)
    except ConfigurationEnded as error:
        return error.failure


def devices() -> tuple[str, ...]:
    """The CPU, and the first GPU where the model can run on one."""
    engine = Engine(keep_history=False)
    try:
        return ("cpu", "cuda:0") if engine.probe().gpus else ("cpu",)
    finally:
        engine.close()


def demo_spec(device: str, seconds: float) -> RoundSpec:
    """The bundled demo model, on one thread."""
    weights, architecture, inputs = demo_source()
    return RoundSpec(weights=weights, architecture=architecture, input=format_input(inputs[0]), device=device, seconds=seconds)


def measure(spec: RoundSpec, settings: dict[str, Any], home: Path, take: Take | None = None) -> SelfCost | Failure:
    """The rounds of one device, told as they come; a Failure when too few were quiet. Raises ConfigurationEnded when a round could not be measured."""
    print(say("self-cost-begins", device=spec.device, rounds=settings["rounds"], seconds=round(len(STRETCHES) * spec.seconds + OVERHEAD_S)))
    teller = Teller(spec.device)
    rounds = Rounds(take or RoundProcess(spec, home, teller.stretch).take, settings["rounds"], settings["limit"] * 60, teller.standing)
    try:
        rounds.run()
    finally:
        teller.wipe()
    tried, quiet = len(rounds.quiet) + rounds.disturbed, len(rounds.quiet)
    if quiet < min(LEAST, settings["rounds"]):
        values = {"device": spec.device, "tried": tried, "quiet": quiet}
        return Failure("failed", say("self-cost-too-few", **values), say("self-cost-too-few.hint"), values=values)
    found = rounds.result(spec, Path(spec.weights).name)
    show(found, rounds.ran_out)
    return found


def show(found: SelfCost, ran_out: bool) -> None:
    """Both figures, the goal, and what stands behind them."""
    low, high = GOALS.get(found.place.kind, GOALS["cpu"])
    goal = "open" if found.own.ci95 is None else "met" if found.meets_goal else "missed"
    print(say("self-cost-own", device=found.device, **ratio_words(found.own)))
    print(say(f"self-cost-goal-{goal}", device=found.device, low=low, high=high))
    print(say("self-cost-watching", device=found.device, **ratio_words(found.watching)))
    print(say(
        "self-cost-counted", device=found.device, rounds=found.rounds, wanted=found.wanted, disturbed=found.disturbed, percent=f"{OTHERS_MOST:.0%}".rstrip("%"),
        model=found.model, seconds=f"{found.seconds:g}", window=found.window, frames=f"{found.frames_per_s[0]:.0f}",
    ))
    if ran_out:
        print(say("self-cost-ran-out", device=found.device))


def ratio_words(ratio: Ratio) -> dict[str, str]:
    """`1.003` and `[0.991, 1.015]`."""
    return {"ratio": f"{ratio.ratio:.3f}", "interval": "" if ratio.ci95 is None else f"[{ratio.ci95[0]:.3f}, {ratio.ci95[1]:.3f}]"}


def keep(results: list[SelfCost], json_path: str | None) -> int:
    """On this machine, and in the file that was asked for; one round is not kept, it has no interval."""
    code = OK
    try:
        lasting = [found for found in results if found.own.ci95 is not None]
        for found in lasting:
            kept.store(found)
        if lasting:
            print(say("self-cost-stored", path=storage.self_cost_path()))
    except storage.StorageError as error:
        _tell(error.failure.summary, error.failure.hint)
        code = UNWRITABLE
    if json_path is not None:
        plain = [kept.as_dict(found) | {"rounds_ns": found.rounds_ns} for found in results]
        try:
            storage.write_atomically(Path(json_path), json.dumps({"schema": 1, "results": plain}, indent=2).encode() + b"\n")
        except storage.StorageError as error:
            _tell(error.failure.summary, error.failure.hint)
            code = UNWRITABLE
    return code


class Teller:
    """One line on a terminal's standard error; silent everywhere else."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._now = Standing(0, 0, 0, None)
        self._is_shown = sys.stderr.isatty()

    def standing(self, now: Standing) -> None:
        """A round begins or has ended."""
        self._now = now

    def stretch(self, number: int) -> None:
        """One of a round's stretches begins."""
        now = self._now
        line = say("self-cost-stretch", device=self._device, quiet=now.quiet, wanted=now.wanted, disturbed=now.disturbed, number=number + 1)
        if now.seconds_left is not None:
            left = f"{now.seconds_left / 60:.0f} min" if now.seconds_left >= 90 else f"{now.seconds_left:.0f} s"
            line = say("self-cost-left", line=line, time=left)
        if self._is_shown:
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def wipe(self) -> None:
        """The line goes."""
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _tell(summary: str, hint: str) -> int:
    print(summary, file=sys.stderr)
    if hint:
        print(hint, file=sys.stderr)
    return FAILED

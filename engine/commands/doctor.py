"""`doctor`: what this machine can measure, what is missing, and the one command that brings it."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from typing import NoReturn

import msgspec

from engine import capabilities, environment, storage
from engine.capabilities import Facts
from engine.commands import self_cost
from engine.confinement import PROTECTIONS
from engine.events import LibraryIndexed
from engine.self_cost import result as kept_costs
from engine.setup import needs, progress, speech, system
from engine.setup.environment import MEND_COMMAND, Work
from engine.setup.lock import held
from engine.setup.places import Places
from engine.setup.speech import SetupStopped, say, say_bytes
from engine.supervisor import Engine
from engine.version import VERSION
from engine.words import say as say_anything
from engine.workers import ConfigurationEnded

OK, NOTE, BAD = "ok", "note", "bad"


class Finding(msgspec.Struct, frozen=True):
    """One line of the answer; `bad` means that something that belongs to the program does not work."""

    level: str
    sentence: str
    hint: str = ""


class _Parser(argparse.ArgumentParser):
    """Complains in two lines, as every command does."""

    def error(self, message: str) -> NoReturn:
        print(f"{say('doctor-usage', problem=message)}\n{say('doctor-usage.hint')}", file=sys.stderr)
        self.exit(2)


def main(argv: list[str]) -> int:
    """Print the findings: 0 when a model can be measured here, 1 when not."""
    parser = _Parser(prog="main.py doctor", description=say("doctor-description"))
    parser.add_argument("--fix-torch", action="store_true", help=say("doctor-fix-torch"))
    parser.add_argument("--index-classes", action="store_true", help=say("doctor-index-classes"))
    self_cost.add_options(parser)
    try:
        options = parser.parse_args(argv)
        settings = self_cost.checked(options)
    except ValueError as error:
        print(f"{say('doctor-usage', problem=str(error).rstrip('.。'))}\n{say('doctor-usage.hint')}", file=sys.stderr)
        return 2
    except SystemExit as stop:
        return int(stop.code or 0)
    if options.self_cost:
        return self_cost.main(settings)
    if options.fix_torch:
        return fix_torch()
    if options.index_classes:
        return index_classes()
    found = [finding for look in LOOKS for finding in look()]
    for finding in found:
        print(f"{say('doctor-' + finding.level)}  {finding.sentence}")
        if finding.hint:
            print(f"         {finding.hint}")
    return int(any(finding.level == BAD for finding in found))


def fix_torch() -> int:
    """One step of set-up, alone and with its progress."""
    places, teller = Places(), progress.TerminalProgress()
    try:
        with held(places.lock, waiting=lambda: teller.say(say("setup-waiting"))) as descriptor:
            extras = places.extras()
            places.stamp.unlink(missing_ok=True)        # an interruption is mended by the next start
            Work(places, teller, descriptor).replace_torch()
            places.write_stamp(extras)
    except SetupStopped as stopped:
        teller.fail(stopped.summary, stopped.hint)
        return stopped.exit_code
    except OSError as error:
        teller.fail(say("setup-unwritable", folder=places.venv, reason=error.strerror or error), say("setup-unwritable.hint"))
        return 1
    return 0


def index_classes() -> int:
    """Fill the index of torchvision's and timm's architectures, by which bare weights find their class; goes on where it was ended."""
    ended: dict[str, LibraryIndexed] = {}

    def take(event: object) -> None:
        if isinstance(event, LibraryIndexed):
            ended[event.library] = event
            if sys.stderr.isatty() and event.version is not None:
                print(f"\r{event.library} {event.done}/{event.total}", end="", file=sys.stderr, flush=True)

    engine = Engine(take, keep_history=False)
    try:
        engine.index_libraries()
    except KeyboardInterrupt:
        return 130
    finally:
        engine.close()
    for library, event in ended.items():
        code = "doctor-not-indexed" if event.version is None else "doctor-indexed"
        print(say(code, library=library, version=event.version or "", done=event.done, total=event.total))
        if event.failure is not None:
            print(f"         {event.failure.summary}")
    return int(any(event.failure is not None for event in ended.values()))


def look_at_python() -> Iterator[Finding]:
    """The interpreter and the system."""
    yield Finding(OK, say("doctor-python", version=platform.python_version(), executable=sys.executable, system=platform.platform(terse=True)))


def look_at_engine() -> Iterator[Finding]:
    """torch, the CPU and the GPUs, as a worker process sees them."""
    engine = Engine(keep_history=False)
    try:
        yield from say_facts(engine.probe())
    except ConfigurationEnded as ended:
        yield Finding(BAD, ended.failure.summary, ended.failure.hint)
    finally:
        engine.close()


def say_facts(facts: Facts) -> Iterator[Finding]:
    """Facts in sentences: what is there, and each device with what it can run."""
    build = say("build-cuda", cuda=facts.cuda_build) if facts.cuda_build else say("build-cpu")
    yield Finding(OK, say("doctor-torch", version=facts.torch, build=build))
    yield Finding(OK, say("doctor-cpu", name=facts.cpu_name or platform.machine(), cores=facts.cores, memory=say_bytes(facts.memory_bytes)))
    yield from _say_confinement(facts)
    for choice in capabilities.backend_choices(facts, "onnx"):
        providers = ", ".join(facts.onnxruntime_providers)
        yield Finding(OK, say("doctor-onnxruntime", providers=providers)) if choice.available else Finding(NOTE, _say_reason(choice))
    for choice in capabilities.device_choices(facts):
        if choice.value == "auto":
            continue
        if choice.available:
            yield from _say_device(choice.value, facts)
        elif choice.code == "gpu-but-cpu-torch":
            yield Finding(BAD, say("doctor-gpu-unused", gpus=", ".join(facts.driver_gpus), torch=facts.torch), say("doctor-gpu-unused.hint", command=MEND_COMMAND))
        else:
            yield Finding(NOTE, _say_reason(choice))


def _say_confinement(facts: Facts) -> Iterator[Finding]:
    """What holds a worker that runs a model's own code, and what does not."""
    held = [name for name in PROTECTIONS if name in facts.confinement]
    open_ = [name for name in PROTECTIONS if name not in facts.confinement]
    on_gpu = [name for name in held if name not in facts.confinement_gpu] if facts.gpus else []
    language = speech.system_language()
    for code, prefix, names, level in (
        ("doctor-confined", "confined", held, OK), ("doctor-unconfined", "unconfined", open_, NOTE), ("doctor-unconfined-gpu", "unconfined", on_gpu, NOTE),
    ):
        if names:
            yield Finding(level, say(code, sentences=" ".join(say_anything(f"{prefix}-{name}", None, language) for name in names)))


def _say_device(device: str, facts: Facts) -> Iterator[Finding]:
    gpu = next((f" ({gpu.name}, {say_bytes(gpu.memory_bytes)})" for gpu in facts.gpus if f"cuda:{gpu.index}" == device), "")
    choices = [*capabilities.precision_choices(facts, device), *capabilities.quantization_choices(facts, device)]
    possible = [choice for choice in choices if choice.available and choice.value != "none"]
    yield Finding(OK, say("doctor-device", device=device + gpu, choices=", ".join(choice.value for choice in possible)))
    for choice in choices:
        if choice.code:
            yield Finding(NOTE, f"{device}, {choice.value}: {_say_reason(choice)}")


def _say_reason(choice: capabilities.Choice) -> str:
    return say_anything(choice.code, choice.values, speech.system_language())


def look_at_window() -> Iterator[Finding]:
    """Qt's libraries and the display; a machine without them measures all the same."""
    files = system.qt_files(Places().site_packages, os.environ)
    if not files[-1].exists():
        yield Finding(NOTE, say("doctor-no-qt"))
        return
    if missing := system.missing_libraries(files):
        command = system.apt_command(system.apt_names(system.WINDOW_PACKAGES, system.os_release()), is_root=system.is_root())
        code = "setup-missing-libraries" if system.has_apt(system.os_release()) else "setup-missing-libraries-elsewhere"
        yield Finding(NOTE, say(code, names=", ".join(missing)), say(f"{code}.hint", command=command))
    else:
        yield Finding(OK, say("doctor-qt", version=importlib.metadata.version("PySide6-Essentials")))
    try:
        needs.check_display()
        yield Finding(OK, say("doctor-display"))
    except SetupStopped as stopped:
        yield Finding(NOTE, stopped.summary, stopped.hint)


def look_at_history() -> Iterator[Finding]:
    """Whether runs can be kept."""
    folder = storage.history_folder()
    probe = folder / f".doctor-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        yield Finding(BAD, say("doctor-history", folder=folder, reason=error.strerror or error), say("doctor-history.hint"))
        return
    yield Finding(OK, say("doctor-history-fine", folder=folder))


def look_at_own_cost() -> Iterator[Finding]:
    """What the program itself costs here, where that was measured."""
    results, broken = kept_costs.load()
    if broken is not None:
        yield Finding(NOTE, self_cost.say(broken.say, **broken.values), self_cost.say(f"{broken.say}.hint"))
        return
    here = environment.collect()
    mine = [found for found in results if _versions(found.place) == (VERSION, here.cpu, here.cores, here.python, here.torch)]
    for found in mine:
        words = self_cost.ratio_words(found.own) | {"watching": f"{found.watching.ratio:.3f}", "date": found.measured_at[:10]}
        yield Finding(OK, self_cost.say("self-cost-known", device=found.device, rounds=found.rounds, **words))
    if not mine:
        yield Finding(NOTE, self_cost.say("self-cost-unknown"), self_cost.say("self-cost-unknown.hint"))


def _versions(place: kept_costs.Place) -> tuple[object, ...]:
    return place.app, place.cpu, place.cores, place.python, place.torch


LOOKS = (look_at_python, look_at_engine, look_at_window, look_at_history, look_at_own_cost)

"""From chosen axes to cells: which configurations a job would have, which of them can exist here, and why not the others."""

from __future__ import annotations

import msgspec

from engine import capabilities, devices, switches
from engine.capabilities import Choice, Facts
from engine.job import Configuration
from engine.matrix import configurations

SWITCHES = {"memory_formats": "memory_format", "grads": "grad", "modes": "mode"}
"""Axes that are switches -> the option that each becomes."""


class Axes(msgspec.Struct, frozen=True):
    """What is chosen on each axis; several values multiply. Empty backends, batches or threads mean the default."""

    devices: tuple[str, ...] = ("auto",)
    precisions: tuple[str, ...] = ("fp32",)
    quantizations: tuple[str, ...] = ("none",)
    backends: tuple[str, ...] = ()
    batches: tuple[int | str, ...] = ()
    """`max` or `max:75%` for one that is to be found."""
    threads: tuple[int, ...] = ()
    memory_limit_bytes: int | None = None
    """On the CPU no worker may hold more."""
    memory_formats: tuple[str, ...] = ("contiguous",)
    grads: tuple[str, ...] = ("inference",)
    modes: tuple[str, ...] = ("eval",)
    idle_gap_s: float | None = None
    """Also time calls after so long a rest each."""


class Cell(msgspec.Struct, frozen=True):
    """One configuration of the matrix, and whether it can exist on this machine."""

    configuration: Configuration
    choice: Choice


def cells(axes: Axes, kind: str, facts: Facts | None, least_batch: int = 1) -> tuple[Cell, ...]:
    """The cells in the order of the axes, each configuration once."""
    chosen = configurations(
        facts, kind, devices=axes.devices, precisions=axes.precisions, quantizations=axes.quantizations, backends=axes.backends, batches=axes.batches or (1,),
        threads=axes.threads, least_batch=least_batch, memory_formats=axes.memory_formats, grads=axes.grads, modes=axes.modes,
    )
    return tuple(Cell(configuration, capabilities.check(facts, kind, configuration)) for configuration in chosen)


def device_chips(facts: Facts | None) -> list[Choice]:
    """`auto` and each device, with what each can do here."""
    return [*capabilities.device_choices(facts), *capabilities.replica_choices(facts)]


def precision_chips(axes: Axes, kind: str, facts: Facts | None) -> list[Choice]:
    """Each precision; open when one of the chosen devices can do it with this kind of file."""
    return _merged([capabilities.precision_choices(facts, device, kind) for device in _devices(axes, facts)])


def quantization_chips(axes: Axes, kind: str, facts: Facts | None) -> list[Choice]:
    """Each quantization; open when one of the chosen devices can do it with this kind of file."""
    return _merged([capabilities.quantization_choices(facts, device, kind) for device in _devices(axes, facts)])


def backend_chips(kind: str, facts: Facts | None) -> list[Choice]:
    """Each backend, and whether it runs this kind of file here."""
    return list(capabilities.backend_choices(facts, kind))


def switch_chips(axis: str, kind: str) -> list[Choice]:
    """Each value of a switch (an axis of `SWITCHES`), and whether it can be with this kind of file."""
    return [_switch_choice(SWITCHES[axis], value, kind) for value in switches.VALUES[SWITCHES[axis]]]


def _switch_choice(name: str, value: str, kind: str) -> Choice:
    found = switches.obstacle(kind, Configuration(options=switches.options_of(**{name: value})))
    return Choice(value) if found is None else Choice(value, False, found[1], found[2])


def _devices(axes: Axes, facts: Facts | None) -> tuple[str, ...]:
    resolved = [capabilities.resolve_device(device, facts) for device in axes.devices]
    return tuple(dict.fromkeys(member for device in resolved for member in devices.members(device))) or ("cpu",)


def _merged(lists: list[tuple[Choice, ...]]) -> list[Choice]:
    best: dict[str, Choice] = {}
    for choice in (choice for choices in lists for choice in choices):
        if choice.value not in best or (choice.available and not best[choice.value].available):
            best[choice.value] = choice
    return list(best.values())

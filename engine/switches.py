"""The switches of a configuration that teach: memory format, gradients, mode. What there is, what is the default, what can be with which file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from engine.inputs import leaves
from engine.job import Configuration, InputSpec

DEFAULTS = {"memory_format": "contiguous", "grad": "inference", "mode": "eval"}
VALUES: dict[str, tuple[str, ...]] = {
    "memory_format": ("contiguous", "channels_last"), "grad": ("inference", "no_grad", "kept", "backward"), "mode": ("eval", "train"),
}
"""Of each switch: its default first."""
NEEDS_MODULE = ("onnx",)
WITHOUT_MODES = ("exported-program",)
PICTURE_RANK = 4


def value_of(options: dict[str, Any], name: str) -> str:
    """Where a switch stands."""
    return str(options.get(name, DEFAULTS[name]))


def options_of(**chosen: str) -> dict[str, Any]:
    """The options that say these values: a default is not said."""
    return {name: value for name, value in chosen.items() if value != DEFAULTS[name]}


def are_set(options: dict[str, Any]) -> bool:
    """Whether any switch is away from its default."""
    return any(name in options for name in DEFAULTS)


def thrown(options: dict[str, Any]) -> list[str]:
    """The values that are away from their default, as a name of the row says them."""
    return [str(options[name]) for name in DEFAULTS if name in options]


def obstacle(kind: str, configuration: Configuration) -> tuple[str, str, dict[str, Any]] | None:
    """Why the switches cannot be with this kind of file or this quantization: the value in the way, code and values of the sentence; None where they can."""
    options = configuration.options
    if not are_set(options):
        return None
    first = next(str(options[name]) for name in DEFAULTS if name in options)
    if kind in NEEDS_MODULE or configuration.backend == "onnxruntime":
        return first, "switch-needs-module", {"switch": first}
    if kind in WITHOUT_MODES and "mode" in options:
        return "train", "switch-no-modes", {"kind": kind}
    if configuration.quantization != "none" and (options.get("grad") in ("kept", "backward") or "mode" in options):
        return first, "switch-needs-floats", {"switch": first, "quantization": configuration.quantization}
    return None


def has_pictures(specs: Sequence[InputSpec]) -> bool:
    """Whether an input has the four dimensions that channels_last is about."""
    return any(len(leaf.shape) == PICTURE_RANK for spec in specs for leaf in leaves(spec))


def teaching_set(base: Configuration, kind: str, specs: Sequence[InputSpec], cores: int | None) -> tuple[Configuration, ...]:
    """The plain configuration, then one for each switch thrown alone: gradients, mode, memory format, threads (on the CPU)."""
    plain = {name: value for name, value in base.options.items() if name not in DEFAULTS}
    base = msgspec.structs.replace(base, options=plain)
    thrown: list[dict[str, Any]] = [{"grad": value} for value in VALUES["grad"][1:]] + [{"mode": "train"}]
    if has_pictures(specs):
        thrown.append({"memory_format": "channels_last"})
    rows = [base, *(msgspec.structs.replace(base, options={**plain, **options}) for options in thrown)]
    if base.device == "cpu" and cores:
        rows += [msgspec.structs.replace(base, threads=count) for count in sorted({1, base.threads, cores}) if count != base.threads]
    return tuple(row for row in rows if obstacle(kind, row) is None)

"""From lists of settings to configurations: every list multiplies, none is measured twice."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from engine import devices
from engine.capabilities import PRECISIONS, QUANTIZATIONS, Facts, default_backend, default_threads, resolve_device, resolve_precision
from engine.inputs import format_input, leaves, takes_batch
from engine.job import Configuration, InputSpec
from engine.largest import parse_max
from engine.memory_limit import parse_bytes
from engine.switches import VALUES, options_of
from engine.words import say

BACKENDS = ("eager", "torchscript", "onnxruntime")
_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?")
_BATCH = re.compile(r"(\d{1,9})(?::(\d{1,9}))?")


class SettingError(ValueError):
    """A setting that does not exist; `summary` names it, `hint` says what there is."""

    def __init__(self, say_code: str, **values: object) -> None:
        self.say, self.values = say_code, values
        self.summary, self.hint = say(say_code, values), say(f"{say_code}.hint", values)
        super().__init__(self.summary)


def parse_batches(text: str) -> tuple[int | str, ...]:
    """Batch sizes from `1,8,32` or `1:64` (doubling), with `max` or `max:75%` for those that are to be found; raises SettingError."""
    sizes: list[int | str] = []
    for part in _parts(text):
        if (asked := parse_max(part)) is not None:
            sizes.append("max" if asked.share_percent is None else f"max:{asked.share_percent:g}%")
            continue
        match = _BATCH.fullmatch(part)
        if match is None or int(match[1]) < 1:
            raise SettingError("batch-unreadable", text=part)
        size, last = int(match[1]), int(match[2] or match[1])
        if last < size:
            raise SettingError("batch-unreadable", text=part)
        while size <= last:
            sizes.append(size)
            size *= 2
    return tuple(dict.fromkeys(sizes))


class Batches(msgspec.Struct, frozen=True):
    """Batch sizes of a job; `code` and `values` of a sentence (engine.words) where it is not the user who chose them, else empty."""

    sizes: tuple[int | str, ...]
    """`max` or `max:75%` in place of a number that is to be found."""
    code: str = ""
    values: dict[str, Any] = {}
    can_choose: bool = True
    """Another size would change something."""
    least: int = 1
    """The smallest that was seen to run: where the search for the largest begins."""


def settle_batches(asked: Sequence[int | str], specs: Sequence[InputSpec], declared: Sequence[InputSpec] = (), least: int | None = None) -> Batches:
    """The sizes that were asked for; where nobody asked, 1 or the smallest that ran (`least`). Inputs without a B have the one batch that they are made of.

    `declared` are the file's own inputs: the first size of those is the batch; of others that somebody typed nobody knows, and a call counts as one.
    """
    if not takes_batch(specs):
        is_known = all(each.source == "declared" for each in specs) or [each.shape for each in specs] == [each.shape for each in declared]
        size = _first_size(specs) if is_known or tuple(asked) == (_first_size(specs),) else 1
        if any(isinstance(each, str) for each in asked):
            return Batches((size,), "batch-max-fixed", {"inputs": _all_inputs(specs)}, can_choose=False)
        return Batches((size,), *batch_remark(specs, size), can_choose=False)
    if asked:
        return Batches(tuple(asked), least=least or 1)
    return Batches((least,), "batch-least", {"batch": least}, least=least) if least is not None else Batches((1,))


def batch_remark(specs: Sequence[InputSpec], size: int) -> tuple[str, dict[str, Any]]:
    """Code and values of the sentence for inputs without a B, of which each call is said to take `size`."""
    inputs = _all_inputs(specs)
    return ("batch-fixed", {"batch": size, "inputs": inputs}) if size == _first_size(specs) else ("batch-unknown", {"inputs": inputs})


def _all_inputs(specs: Sequence[InputSpec]) -> str:
    return ", ".join(format_input(spec) for spec in specs)


def _first_size(specs: Sequence[InputSpec]) -> int:
    """The first size of the first tensor that has more than one."""
    first = next((leaf.shape[0] for spec in specs for leaf in leaves(spec) if len(leaf.shape) > 1), 1)
    return first if isinstance(first, int) else 1


def parse_micro_batches(text: str) -> tuple[int, ...]:
    """Into how many parts a batch is cut, 1 for in one piece; raises SettingError."""
    parts = _parts(text)
    for part in parts:
        if not (part.isascii() and part.isdigit() and 1 <= int(part) <= 65536):
            raise SettingError("micro-batch-unreadable", text=part)
    return tuple(int(part) for part in parts)


def parse_memory_limit(text: str) -> int | None:
    """A size such as `4GB`; None for nothing. Raises SettingError."""
    if not text.strip():
        return None
    size = parse_bytes(text)
    if size is None:
        raise SettingError("memory-limit-unreadable", text=text.strip())
    return size


def parse_list(text: str, axis: str, known: Sequence[str]) -> tuple[str, ...]:
    """Comma-separated values of an axis; raises SettingError for one that is not known."""
    parts = _parts(text)
    for part in parts:
        if axis == "device" and devices.is_joint(part):
            _check_joint(part, known)
        elif part not in known and not (axis == "device" and _DEVICE.fullmatch(part)):
            raise SettingError("setting-unknown", axis=axis, value=part, known=", ".join(known))
    return parts


def _check_joint(text: str, known: Sequence[str]) -> None:
    """Raise SettingError for devices that cannot stand beside one another; whether each exists here is seen later."""
    for member in devices.members(text):
        if member == "auto" or not _DEVICE.fullmatch(member):
            raise SettingError("replicas-member", text=text, member=member, known=", ".join(each for each in known if each != "auto"))
    if (again := devices.twice(resolve_device(text, None))) is not None:
        raise SettingError("replicas-twice", device=again)
    if devices.is_mixed(text):
        raise SettingError("replicas-mixed", device=text)


def parse_switch(text: str, name: str) -> tuple[str, ...]:
    """Values of a switch (`memory_format`, `grad` or `mode`); raises SettingError."""
    parts = _parts(text)
    for part in parts:
        if part not in VALUES[name]:
            raise SettingError("switch-unknown", axis=name.replace("_", "-"), value=part, known=", ".join(VALUES[name]))
    return parts


def parse_threads(text: str) -> tuple[int, ...]:
    """Numbers of threads; raises SettingError."""
    parts = _parts(text)
    for part in parts:
        if not (part.isascii() and part.isdigit() and 1 <= int(part) <= 4096):
            raise SettingError("threads-unreadable", text=part)
    return tuple(int(part) for part in parts)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(","))) if text.strip() else ()


def precisions_known() -> tuple[str, ...]:
    """All names of precisions that may be written."""
    return (*PRECISIONS, "amp-fp16", "amp-bf16")


def configurations(
    facts: Facts | None, kind: str, *, devices: Sequence[str] = ("auto",), precisions: Sequence[str] = ("fp32",),
    quantizations: Sequence[str] = QUANTIZATIONS[:1], backends: Sequence[str] = (), batches: Sequence[int | str] = (1,), threads: Sequence[int] = (),
    micro_batches: Sequence[int] = (1,), least_batch: int = 1, memory_formats: Sequence[str] = (), grads: Sequence[str] = (), modes: Sequence[str] = (),
) -> tuple[Configuration, ...]:
    """Every combination, `auto` and `amp` resolved, in the order written; a combination that comes twice stands once."""
    found: dict[tuple[object, ...], Configuration] = {}
    axes = (devices, precisions, quantizations, backends or (default_backend(kind),), batches, threads or (default_threads(facts),), micro_batches or (1,))
    thrown = [
        options_of(memory_format=layout, grad=grad, mode=mode)
        for layout, grad, mode in itertools.product(memory_formats or ("contiguous",), grads or ("inference",), modes or ("eval",))
    ]
    for device, precision, quantization, backend, batch, count, parts, switches in itertools.product(*axes, thrown):
        resolved = resolve_device(device, facts)
        each = Configuration(
            device=resolved, precision=resolve_precision(precision, resolved), quantization=quantization, backend=backend,
            batch_size=batch if isinstance(batch, int) else max(least_batch, parts), threads=count, options={**_batch_options(batch, parts), **switches},
        )
        found.setdefault(each.key(), each)
    return tuple(found.values())


def _batch_options(batch: int | str, parts: int) -> dict[str, Any]:
    """What a batch is beyond a number: to be found, or run in parts."""
    return {**({"batch": batch} if isinstance(batch, str) else {}), **({"micro_batch": parts} if parts > 1 else {})}

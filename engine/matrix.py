"""From lists of settings to configurations: every list multiplies, none is measured twice."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from engine.capabilities import PRECISIONS, QUANTIZATIONS, Facts, default_backend, default_threads, resolve_device, resolve_precision
from engine.job import Configuration
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


def parse_batches(text: str) -> tuple[int, ...]:
    """Batch sizes from `1,8,32` or `1:64` (doubling); raises SettingError."""
    sizes: list[int] = []
    for part in _parts(text):
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


def parse_list(text: str, axis: str, known: Sequence[str]) -> tuple[str, ...]:
    """Comma-separated values of an axis; raises SettingError for one that is not known."""
    parts = _parts(text)
    for part in parts:
        if part not in known and not (axis == "device" and _DEVICE.fullmatch(part)):
            raise SettingError("setting-unknown", axis=axis, value=part, known=", ".join(known))
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
    quantizations: Sequence[str] = QUANTIZATIONS[:1], backends: Sequence[str] = (), batches: Sequence[int] = (1,), threads: Sequence[int] = (),
) -> tuple[Configuration, ...]:
    """Every combination, `auto` and `amp` resolved, in the order written; a combination that comes twice stands once."""
    found: dict[tuple[object, ...], Configuration] = {}
    axes = (devices, precisions, quantizations, backends or (default_backend(kind),), batches, threads or (default_threads(facts),))
    for device, precision, quantization, backend, batch_size, count in itertools.product(*axes):
        resolved = resolve_device(device, facts)
        each = Configuration(
            device=resolved, precision=resolve_precision(precision, resolved), quantization=quantization, backend=backend, batch_size=batch_size, threads=count
        )
        found.setdefault(each.key(), each)
    return tuple(found.values())

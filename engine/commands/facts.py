"""What `inspect` says: rows of text for the eye, and the contract's JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from engine import facts_cache
from engine.candidates import Candidate
from engine.capabilities import resolve_device
from engine.commands.classes import candidate_lines, file_beside, not_fitting, reason_lines
from engine.events import FileInspected, ModelExamined
from engine.files.reading import clean
from engine.inputs import format_input
from engine.job import InputSpec
from engine.result import Failure, ModelInfo, Reason
from engine.units import format_bytes, format_duration_ms
from engine.words import say

Row = tuple[str, str | None]
_CONFIG_SHOWN, _CONFIG_CHARACTERS = 12, 200


def loads_to() -> str:
    """The device that weights go to unless another is asked for, as far as it is known without torch."""
    facts = facts_cache.read(sys.executable)
    if facts is None and Path("/proc/driver/nvidia/version").exists():
        return say("the-device-that-runs-it")
    return resolve_device("auto", facts)


def rows(inspected: FileInspected, info: ModelInfo) -> list[Row]:
    """What the bytes tell."""
    beside = file_beside(inspected)
    saved = f"{', '.join(info.saved_on)}, loaded to {loads_to()}" if info.saved_on else None
    found: list[Row] = [
        ("file", clean(info.path, 4096)), ("kind", info.kind), ("class", info.architecture), ("class is in", ", ".join(inspected.missing_classes) or None),
        ("defined in", say("main-class-beside", beside) if beside else None),
        ("weights at", info.weights_at), ("also at", ", ".join(place for place in inspected.weights_places if place != info.weights_at) or None),
        ("tensors", _count(info.tensors)), ("values", _values(info)), ("parameters", _count(info.parameters)), ("buffers", _count(info.buffers)),
        ("weights", _size(info.weights_bytes)), ("on disk", _size(info.file_bytes)), ("saved on", saved), ("sha256", info.sha256),
        ("inputs", _declared(inspected.inputs)), ("wants", inspected.first_layer.sentence if inspected.first_layer else None),
        ("settings", _settings(inspected.config)), ("loading", _loading(inspected)),
    ]
    return [*found, *(("note", note.sentence) for note in inspected.notes)]


def candidate_rows(candidates: Iterable[Candidate], left_out: Iterable[Reason] = ()) -> list[Row]:
    """The classes that may fit, best first, and why others could not be built."""
    return [*(("candidate", line) for line in candidate_lines(candidates)), *(("note", line) for line in reason_lines(left_out))]


def examined_rows(examined: ModelExamined) -> list[Row]:
    """What loading and trying the model told besides."""
    phases = {name: format_duration_ms(ms) for name, ms in examined.phases_ms.items()}
    parts = [say(f"load-{name}", {"time": phases[name]}) for name in ("reading", "moving") if name in phases]
    peak = None if examined.load_peak_bytes is None else say("load-peak", {"memory": format_bytes(examined.load_peak_bytes)})
    load = phases.get("load")
    found: list[Row] = [
        ("class", examined.architecture), ("parameters", _count(examined.parameters)), ("buffers", _count(examined.buffers)),
        ("wants", examined.first_layer.sentence if examined.first_layer else None),
        ("fit", (not_fitting(examined.fit) or say("fit-whole")) if examined.fit else None),
        *(("input", f"{format_input(spec)} ({_origin(spec)})") for spec in examined.inputs), ("outputs", examined.outputs),
        ("load", None if load is None else ", ".join(filter(None, [load, *parts, peak]))),
    ]
    return [*found, *(("note", note.sentence) for note in examined.notes)]


def _origin(spec: InputSpec) -> str:
    return say(f"input-{spec.source}", {}) + (say("input-ran") if spec.ran else "")


def as_text(found: Iterable[Row]) -> list[str]:
    """Lines as this terminal can show them; rows without text are left out, and so is a row that was said before."""
    encoding = sys.stdout.encoding or "utf-8"
    lines = dict.fromkeys(f"{title:<13}{' '.join(text.split())}" for title, text in found if text)
    return [line.encode(encoding, "replace").decode(encoding) for line in lines]


def as_json(inspected: FileInspected, candidates: Iterable[Candidate] = (), examined: ModelExamined | None = None, refusal: Failure | None = None) -> bytes:
    """The answer in the contract's form."""
    # A file name may hold bytes that are no Unicode, and JSON cannot.
    info = inspected.info and msgspec.structs.replace(inspected.info, path=inspected.path.encode("utf-8", "replace").decode())
    content: dict[str, Any] = {
        "model": info, "inputs": inspected.inputs, "candidates": [_candidate(each) for each in candidates], "requires_trust": inspected.requires_trust,
        "unsafe_globals": inspected.unsafe_globals, "danger": inspected.danger, "grades": inspected.grades, "notes": inspected.notes,
        "weights_places": inspected.weights_places, "fingerprint": inspected.fingerprint, "config": inspected.config,
        "missing_classes": inspected.missing_classes, "first_layer": inspected.first_layer, "loads_to": loads_to(),
    }
    if examined is not None:
        content["inputs"], content["first_layer"] = examined.inputs or inspected.inputs, examined.first_layer or inspected.first_layer
        content["deep"] = {
            name: getattr(examined, name)
            for name in ("inputs", "outputs", "parameters", "buffers", "weights_bytes", "architecture", "fit", "phases_ms", "load_peak_bytes", "first_layer", "least_batch", "notes", "failure")
        }
        content["deep"]["architecture"] = examined.source.architecture or examined.architecture
    elif refusal is not None:
        content["deep"] = {"failure": refusal}
    return msgspec.json.format(msgspec.json.encode(content, enc_hook=str), indent=2) + b"\n"


def _candidate(each: Candidate) -> dict[str, Any]:
    """One class that may fit; what does not fit is null where it was not built."""
    fit = each.fit
    names = ("missing", "unexpected", "differing")
    return {
        "architecture": each.spec, "origin": each.origin, "score": each.score, "perfect": each.perfect, "needs": each.needs, "prefix": fit.prefix if fit else None,
        **{name: getattr(fit, name) if fit else None for name in names}, **{f"{name}_count": getattr(fit, f"{name}_count") if fit else None for name in names},
    }


def _count(number: int | None) -> str | None:
    return None if number is None else f"{number:,}"


def _size(number: int | None) -> str | None:
    return None if number is None else f"{number:,} bytes"


def _values(info: ModelInfo) -> str | None:
    if info.values is None:
        return None
    return f"{info.values:,} ({', '.join(f'{count:,} {dtype}' for dtype, count in info.dtypes.items())})"


def _declared(inputs: tuple[InputSpec, ...] | None) -> str:
    if not inputs:
        return "none declared"
    return "; ".join(f"{spec.name}: {spec.dtype} [{', '.join(map(str, spec.shape))}]" for spec in inputs)


def _settings(config: dict[str, Any]) -> str | None:
    shown = ", ".join(f"{name}={value!r}" for name, value in list(config.items())[:_CONFIG_SHOWN])
    return clean(shown, _CONFIG_CHARACTERS) or None


def _loading(inspected: FileInspected) -> str:
    if not inspected.requires_trust:
        left = ", ".join(inspected.grades)
        return "runs no code of the file's" + (f"; beside the weights, and not made: {left}" if left else "")
    names = ", ".join(f"{name} ({grade})" for name, grade in list(inspected.grades.items())[:12])
    more = f" and {len(inspected.grades) - 12} more" if len(inspected.grades) > 12 else ""
    return f"runs code of the file's: needs --trust. It calls: {names or 'nothing outside torch'}{more}"

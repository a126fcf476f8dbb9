"""Candidates for bare weights, built and laid beside them: best first, with the arguments found."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch

from engine import messages
from engine.architecture import Architecture, ArchitectureError, parse_architecture
from engine.candidates import Candidate, best_first, short_spec
from engine.files.inspection import tensor_index
from engine.files.reading import Refused
from engine.job import ModelSource
from engine.worker.errors import WorkerError, last_line
from engine.worker.loading.classes import find
from engine.worker.loading.weights import read_weights
from engine.worker.search.building import Builder
from engine.worker.search.evidence import evidence_of
from engine.worker.search.finding import Finder, Result, Values
from engine.worker.search.parameters import parameters_of
from engine.worker.search.told import told_values

Note = tuple[str, dict[str, Any]]
Weights = Mapping[str, tuple[int, ...]]


def rank(command: messages.FindClasses) -> messages.ClassesFound:
    """Build each candidate and measure its fit; once one fits perfectly, the others are built as they are."""
    weights = _weights(command.model)
    ranked: list[Candidate] = []
    notes: list[Note] = []
    for candidate in command.candidates:
        search = command.search and not any(each.perfect for each in ranked)
        result, note = _examine(candidate, weights, command.config, command.limit_s, search)
        ranked += [result] if result is not None else []
        notes += [note] if note is not None else []
    return messages.ClassesFound(best_first(ranked), tuple(notes))


@functools.lru_cache(maxsize=1)
def _weights(source: ModelSource) -> Weights:
    """Read once, for all candidates that this worker is asked about."""
    return shapes_of_file(source)


def shapes_of_file(source: ModelSource) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the file's weights; the numbers themselves are read only where they lie inside a checkpoint."""
    if source.kind in ("state-dict", "safetensors") and source.weights_at is None:
        try:
            return {entry.key: entry.shape for entry in tensor_index(source.path)}
        except Refused as refused:
            raise WorkerError("load-failed", "no-weights-inside", file=Path(source.path).name) from refused
    return {key: tuple(value.shape) for key, value in read_weights(source, torch.device("cpu")).items()}


def _examine(candidate: Candidate, weights: Weights, config: dict[str, Any], limit_s: float, search: bool) -> tuple[Candidate | None, Note | None]:
    """The candidate with its fit and arguments, and what there is to say: it cannot be built, or an argument has to be typed."""
    try:
        architecture = parse_architecture(candidate.spec)
        maker = find(architecture)
    except ArchitectureError as error:
        return None, ("search-not-built", {"spec": short_spec(candidate.spec), "error": error.summary})
    except WorkerError as error:
        return None, _import_note(candidate.spec, error)
    return _searched(candidate, architecture, maker, weights, config, limit_s, search)


def _searched(
    candidate: Candidate, architecture: Architecture, maker: Callable[..., Any], weights: Weights, config: dict[str, Any], limit_s: float, search: bool
) -> tuple[Candidate | None, Note | None]:
    parameters = parameters_of(maker, set(architecture.named), len(architecture.positional), told_values(maker), evidence_of(weights), config)
    needs = tuple(each.name for each in parameters if each.required and not each.options)
    if needs:
        return (msgspec.structs.replace(candidate, fit=None, needs=needs),
                ("search-needs-arguments", {"spec": short_spec(candidate.spec), "arguments": ", ".join(needs)}))

    def make(values: Values) -> Any:
        return maker(*architecture.positional, **architecture.named, **values)

    finder = Finder(make, parameters, weights, Builder(), limit_s)
    result = finder.best() if search else finder.plain()
    if result is None:
        return _unbuilt(candidate, [each.name for each in parameters if each.required and not each.is_pinned], finder.reason)
    if result.fit.matching == 0:
        return None, ("search-nothing-alike", {"spec": short_spec(candidate.spec)})
    note = ("search-untold", {"spec": short_spec(candidate.spec), "arguments": ", ".join(result.untold)}) if result.untold else None
    return _fitted(candidate, architecture, result), note


def _unbuilt(candidate: Candidate, required: list[str], reason: str) -> tuple[Candidate | None, Note]:
    """What has arguments that nobody found stays, to be typed; anything else goes."""
    note = ("search-not-built", {"spec": short_spec(candidate.spec), "error": reason})
    return (msgspec.structs.replace(candidate, fit=None, needs=tuple(required)) if required else None), note


def _fitted(candidate: Candidate, architecture: Architecture, result: Result) -> Candidate:
    return Candidate(spec=written(architecture, result.values), origin=candidate.origin, score=result.fit.score, fit=result.fit, needs=result.untold)


def written(architecture: Architecture, values: Values) -> str:
    """The spec with these arguments beside those that it had."""
    named = {**architecture.named, **values}
    parts = [*(repr(value) for value in architecture.positional), *(f"{name}={value!r}" for name, value in named.items())]
    return f"{architecture.where}:{architecture.name}" + (f"({', '.join(parts)})" if parts else "")


def _import_note(spec: str, error: WorkerError) -> Note:
    """A missing package is named; anything else in its own words."""
    if "package" in error.values:
        return "search-needs-package", {"spec": short_spec(spec), "package": str(error.values["package"])}
    said = error.values.get("error") or (last_line(error.__cause__) if error.__cause__ is not None else error.say)
    return "search-not-built", {"spec": short_spec(spec), "error": str(said)[:300]}

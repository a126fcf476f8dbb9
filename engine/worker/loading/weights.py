"""Bare weights and the class that fits them: state dicts, checkpoints with the weights inside, safetensors."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch

from engine.candidates import Fit
from engine.fitting import measure_fit
from engine.job import ModelSource
from engine.worker.errors import WorkerError, is_out_of_memory, last_line
from engine.worker.loading import LoadedModel, Note, Stopwatch
from engine.worker.loading.classes import build
from engine.worker.loading.places import descend
from engine.worker.loading.stand_ins import allowed

_NAMED = 5
_ZIP = b"PK\x03\x04"
Weights = Mapping[str, torch.Tensor]


def load(source: ModelSource, device: torch.device, watch: Stopwatch) -> LoadedModel:
    """Build the class, check that the weights fit, copy them in; raises WorkerError `class-mismatch` naming what does not."""
    with watch.reading():
        weights = read_weights(source)
    if source.architecture is None:
        raise WorkerError("class-mismatch", "class-needed", tensors=len(weights), values_count=sum(tensor.numel() for tensor in weights.values()))
    network = build(source.architecture)
    with watch.reading():   # a mapped file is read here
        measured = put_in(weights, network, source)
    return LoadedModel(network, Path(source.path), source.kind, source.architecture, fit=measured, notes=notes_of(measured))


def read_weights(source: ModelSource, device: torch.device | None = None) -> Weights:
    """The tensors by key, in the machine's memory or mapped: `weights_only=True`, so no byte of the file is run, unless the user agreed to that."""
    place = str(device or "cpu")
    if source.kind == "safetensors":
        return _read_safetensors(source.path, place)
    mapped = _is_zip(source.path) and place == "cpu"
    with contextlib.nullcontext() if source.trusted else allowed():
        content = torch.load(source.path, map_location=place, weights_only=not source.trusted, mmap=mapped)
    return _tensors_of(_descend(content, source), source)


def _read_safetensors(path: str, place: str) -> Weights:
    try:
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise WorkerError("load-failed", "interpreter-lacks", python=sys.executable, package="safetensors") from error
    tensors: Weights = load_file(path, device=place)
    return tensors


def _is_zip(path: str) -> bool:
    with Path(path).open("rb") as file:
        return file.read(4) == _ZIP


def _descend(content: Any, source: ModelSource) -> Any:
    try:
        return descend(content, source.weights_at)
    except KeyError as error:
        raise WorkerError("load-failed", "weights-not-there", file=Path(source.path).name, place=source.weights_at) from error


def _tensors_of(content: Any, source: ModelSource) -> Weights:
    if isinstance(content, torch.nn.Module):
        content = content.state_dict()
    if isinstance(content, Mapping):
        tensors = {str(key): value for key, value in content.items() if isinstance(value, torch.Tensor)}
        if tensors:
            return tensors
    raise WorkerError("load-failed", "no-weights-inside", file=Path(source.path).name)


def put_in(weights: Weights, network: torch.nn.Module, source: ModelSource) -> Fit:
    """Copy the weights into the network; anything less than a perfect fit raises WorkerError `class-mismatch`, unless the user agreed to what is missing."""
    expected = network.state_dict()
    measured = measure_fit(shapes(weights), shapes(expected))
    named = {key.removeprefix(measured.prefix): tensor for key, tensor in weights.items()}
    if not measured.perfect and _taken_strictly(network, named):
        # The class renames old keys itself (weight norm, quantized layers): its own word counts.
        return Fit(matching=len(expected), keys=len(expected), prefix=measured.prefix)
    if not measured.perfect and not source.allow_missing:
        raise mismatch(measured, source.architecture or source.path, len(weights))
    fitting = {key: tensor for key, tensor in named.items() if key in expected and _fits(tensor, expected[key])}
    _copy(network, fitting)
    return measured


def _copy(network: torch.nn.Module, weights: Weights) -> None:
    try:
        network.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        raise WorkerError("class-mismatch", "class-refuses", name=type(network).__name__, error=last_line(error)) from error


def _taken_strictly(network: torch.nn.Module, weights: Weights) -> bool:
    try:
        network.load_state_dict(weights, strict=True)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return False
    return True


def _fits(tensor: torch.Tensor, own: torch.Tensor) -> bool:
    return torch.nn.parameter.is_lazy(own) or tensor.shape == own.shape


def shapes(tensors: Weights) -> dict[str, tuple[int, ...] | None]:
    """Name -> shape; None for a lazy layer's, which takes any."""
    held = {name: tensor for name, tensor in tensors.items() if isinstance(tensor, torch.Tensor)}
    return {name: None if torch.nn.parameter.is_lazy(tensor) else tuple(tensor.shape) for name, tensor in held.items()}


def fit(weights: Weights, expected: Weights, architecture: str) -> dict[str, torch.Tensor]:
    """The weights under the class's own keys; raises WorkerError naming missing and unexpected keys and shapes that differ."""
    measured = measure_fit(shapes(weights), shapes(expected))
    if not measured.perfect:
        raise mismatch(measured, architecture, len(weights))
    named = {key.removeprefix(measured.prefix): tensor for key, tensor in weights.items()}
    return {key: value for key, value in named.items() if key in expected}


def mismatch(measured: Fit, architecture: str, tensors: int) -> WorkerError:
    """What does not fit, with the whole `Fit` among the values."""
    return WorkerError(
        "class-mismatch", "class-mismatch", name=architecture.rsplit(":", 1)[-1], matching=measured.matching, tensors=tensors,
        missing=_some(measured.missing, measured.missing_count), unexpected=_some(measured.unexpected, measured.unexpected_count),
        differing=_some(measured.differing, measured.differing_count), fit=msgspec.to_builtins(measured),
    )


def notes_of(measured: Fit) -> tuple[Note, ...]:
    """What has to be said of a fit that the user took although it is not perfect."""
    random, left = measured.missing_count + measured.differing_count, measured.unexpected_count
    notes: list[Note] = [("weights-missing", {"n": random})] if random else []
    return (*notes, *([("weights-left-out", {"n": left})] if left else []))


def _some(names: Iterable[str], count: int) -> str:
    listed = list(names)[:_NAMED]
    rest = count - len(listed)
    return ", ".join(listed) + (f" (+{rest})" if rest > 0 else "") if listed else "-"

"""Bare weights and the class that fits them: state dicts, checkpoints with the weights inside, safetensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from engine.job import ModelSource
from engine.worker.errors import WorkerError
from engine.worker.loading import LoadedModel
from engine.worker.loading.classes import build
from engine.worker.loading.places import descend

WRAPPERS = ("module.", "_orig_mod.", "model.", "net.", "network.")
"""Prefixes that DataParallel, torch.compile and trainers put before every key."""
_NAMED = 5
Weights = Mapping[str, torch.Tensor]


def load(source: ModelSource, device: torch.device) -> LoadedModel:
    """Build the class, check that the weights fit, load them; raises WorkerError `class-mismatch` naming what does not."""
    weights = read_weights(source, device)
    if source.architecture is None:
        raise WorkerError("class-mismatch", "class-needed", tensors=len(weights), values_count=sum(tensor.numel() for tensor in weights.values()))
    network = build(source.architecture)
    fitted = fit(weights, network.state_dict(), source.architecture)
    network.load_state_dict(fitted, strict=False)
    return LoadedModel(network.to(device), Path(source.path), source.kind, source.architecture)


def read_weights(source: ModelSource, device: torch.device) -> Weights:
    """The tensors by key, on the device: `weights_only=True`, so no byte of the file is run, unless the user agreed to that."""
    if source.kind == "safetensors":
        from safetensors.torch import load_file

        return load_file(source.path, device=str(device))
    content = torch.load(source.path, map_location=device, weights_only=not source.trusted)
    return _tensors_of(descend(content, source.weights_at), source)


def _tensors_of(content: Any, source: ModelSource) -> Weights:
    if isinstance(content, torch.nn.Module):
        content = content.state_dict()
    if isinstance(content, Mapping):
        tensors = {str(key): value for key, value in content.items() if isinstance(value, torch.Tensor)}
        if tensors:
            return tensors
    raise WorkerError("load-failed", "no-weights-inside", file=Path(source.path).name)


def fit(weights: Weights, expected: Weights, architecture: str) -> dict[str, torch.Tensor]:
    """The weights under the class's own keys; raises WorkerError naming missing and unexpected keys and shapes that differ."""
    fitted = max((without_prefix(weights, prefix) for prefix in ("", *WRAPPERS)), key=lambda named: len(expected.keys() & named.keys()))
    missing = [key for key in expected if key not in fitted and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in fitted if key not in expected and not key.endswith("num_batches_tracked")]
    differing = [
        f"{key} {list(fitted[key].shape)} (class: {list(expected[key].shape)})"
        for key in expected
        if key in fitted and fitted[key].shape != expected[key].shape
    ]
    if missing or unexpected or differing:
        raise WorkerError(
            "class-mismatch", "class-mismatch", name=_callable_name(architecture), matching=len(expected.keys() & fitted.keys()) - len(differing),
            tensors=len(fitted), missing=_some(missing), unexpected=_some(unexpected), differing=_some(differing),
        )
    return {key: value for key, value in fitted.items() if key in expected}


def without_prefix(weights: Weights, prefix: str) -> dict[str, torch.Tensor]:
    """The weights with `prefix` taken off, where every key has it (repeatedly: `module.module.`)."""
    named = dict(weights)
    while prefix and named and all(key.startswith(prefix) for key in named):
        named = {key[len(prefix) :]: value for key, value in named.items()}
    return named


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    rest = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" (+{rest})" if rest > 0 else "") if listed else "-"


def _callable_name(architecture: str) -> str:
    return architecture.rsplit(":", 1)[-1]

"""From a model file to something that can be called: one module per kind of file."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.job import ModelSource
from engine.worker.errors import WorkerError

LOADERS = {
    "state-dict": "weights",
    "checkpoint": "weights",
    "safetensors": "weights",
    "module": "whole",
    "torchscript": "torchscript",
    "onnx": "onnx",
}


@dataclass
class LoadedModel:
    """A model in memory: a torch module, or a path that another runtime opens itself."""

    module: Any
    """`nn.Module` or `ScriptModule`; None for files that only their own runtime opens (ONNX)."""
    path: Path
    kind: str
    architecture: str | None = None


def load(source: ModelSource, device: torch.device) -> LoadedModel:
    """Load by kind with `map_location` set to the device; raises WorkerError, or whatever torch raises."""
    name = LOADERS.get(source.kind)
    if name is None:
        raise WorkerError("unsupported", "kind-not-run", kind=source.kind, file=Path(source.path).name)
    loader = importlib.import_module(f"engine.worker.loading.{name}")
    loaded: LoadedModel = loader.load(source, device)
    if loaded.module is not None:
        loaded.module.eval()
    return loaded

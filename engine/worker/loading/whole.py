"""Whole pickled modules: loading one runs the code it names, so only after an explicit yes."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from engine.architecture import parse_architecture
from engine.job import ModelSource
from engine.worker.errors import WorkerError
from engine.worker.loading import LoadedModel
from engine.worker.loading.classes import import_module
from engine.worker.loading.places import descend


def load(source: ModelSource, device: torch.device) -> LoadedModel:
    """Unpickle the module; with a class file given, its classes stand in for the `__main__` of the script that saved it."""
    name = Path(source.path).name
    if not source.trusted:
        raise WorkerError("needs-trust", "needs-trust", file=name)
    if source.architecture is not None:
        _lend_main(source.architecture)
    try:
        module = descend(torch.load(source.path, map_location=device, weights_only=False), source.weights_at)
    except (AttributeError, ModuleNotFoundError) as error:
        raise WorkerError("load-failed", "module-class-missing", file=name, error=str(error)[:300]) from error
    if not isinstance(module, torch.nn.Module):
        raise WorkerError("load-failed", "module-is-none", file=name, type=type(module).__name__)
    return LoadedModel(module.to(device), Path(source.path), "module", type(module).__qualname__)


def _lend_main(architecture: str) -> None:
    """Make what the class file defines reachable under `__main__`, where a script's own classes were pickled."""
    module = import_module(parse_architecture(architecture))
    main = sys.modules["__main__"]
    for key, value in vars(module).items():
        if not key.startswith("__"):
            setattr(main, key, value)

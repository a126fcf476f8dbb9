"""Imports the user's class file, with his consent, and builds the network."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from engine.architecture import Architecture, parse_architecture
from engine.worker.errors import WorkerError, last_line

USERS_PATH_VARIABLE = "MODEL_DYNO_PYTHONPATH"
"""Where set-up keeps the PYTHONPATH that the program was started with, away from its own imports."""


def build(spec: str) -> torch.nn.Module:
    """The network that `spec` describes, with fresh weights; raises WorkerError."""
    architecture = parse_architecture(spec)
    maker = find(architecture)
    try:
        network = maker(*architecture.positional, **architecture.named)
    except Exception as error:
        raise WorkerError("load-failed", "class-raised", name=architecture.name, error=last_line(error)) from error
    if not isinstance(network, torch.nn.Module):
        raise WorkerError("load-failed", "class-no-module", name=architecture.name, type=type(network).__name__)
    return network


def find(architecture: Architecture) -> Callable[..., Any]:
    """The callable that the spec names, its file or module imported; raises WorkerError."""
    module = import_module(architecture)
    found: Any = module
    for part in architecture.name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise WorkerError("load-failed", "class-not-found", name=architecture.name, where=_short(architecture))
    return found


def import_module(architecture: Architecture) -> ModuleType:
    """Import the class file (or module); a missing package is named."""
    try:
        return _import_file(Path(architecture.where)) if architecture.is_file else _import_named(architecture.where)
    except ModuleNotFoundError as error:
        raise WorkerError("load-failed", "class-import-missing", where=_short(architecture), package=error.name or str(error)) from error
    except Exception as error:
        raise WorkerError("load-failed", "class-import-raised", where=_short(architecture), error=last_line(error)) from error


def _import_named(name: str) -> ModuleType:
    """Import by dotted name; the folders of the user's own PYTHONPATH count, after all others."""
    for folder in os.environ.get(USERS_PATH_VARIABLE, "").split(os.pathsep):
        if os.path.isabs(folder) and folder not in sys.path:
            sys.path.append(folder)
    return importlib.import_module(name)


def _import_file(path: Path) -> ModuleType:
    # At the end of the path: a neighbour called numpy.py or socket.py must not take the place of the real one.
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    name = f"_model_class_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _short(architecture: Architecture) -> str:
    return Path(architecture.where).name if architecture.is_file else architecture.where

"""Takes classes from the user's file, with his consent, and builds the network."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from engine.architecture import Architecture, ArchitectureError, parse_architecture
from engine.worker.errors import WorkerError, last_line
from engine.worker.loading.definitions import LEFT_OUT, load_definitions
from engine.worker.loading.explaining import explained

USERS_PATH_VARIABLE = "MODEL_DYNO_PYTHONPATH"
"""Where set-up keeps the PYTHONPATH that the program was started with, away from its own imports."""


def build(spec: str) -> torch.nn.Module:
    """The network that `spec` describes, with fresh weights; raises WorkerError."""
    architecture = class_file(spec)[1]
    maker = find(architecture)
    try:
        network = maker(*architecture.positional, **architecture.named)
    except Exception as error:
        if (explanation := explained(error)) is not None:
            raise explanation from error
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
    if found is None and (line := left_out_line(module, architecture.name)) is not None:
        raise WorkerError("load-failed", "class-not-executed", name=architecture.name, where=_short(architecture), line=line)
    if not callable(found):
        raise WorkerError("load-failed", "class-not-found", name=architecture.name, where=_short(architecture))
    return found


def left_out_line(module: ModuleType, name: str) -> int | None:
    """The line that would have set `name` in a class file, had it been executed."""
    return LEFT_OUT.get(str(module.__file__), {}).get(name.partition(".")[0])


def import_module(architecture: Architecture) -> ModuleType:
    """Import the class file (or module); a missing package is named."""
    return import_file(Path(architecture.where)) if architecture.is_file else _guarded(architecture.where, lambda: _import_named(architecture.where))


def class_file(spec: str) -> tuple[Path | None, Architecture]:
    """The Python file in `train.py:Net` or in `train.py` alone, None when a module is named; raises WorkerError."""
    try:
        parsed = Architecture(spec, "") if spec.endswith(".py") else parse_architecture(spec)
    except ArchitectureError as error:
        raise WorkerError("load-failed", error.say, **error.values) from error
    return (Path(parsed.where), parsed) if parsed.is_file else (None, parsed)


def import_file(path: Path) -> ModuleType:
    """What a Python file defines, its other statements left unexecuted; a missing package is named."""
    return _guarded(path.name, lambda: _import_file(path))


def _guarded(where: str, act: Callable[[], ModuleType]) -> ModuleType:
    try:
        return act()
    except Exception as error:
        if (explanation := explained(error, where)) is not None:
            raise explanation from error
        raise WorkerError("load-failed", "class-import-raised", where=where, error=last_line(error)) from error


def _import_named(name: str) -> ModuleType:
    """Import by dotted name; the folders of the user's own PYTHONPATH count, after all others."""
    for folder in os.environ.get(USERS_PATH_VARIABLE, "").split(os.pathsep):
        if os.path.isabs(folder) and folder not in sys.path:
            sys.path.append(folder)
    return importlib.import_module(name)


def _import_file(path: Path) -> ModuleType:
    # At the end of the path: a neighbour called numpy.py or socket.py must not take the place of the real one.
    package, root = package_of(path)
    for folder in (str(path.parent), str(root)):
        if folder not in sys.path:
            sys.path.append(folder)
    if package:
        importlib.import_module(package)    # for its relative imports
    name = f"{package}.{path.stem}" if package else f"_model_class_{path.stem}"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return known
    return load_definitions(path, name, package)


def package_of(path: Path) -> tuple[str, Path]:
    """The dotted package that a file belongs to, by `__init__.py` files, and the folder which that package is imported from."""
    folder = path.parent
    names: list[str] = []
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names), folder


def _short(architecture: Architecture) -> str:
    return Path(architecture.where).name if architecture.is_file else architecture.where

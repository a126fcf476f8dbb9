"""Whole pickled modules: loading one runs the code it names, so only after an explicit yes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from engine.job import ModelSource
from engine.worker.errors import WorkerError
from engine.worker.loading import LoadedModel, Stopwatch
from engine.worker.loading.classes import class_file, import_file, import_module, package_of
from engine.worker.loading.explaining import explained, outdated
from engine.worker.loading.places import descend


def load(source: ModelSource, device: torch.device, watch: Stopwatch) -> LoadedModel:
    """Unpickle the module; with a class file given, its classes stand in for those of the script that saved it."""
    name = Path(source.path).name
    if not source.trusted:
        raise WorkerError("needs-trust", "needs-trust", file=name)
    definitions = None if source.architecture is None else ClassFile(source.architecture)
    with watch.reading():
        module = _unwrapped(_read(source, definitions, name))
    if isinstance(module, dict):
        raise WorkerError("load-failed", "module-is-weights", file=name, tensors=sum(isinstance(value, torch.Tensor) for value in module.values()))
    if not isinstance(module, torch.nn.Module):
        raise WorkerError("load-failed", "module-is-none", file=name, type=type(module).__name__)
    return LoadedModel(module, Path(source.path), "module", type(module).__qualname__)


def _read(source: ModelSource, definitions: ClassFile | None, name: str) -> Any:
    try:
        content = torch.load(source.path, map_location="cpu", weights_only=False, pickle_module=unpickler(definitions))
    except ClassMissing as error:
        raise WorkerError("load-failed", "module-class-missing", file=name, module=error.module, **{"class": error.name}) from error
    except Exception as error:
        if (explanation := explained(error) or outdated(error)) is not None:
            raise explanation from error
        raise
    try:
        return descend(content, source.weights_at)
    except KeyError as error:
        raise WorkerError("load-failed", "weights-not-there", file=name, place=source.weights_at) from error


def _unwrapped(module: Any) -> Any:
    """What DataParallel holds: the wrapper itself wants the GPUs that it was made with."""
    wrappers = (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)
    while isinstance(module, wrappers):
        module = module.module
    return module


class ClassMissing(Exception):
    """A class that the file needs is neither installed nor in the class file."""

    def __init__(self, module: str, name: str) -> None:
        super().__init__(f"{module}.{name}")
        self.module, self.name = module, name


class ClassFile:
    """The file (or module) that the user named as the one which defines the classes."""

    def __init__(self, architecture: str) -> None:
        self.path, parsed = class_file(architecture)
        self.module: ModuleType = import_file(self.path) if self.path is not None else import_module(parsed)

    def find(self, module: str, name: str) -> Any:
        """The class under its qualified name: out of a neighbour where the pickle names one, else of this file; None when neither has it."""
        if self.path is not None and module not in ("__main__", self.path.stem) and (beside := self._beside(module)) is not None and beside != self.path:
            return _within(import_file(beside), name)
        return _within(self.module, name)

    def _beside(self, module: str) -> Path | None:
        """`models.net` as `models/net.py` beside the class file, or in a folder above it that belongs to the same tree."""
        assert self.path is not None
        relative = Path(*module.split("."))
        for folder in (self.path.parent, *list(self.path.parents)[1:4], package_of(self.path)[1]):
            for candidate in ((folder / relative).with_suffix(".py"), folder / relative / "__init__.py"):
                if candidate.is_file():
                    return candidate
        return None


def _within(module: ModuleType, name: str) -> Any:
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def unpickler(definitions: ClassFile | None) -> ModuleType:
    """What `torch.load` takes as its `pickle_module`: finds the script's own classes in the class file, and says which class is not to be found."""

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if module == "__main__" and definitions is not None and (found := definitions.find(module, name)) is not None:
                return found
            if module == "__main__" and definitions is None:
                raise ClassMissing(module, name)    # our own process's __main__ is not the script's
            try:
                return super().find_class(module, name)
            except (ModuleNotFoundError, AttributeError) as error:
                if isinstance(error, ModuleNotFoundError) and not _leads_to(module, error.name):
                    raise   # the module is here, but needs a package that is not
                if definitions is not None and (found := definitions.find(module, name)) is not None:
                    return found
                raise ClassMissing(module, name) from error

    made = ModuleType("model_classes")
    made.__dict__.update({name: getattr(pickle, name) for name in ("Pickler", "PickleError", "UnpicklingError", "dump", "dumps", "loads")})
    load: Callable[..., Any] = lambda file, **named: Unpickler(file, **named).load()  # noqa: E731
    made.__dict__.update(Unpickler=Unpickler, load=load)
    return made


def _leads_to(module: str, missing: str | None) -> bool:
    """Whether the module that was not found is the wanted one or one of its packages."""
    return missing is None or module == missing or module.startswith(f"{missing}.")

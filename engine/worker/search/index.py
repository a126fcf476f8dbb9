"""The architectures of torchvision and timm as hashes of their keys and shapes, some at a time; nothing is downloaded."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterable
from typing import Any

from engine import messages
from engine.architecture import Architecture
from engine.search.hashes import IndexedModel, hash_keys
from engine.worker.errors import WorkerError
from engine.worker.loading.classes import import_module
from engine.worker.search.building import Builder, NotBuilt

_BUILD_S = 20.0
_OFF = {"weights": None, "weights_backbone": None, "init_weights": False}
"""What keeps a builder of torchvision from loading, and from filling weights that are never looked at."""
Maker = Callable[[], Any]


def index_library(command: messages.IndexLibraries, clock: Callable[[], float] = time.monotonic) -> messages.LibrariesIndexed:
    """Architectures from number `start` on until the time is over, at least one if there is any time; `version` is None where the library is not installed."""
    try:
        names, version, maker = _LIBRARIES[command.library]()
    except (WorkerError, KeyError):
        return messages.LibrariesIndexed(command.library, None, (), 0, 0)
    deadline = clock() + command.budget_s
    models: list[IndexedModel] = []
    place = command.start
    while place < len(names) and command.budget_s > 0 and (place == command.start or clock() < deadline):
        if (model := _indexed(*maker(names[place]))) is not None:
            models.append(model)
        place += 1
    return messages.LibrariesIndexed(command.library, version, tuple(models), place, len(names))


def _indexed(spec: str, make: Maker) -> IndexedModel | None:
    """One architecture, built without weights; None for one that cannot be built so."""
    try:
        shapes = Builder(_BUILD_S, for_real=False).shapes(make)
    except NotBuilt:
        return None
    keys, shaped = hash_keys((key, shape) for key, shape in shapes.items() if shape is not None)
    return IndexedModel(spec, keys, shaped) if keys else None


def _torchvision() -> tuple[list[str], str, Callable[[str], tuple[str, Maker]]]:
    models = import_module(Architecture("torchvision.models", "list_models"))
    library = import_module(Architecture("torchvision", "models"))

    def maker(name: str) -> tuple[str, Maker]:
        builder = models.get_model_builder(name)
        off = {key: value for key, value in _OFF.items() if key in inspect.signature(builder).parameters}
        where = "torchvision.models" if getattr(models, name, None) is builder else builder.__module__
        # `weights` is off by default; what loads a backbone unasked must be switched off in the spec too.
        shown = ", ".join(f"{key}={value}" for key, value in off.items() if key == "weights_backbone")
        return f"{where}:{builder.__name__}" + (f"({shown})" if shown else ""), lambda: builder(**off)

    return _sorted(models.list_models()), str(library.__version__), maker


def _timm() -> tuple[list[str], str, Callable[[str], tuple[str, Maker]]]:
    timm = import_module(Architecture("timm", "create_model"))
    return _sorted(timm.list_models()), str(timm.__version__), lambda name: (f"timm:create_model({name!r})", lambda: timm.create_model(name, pretrained=False))


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(set(names))


_LIBRARIES: dict[str, Callable[[], tuple[list[str], str, Callable[[str], tuple[str, Maker]]]]] = {"torchvision": _torchvision, "timm": _timm}

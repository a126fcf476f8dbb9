"""From a model file to something that can be called: one module per kind of file."""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.candidates import Fit
from engine.job import ModelSource
from engine.worker.errors import WorkerError
from engine.worker.memory import PeakWatch

LOADERS = {
    "state-dict": "weights",
    "checkpoint": "weights",
    "safetensors": "weights",
    "module": "whole",
    "torchscript": "torchscript",
    "exported-program": "exported",
    "huggingface": "huggingface",
    "onnx": "onnx",
}
Note = tuple[str, dict[str, Any]]


@dataclass
class LoadedModel:
    """A model in memory: a torch module, or a path that another runtime opens itself."""

    module: Any
    """`nn.Module` or `ScriptModule`; None for files that only their own runtime opens (ONNX)."""
    path: Path
    kind: str
    architecture: str | None = None
    fit: Fit | None = None
    """Of bare weights: how they lie in the class."""
    notes: tuple[Note, ...] = ()
    parameters: int | None = None
    weights_bytes: int | None = None
    """Both where there is no module to count in."""
    move: Callable[[torch.device], Any] | None = None
    """How the module comes to a device other than the CPU, where `module.to` is not enough."""


@dataclass(frozen=True)
class LoadTimes:
    """How the load phase went; None is what cannot be told apart or read on this system."""

    load_ns: int
    reading_ns: int | None = None
    """From the disk into memory; building the class is not part of it."""
    moving_ns: int | None = None
    """From memory to the device; None on a CPU, where nothing moves, and for TorchScript, which reads straight to the device."""
    load_peak_bytes: int | None = None
    """Most resident memory while it loaded, above what was held before."""


class Stopwatch:
    """Adds up what the parts of loading take."""

    def __init__(self) -> None:
        self.reading_ns: int | None = None
        self.moving_ns: int | None = None

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """What happens inside is reading."""
        began = time.perf_counter_ns()
        yield
        self.reading_ns = (self.reading_ns or 0) + time.perf_counter_ns() - began

    @contextlib.contextmanager
    def moving(self) -> Iterator[None]:
        """What happens inside is moving."""
        began = time.perf_counter_ns()
        yield
        self.moving_ns = (self.moving_ns or 0) + time.perf_counter_ns() - began


def load(source: ModelSource, device: torch.device) -> LoadedModel:
    """Load by kind, on the device and in evaluation mode; raises WorkerError, or whatever torch raises."""
    return load_timed(source, device)[0]


def load_timed(source: ModelSource, device: torch.device) -> tuple[LoadedModel, LoadTimes]:
    """The same, and how long reading and moving took and how much memory it took at most."""
    name = LOADERS.get(source.kind)
    if name is None:
        raise WorkerError("unsupported", "kind-not-run", kind=source.kind, file=Path(source.path).name)
    loader = importlib.import_module(f"engine.worker.loading.{name}")
    watch, peak, began = Stopwatch(), PeakWatch(), time.perf_counter_ns()
    loaded: LoadedModel = loader.load(source, device, watch)
    if loaded.module is not None:
        _move(loaded, device, watch)
        loaded.module.eval()
    return loaded, LoadTimes(time.perf_counter_ns() - began, watch.reading_ns, watch.moving_ns, peak.grown_bytes())


def _move(loaded: LoadedModel, device: torch.device, watch: Stopwatch) -> None:
    if device.type == "cpu" or loaded.kind == "torchscript":
        return
    with watch.moving():
        loaded.module = loaded.move(device) if loaded.move is not None else loaded.module.to(device)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

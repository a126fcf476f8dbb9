"""Exported programs (.pt2): a graph of operators with its weights, called like any module."""

from __future__ import annotations

import contextlib
import pickle
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from engine.files.reading import TooComplex
from engine.job import ModelSource
from engine.worker.errors import WorkerError, is_out_of_memory, last_line
from engine.worker.loading import LoadedModel, Stopwatch
from engine.worker.loading.exported_safety import what_runs_code

_NAMED = 8
_UNREADABLE = (OSError, ValueError, LookupError, EOFError, RuntimeError, OverflowError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged archive raises."""


def load(source: ModelSource, device: torch.device, watch: Stopwatch) -> LoadedModel:
    """`torch.export.load(path).module()`; what would run code needs the user's word."""
    path = Path(source.path)
    if not source.trusted:
        _check(path)
    with watch.reading():
        program = _read(path, source.trusted)
        program = _moved(program, torch.device("cpu")) if _lives_elsewhere(program) else program
    return LoadedModel(_callable(program), path, source.kind, None, move=lambda target: _callable(_moved(program, target)))


def _check(path: Path) -> None:
    try:
        found = what_runs_code(path)
    except (*_UNREADABLE, TooComplex) as error:
        raise WorkerError("load-failed", "exported-refused", file=path.name, error=last_line(error), torch=str(torch.__version__)) from error
    if found:
        raise WorkerError("needs-trust", "exported-runs-code", file=path.name, found=", ".join(f"{name} ({grade})" for name, grade in list(found.items())[:_NAMED]))


def _read(path: Path, trusted: bool) -> Any:
    try:
        with warnings.catch_warnings(), contextlib.nullcontext() if trusted else _weights_only():
            warnings.simplefilter("ignore")     # of newer and older schema versions: what cannot be read raises
            return torch.export.load(path)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise WorkerError("load-failed", "exported-refused", file=path.name, error=last_line(error), torch=str(torch.__version__)) from error


@contextlib.contextmanager
def _weights_only() -> Iterator[None]:
    """torch.export falls back to full unpickling where weights-only loading refuses, and unpickles objects among the constants: not without the user's word."""
    original, unpickle = torch.load, pickle.loads

    def careful(*given: Any, **named: Any) -> Any:
        return original(*given, **{**named, "weights_only": True})

    def refuse(*given: Any, **named: Any) -> Any:
        raise pickle.UnpicklingError("it holds Python objects")

    torch.load, pickle.loads = careful, refuse
    try:
        yield
    finally:
        torch.load, pickle.loads = original, unpickle


def _lives_elsewhere(program: Any) -> bool:
    tensors = [*program.state_dict.values(), *(value for value in program.constants.values() if isinstance(value, torch.Tensor))]
    return any(tensor.device.type not in ("cpu", "meta") for tensor in tensors)


def _moved(program: Any, device: torch.device) -> Any:
    """The program on another device, the devices that stand in its graph changed too."""
    from torch.export.passes import move_to_device_pass

    return move_to_device_pass(program, str(device))


def _callable(program: Any) -> Any:
    """The program as a module. It is what it was exported as, and has no modes: asking for one would raise."""
    module = program.module()
    module.train = module.eval = lambda mode=True: module
    return module

"""TorchScript archives (the lite interpreter's too), which bring their own code in torch's restricted language."""

from __future__ import annotations

import contextlib
import importlib
import re
import warnings
from pathlib import Path

import torch

from engine.job import ModelSource
from engine.worker.errors import WorkerError, is_out_of_memory, last_line
from engine.worker.loading import LoadedModel, Stopwatch

_UNKNOWN_OPERATOR = re.compile(r"Unknown builtin op: (?P<operator>(?P<package>\w+)::\w+)")
_OPERATORS_OF = {"torchvision": "torchvision", "torchaudio": "torchaudio", "torch_scatter": "torch_scatter", "torch_sparse": "torch_sparse"}
"""Packages whose import registers operators of their own."""


def load(source: ModelSource, device: torch.device, watch: Stopwatch) -> LoadedModel:
    """`torch.jit.load` with `map_location` set to the device, constants of the code included."""
    with watch.reading():
        module = _open(source, device)
    return LoadedModel(module, Path(source.path), "torchscript", module.original_name)


def _open(source: ModelSource, device: torch.device) -> torch.jit.ScriptModule:
    try:
        return _load(source.path, device)
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        unknown = _UNKNOWN_OPERATOR.search(str(error))
        if unknown is None:
            raise WorkerError("load-failed", "torchscript-refused", file=Path(source.path).name, error=last_line(error)) from error
        with contextlib.suppress(ImportError):
            importlib.import_module(_OPERATORS_OF.get(unknown["package"], "torchvision"))
            return _load(source.path, device)
        raise WorkerError("load-failed", "torchscript-operator", file=Path(source.path).name, operator=unknown["operator"], package=unknown["package"]) from error


def _load(path: str, device: torch.device) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)     # TorchScript is deprecated, and still what people have
        return torch.jit.load(path, map_location=device)  # type: ignore[no-untyped-call, no-any-return]

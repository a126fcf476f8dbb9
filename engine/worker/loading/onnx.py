"""ONNX files: ONNX Runtime opens them itself when the backend is prepared, so loading only counts what is in them."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from engine.files import Refused, tensor_index
from engine.job import ModelSource
from engine.worker.loading import LoadedModel, Stopwatch


def load(source: ModelSource, device: torch.device, watch: Stopwatch) -> LoadedModel:
    """No weights are read yet; the graph's own list of tensors says how many values there are."""
    path = Path(source.path)
    path.stat()
    return LoadedModel(None, path, "onnx", None, parameters=_parameters(source.path))


def _parameters(path: str) -> int | None:
    """Floating-point values in initializers and constants; None where the file cannot be read."""
    try:
        tensors = tensor_index(path)
    except Refused:
        return None
    return sum(math.prod(tensor.shape) for tensor in tensors if tensor.dtype.startswith(("float", "bfloat")))

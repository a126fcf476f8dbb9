"""TorchScript archives, which bring their own code in torch's restricted language."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.job import ModelSource
from engine.worker.loading import LoadedModel


def load(source: ModelSource, device: torch.device) -> LoadedModel:
    """`torch.jit.load` with `map_location` set to the device."""
    module = torch.jit.load(source.path, map_location=device)  # type: ignore[no-untyped-call]
    return LoadedModel(module, Path(source.path), "torchscript", module.original_name)

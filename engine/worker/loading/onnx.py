"""ONNX files: ONNX Runtime opens them itself, so loading here only checks that the file is there."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.job import ModelSource
from engine.worker.loading import LoadedModel


def load(source: ModelSource, device: torch.device) -> LoadedModel:
    """Nothing is read yet: the session is made when the backend is prepared."""
    path = Path(source.path)
    path.stat()
    return LoadedModel(None, path, "onnx", None)

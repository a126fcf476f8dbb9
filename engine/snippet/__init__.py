"""The lines of plain PyTorch (or ONNX Runtime) that do what one row of the results did."""

from __future__ import annotations

from collections.abc import Iterable

from engine.job import Configuration, InputSpec
from engine.result import ModelInfo
from engine.snippet.onnx import onnx_lines
from engine.snippet.pytorch import torch_lines


def snippet(model: ModelInfo, inputs: Iterable[InputSpec], configuration: Configuration, architecture: str | None = None) -> str:
    """A script that loads `model` and measures its median as `configuration` says; ends with a line break."""
    specs = tuple(inputs)
    make = onnx_lines if model.kind == "onnx" or configuration.backend == "onnxruntime" else torch_lines
    return "\n".join(make(model, specs, configuration, architecture)) + "\n"

"""PyTorch as it is: precision and quantization applied to the module, inputs moved to the device."""

from __future__ import annotations

import torch

from engine.job import Configuration
from engine.worker import precision as formats
from engine.worker.backends import Prepared
from engine.worker.inputs import Arguments, move
from engine.worker.loading import LoadedModel
from engine.worker.memory import weights_bytes
from engine.worker.quantization import quantize


def prepare(loaded: LoadedModel, configuration: Configuration, arguments: Arguments, device: torch.device) -> Prepared:
    """Cast, quantize and bind the inputs."""
    formats.set_matmul_precision(configuration.precision)
    module = loaded.module
    formats.cast_module(module, configuration.precision)
    module, notes = quantize(module, configuration.quantization)
    module.eval()
    positional, named = move(arguments, device, formats.input_dtype(configuration.precision))

    def call() -> object:
        return module(*positional, **named)

    return Prepared(formats.around(call, configuration.precision, device), module, weights_bytes(module), notes, (positional, named))

"""PyTorch as it is: precision and quantization applied to the module, inputs moved to the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from engine.job import Configuration
from engine.switches import are_set
from engine.worker import precision as formats
from engine.worker import switches
from engine.worker.backends import Prepared
from engine.worker.inputs import Arguments, move
from engine.worker.loading import LoadedModel
from engine.worker.memory import weights_bytes
from engine.worker.quantization import quantize


def prepare(loaded: LoadedModel, configuration: Configuration, arguments: Arguments, device: torch.device, seed: int = 0, compare: bool = False) -> Prepared:
    """Cast, quantize, bind the inputs, throw the switches; `compare` asks for a check of the answers where no switch is thrown too."""
    formats.set_matmul_precision(configuration.precision)
    module, options = loaded.module, configuration.options
    formats.cast_module(module, configuration.precision)
    module, notes = quantize(module, configuration.quantization)
    module.eval()
    given = move(arguments, device, formats.input_dtype(configuration.precision))
    plain = _bound(module, given, configuration.precision, device)
    thrown = switches.apply(module, given, options) if are_set(options) else given
    call = switches.around(_bound(module, thrown, configuration.precision, device), module, options)
    check = switches.OutputCheck(plain, call, module, options, seed) if switches.wanted(options, compare) else None
    return Prepared(call, module, weights_bytes(module), (*notes, *switches.notes(options)), thrown, check)


def _bound(module: Any, arguments: Arguments, precision: str, device: torch.device) -> Callable[[], object]:
    positional, named = arguments

    def call() -> object:
        return module(*positional, **named)

    return formats.around(call, precision, device)

"""Dynamic int8: linear and recurrent layers get int8 weights and quantize their inputs as they come."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn

from engine.worker.errors import WorkerError

SWAPPABLE: tuple[type[nn.Module], ...] = (nn.Linear, nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell, nn.RNNCell)
ENGINES = ("x86", "fbgemm", "onednn", "qnnpack")


def quantize(module: nn.Module, quantization: str) -> tuple[nn.Module, tuple[tuple[str, dict[str, Any]], ...]]:
    """The quantized module and notes that count what was swapped; raises WorkerError `not-swapped` when nothing was."""
    if quantization == "none":
        return module, ()
    if isinstance(module, torch.jit.ScriptModule):
        raise WorkerError("unsupported", "quantization-torchscript", quantization=quantization)
    choose_engine()
    before = sum(isinstance(layer, SWAPPABLE) for layer in module.modules())
    # In a container, because a bare root Linear is otherwise left as it is, without a word.
    holder = nn.Sequential(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        swapped_holder = torch.ao.quantization.quantize_dynamic(holder, set(SWAPPABLE), dtype=torch.qint8, inplace=True)
    # Subclasses, such as attention's own projection, are left as they are: they are not to be counted as swapped.
    left = sum(isinstance(layer, SWAPPABLE) for layer in swapped_holder.modules())
    swapped = before - left
    if swapped == 0:
        raise WorkerError("not-swapped", "not-swapped", quantization="Dynamic int8", layers=sum(1 for _ in module.modules()))
    result: nn.Module = swapped_holder[0]
    return result, (("swapped", {"quantization": "Dynamic int8", "swapped": swapped, "of": before, "engine": torch.backends.quantized.engine}),)


def choose_engine() -> str:
    """Select the quickest quantized engine that this build of torch has."""
    supported = torch.backends.quantized.supported_engines
    for name in ENGINES:
        if name in supported:
            torch.backends.quantized.engine = name
            return name
    raise WorkerError("unsupported", "quantization-no-engine", quantization="dynamic int8")

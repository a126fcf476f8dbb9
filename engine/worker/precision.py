"""Floating-point formats: what happens to the weights, to the inputs and around the call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

WHOLE = {"fp16": torch.float16, "bf16": torch.bfloat16}
"""Weights and inputs both become this."""
AUTOCAST = {"amp-fp16": torch.float16, "amp-bf16": torch.bfloat16}
"""Weights and inputs stay fp32; operators choose under autocast."""


def cast_module(module: Any, precision: str) -> None:
    """Turn floating-point parameters and buffers into the precision's dtype, in place; autocast leaves them alone."""
    if precision in WHOLE:
        module.to(WHOLE[precision])


def input_dtype(precision: str) -> torch.dtype | None:
    """The dtype floating-point inputs are cast to; None leaves them as they are."""
    return WHOLE.get(precision)


def around(call: Callable[[], object], precision: str, device: torch.device) -> Callable[[], object]:
    """The call, under autocast where the precision asks for it: entered anew for each call, as a user's code does."""
    if precision not in AUTOCAST:
        return call
    dtype, device_type = AUTOCAST[precision], device.type

    def under_autocast() -> object:
        with torch.autocast(device_type, dtype=dtype):
            return call()

    return under_autocast


def set_matmul_precision(precision: str) -> None:
    """fp32 means fp32: TF32 is off unless it was chosen."""
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"

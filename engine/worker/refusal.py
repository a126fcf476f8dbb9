"""Why a first call failed: the layer that refused its input, and what it wanted."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Any

import torch
from torch import nn

from engine.inputs import format_input
from engine.job import InputSpec
from engine.worker.errors import WorkerError, is_device_error, is_out_of_memory, last_line
from engine.worker.inputs import Arguments, shapes_of

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_ARGUMENT_ERRORS = ("positional argument", "keyword argument", "missing value for argument", "is missing", "Unknown keyword")


class FirstCallWatch:
    """Follows which layer is running, so that an error names it; turns refusals of the input into `input-mismatch`."""

    def __init__(self, module: Any, specs: tuple[InputSpec, ...], arguments: Arguments) -> None:
        self._module, self._specs, self._arguments = module, specs, arguments
        self._running: list[tuple[str, nn.Module, tuple[Any, ...]]] = []
        self._hooks: list[Any] = []

    def __enter__(self) -> None:
        if isinstance(self._module, nn.Module) and not isinstance(self._module, torch.jit.ScriptModule):
            for name, layer in self._module.named_modules():
                self._hooks.append(layer.register_forward_pre_hook(self._entered(name)))
                self._hooks.append(layer.register_forward_hook(self._left))

    def _entered(self, name: str) -> Any:
        def hook(layer: nn.Module, given: tuple[Any, ...]) -> None:
            self._running.append((name, layer, given))

        return hook

    def _left(self, layer: nn.Module, given: object, result: object) -> None:
        with contextlib.suppress(IndexError):
            self._running.pop()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for hook in self._hooks:
            hook.remove()
        if not isinstance(error, RuntimeError | TypeError | ValueError | IndexError):
            return
        if is_out_of_memory(error) or is_device_error(error):
            return
        self._explain(error)

    def _explain(self, error: Exception) -> None:
        given = ", ".join(format_input(spec) for spec in self._specs) or "-"
        if isinstance(error, TypeError) and any(words in str(error) for words in _ARGUMENT_ERRORS):
            raise WorkerError("input-mismatch", "input-arguments", given=given, error=last_line(error)) from error
        if self._running:
            name, layer, received = self._running[-1]
            wanted = wants(layer)
            if wanted is not None and not _suits(layer, received):
                raise WorkerError(
                    "input-mismatch", "input-mismatch", layer=name or type(layer).__name__, type=type(layer).__name__, wanted=wanted,
                    got=shapes_of(received[0]) if received else "-", given=given,
                ) from error
            raise WorkerError("forward-raised", "forward-raised-in", layer=name or type(layer).__name__, error=last_line(error), given=given) from error


def wants(layer: nn.Module) -> str | None:
    """The input that a layer wants, in shapes; None for layers that take anything."""
    if isinstance(layer, _CONVOLUTIONS):
        return f"[B, {layer.in_channels}, {', '.join('DHW'[-len(layer.kernel_size):])}]"
    if isinstance(layer, nn.Linear):
        return f"[..., {layer.in_features}]"
    if isinstance(layer, nn.modules.batchnorm._BatchNorm):
        return f"[B, {layer.num_features}, ...]"
    if isinstance(layer, nn.LayerNorm):
        return f"[..., {', '.join(str(size) for size in layer.normalized_shape)}]"
    if isinstance(layer, nn.RNNBase):
        return f"[..., {layer.input_size}]"
    if isinstance(layer, nn.Embedding):
        return f"integers from 0 to {layer.num_embeddings - 1}"
    return None


def _suits(layer: nn.Module, received: tuple[Any, ...]) -> bool:
    """Whether the tensor is what the layer wants, so that the fault lies elsewhere."""
    if not received or not isinstance(received[0], torch.Tensor):
        return False
    tensor = received[0]
    if isinstance(layer, nn.Embedding):
        return not tensor.is_floating_point() and tensor.numel() > 0 and int(tensor.min()) >= 0 and int(tensor.max()) < layer.num_embeddings
    parameter = next(layer.parameters(), None)
    if parameter is not None and tensor.dtype != parameter.dtype:
        return False
    if isinstance(layer, _CONVOLUTIONS):
        spatial = len(layer.kernel_size)
        fits = tensor.dim() == spatial + 2 and tensor.shape[1] == layer.in_channels
        return fits and all(size >= 1 for size in tensor.shape[2:]) and not _too_small(layer, tensor)
    if isinstance(layer, nn.modules.batchnorm._BatchNorm):
        return tensor.dim() >= 2 and tensor.shape[1] == layer.num_features
    if isinstance(layer, nn.LayerNorm):
        return tuple(tensor.shape[-len(layer.normalized_shape) :]) == tuple(layer.normalized_shape)
    wanted = layer.in_features if isinstance(layer, nn.Linear) else getattr(layer, "input_size", None)
    return tensor.dim() >= 1 and tensor.shape[-1] == wanted


def _too_small(layer: Any, tensor: torch.Tensor) -> bool:
    """Whether a convolution's kernel is larger than its padded input."""
    padding = layer.padding if isinstance(layer.padding, tuple) else (0,) * len(layer.kernel_size)
    return any(
        size + 2 * pad < dilation * (kernel - 1) + 1
        for size, pad, dilation, kernel in zip(tensor.shape[2:], padding, layer.dilation, layer.kernel_size, strict=False)
    )

"""Throws a configuration's switches in the worker, and finds out what they do to the answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch

from engine.result import Outputs
from engine.switches import are_set, value_of
from engine.worker.errors import WorkerError
from engine.worker.inputs import Arguments, each_tensor, tensors_in

BATCH_OF_ONE = "Expected more than 1 value per channel when training"
PICTURE_RANK = 4


def context(options: dict[str, Any]) -> AbstractContextManager[object]:
    """What a call runs in: inference_mode, no_grad, or with gradients."""
    how = value_of(options, "grad")
    if how == "inference":
        return torch.inference_mode()
    return torch.no_grad() if how == "no_grad" else torch.enable_grad()


def apply(module: Any, arguments: Arguments, options: dict[str, Any]) -> Arguments:
    """Put the module into its mode and memory format; the inputs as they go with it."""
    _throw(module, options)
    if value_of(options, "memory_format") != "channels_last":
        return arguments
    positional, named = arguments
    return [each_tensor(value, _channels_last) for value in positional], {name: each_tensor(value, _channels_last) for name, value in named.items()}


def _throw(module: Any, options: dict[str, Any]) -> None:
    module.train(value_of(options, "mode") == "train")
    if value_of(options, "memory_format") == "channels_last":
        module.to(memory_format=torch.channels_last)


def _channels_last(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == PICTURE_RANK else tensor


def around(call: Callable[[], object], module: Any, options: dict[str, Any]) -> Callable[[], object]:
    """The call as the gradients' switch makes it."""
    how = value_of(options, "grad")
    if how == "kept":
        return Keeping(call)
    return _with_backward(call, module) if how == "backward" else call


class Keeping:
    """A call whose outputs, and with them their graph, live until the next one begins."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        self._held: object = None

    def __call__(self) -> object:
        """The answer. The graph of the call before goes first: two at once would be another figure."""
        self._held = None
        self._held = self._call()
        return self._held

    def drop(self) -> None:
        """Let the graph go: between calls it is activations that wait for a backward, and no workspace of a library's."""
        self._held = None


def _with_backward(call: Callable[[], object], module: Any) -> Callable[[], object]:
    def there_and_back() -> object:
        result = call()
        sums = [tensor.float().sum() for tensor in tensors_in(result) if tensor.requires_grad and tensor.is_floating_point()]
        if not sums:
            raise WorkerError("forward-raised", "no-gradients")
        torch.stack(sums).sum().backward()      # type: ignore[no-untyped-call]
        module.zero_grad(set_to_none=True)
        return result

    return there_and_back


def notes(options: dict[str, Any]) -> tuple[tuple[str, dict[str, Any]], ...]:
    """What a call is made of, where it is more than a forward."""
    code = {"backward": "backward-included", "kept": "graph-kept"}.get(value_of(options, "grad"))
    return () if code is None else ((code, {}),)


class OutputCheck:
    """Compares answers under the switches with those of the plain module; made before the first call, which may rewrite the module."""

    def __init__(self, plain: Callable[[], object], call: Callable[[], object], module: Any, options: dict[str, Any], seed: int) -> None:
        self._plain, self._call, self._module, self._options, self._seed = plain, call, module, options, seed
        self._buffers = _buffers(module)

    def run(self) -> Outputs:
        """A plain answer, then two equal calls under the switches: against the plain one, and against one another."""
        reference = self._reference()
        _throw(self._module, self._options)
        torch.manual_seed(self._seed)
        with context(self._options):
            first = _kept_copy(self._call())
            second = _kept_copy(self._call())
        changed = any(not torch.equal(old, new) for old, new in zip(self._buffers, _buffers(self._module), strict=True))
        difference, repeated = largest_difference(reference, first), largest_difference(first, second)
        return Outputs(
            max_abs_difference=_finite(difference), non_finite_differs=difference == math.inf,
            repeat_max_abs_difference=_finite(repeated), repeat_non_finite_differs=repeated == math.inf, state_changed=changed,
        )

    def _reference(self) -> list[torch.Tensor]:
        with torch.no_grad():
            for buffer, before in zip(self._module.buffers(), self._buffers, strict=True):
                buffer.copy_(before)
        self._module.eval()
        if value_of(self._options, "memory_format") == "channels_last":
            self._module.to(memory_format=torch.contiguous_format)
        torch.manual_seed(self._seed)
        with torch.inference_mode():
            return _kept_copy(self._plain())


def wanted(options: dict[str, Any], asked: bool) -> bool:
    """Whether answers are to be compared: where a switch is thrown, and where the job asks."""
    return asked or are_set(options)


def largest_difference(one: list[torch.Tensor], other: list[torch.Tensor]) -> float | None:
    """Between tensors of the same shapes; None where those differ. Equal infinities and NaNs are no difference, others an infinite one."""
    if [tensor.shape for tensor in one] != [tensor.shape for tensor in other]:
        return None
    found = [0.0]
    for left, right in zip([tensor.double() for tensor in one], [tensor.double() for tensor in other], strict=True):
        same = (left == right) | (left.isnan() & right.isnan())
        apart = (left - right).abs().masked_fill(same, 0.0)
        found.append(float(apart.masked_fill(apart.isnan(), math.inf).max()) if left.numel() else 0.0)
    return max(found)


def _finite(difference: float | None) -> float | None:
    """A number that JSON has; there an infinite one would be the null of shapes that differ."""
    return None if difference == math.inf else difference


def _kept_copy(result: object) -> list[torch.Tensor]:
    """The answer's real numbers, on the CPU, without a graph."""
    return [tensor.detach().to("cpu", copy=True) for tensor in tensors_in(result) if not tensor.is_complex()]


def _buffers(module: Any) -> list[torch.Tensor]:
    return [buffer.detach().clone() for buffer in module.buffers()] if module is not None else []


def explained(error: BaseException, module: Any) -> WorkerError | None:
    """The sentence for a batch of one in train mode, naming the layer; None for any other error."""
    if BATCH_OF_ONE not in str(error):
        return None
    refusing = _refusing(error)
    name = next((name for name, part in module.named_modules() if part is refusing), "")
    layer = f"{name} ({type(refusing).__name__})" if name else "a batch norm" if refusing is None else type(refusing).__name__
    return WorkerError("forward-raised", "train-batch-one", layer=layer)


def _refusing(error: BaseException | None) -> Any:
    """The innermost module on the way of the error, or of the one that it came from."""
    found = None
    while error is not None and found is None:
        frame = error.__traceback__
        while frame is not None:
            owner = frame.tb_frame.f_locals.get("self")
            found = owner if isinstance(owner, torch.nn.Module) else found
            frame = frame.tb_next
        error = error.__cause__ or error.__context__
    return found

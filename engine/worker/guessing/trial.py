"""One forward with one proposal: on a copy without numbers (cheap, alters nothing), or for real."""

from __future__ import annotations

import contextlib
import copy
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from engine.job import InputSpec
from engine.worker.errors import WorkerError
from engine.worker.inputs import Arguments, each_tensor, make_arguments

Proposal = tuple[InputSpec, ...]
_FAKE_LOG = "torch._subclasses.fake_tensor"
MAX_VALUES = 2**28
"""Values in one input; a proposal beyond this is none (1 GiB in fp32)."""
_CANNOT = ("DataDependentOutputException", "DynamicOutputShapeException", "UnsupportedOperatorException", "UnsupportedFakeTensorException")
_CANNOT_WORDS = ("FakeTensor", "fake tensor", "Fake tensor", "NestedTensor", "meta tensor", "Internal error", "data pointer", "non-Tensor", "INTERNAL ASSERT")


@dataclass(frozen=True)
class Place:
    """The layer that was running when a forward failed, and what it was given."""

    name: str
    layer: nn.Module
    received: tuple[Any, ...]


@dataclass(frozen=True)
class Attempt:
    """What came of one forward."""

    proposal: Proposal
    batch: int
    error: Exception | None = None
    result: object = None
    place: Place | None = None
    unsure: bool = False
    """The copy without numbers cannot tell: this has to be tried for real."""
    calls: tuple[Place, ...] = ()
    """The layers that were called, in order, without what they were given."""

    @property
    def ran(self) -> bool:
        """The forward came to its end."""
        return self.error is None


@dataclass
class Watch:
    """Which layers are running, and which were called first; hooks live while the forward runs."""

    module: Any
    running: list[Place] = field(default_factory=list)
    called: list[Place] = field(default_factory=list)

    @contextlib.contextmanager
    def hooked(self) -> Iterator[None]:
        """Follow the module's layers."""
        hooks: list[Any] = []
        if isinstance(self.module, nn.Module) and not isinstance(self.module, torch.jit.ScriptModule):
            for name, layer in self.module.named_modules():
                with contextlib.suppress(RuntimeError):      # a scripted layer inside takes no hooks
                    hooks += [layer.register_forward_pre_hook(self._entering(name), with_kwargs=True), layer.register_forward_hook(self._left)]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _entering(self, name: str) -> Any:
        def hook(layer: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            self.running.append(Place(name, layer, given or tuple(named.values())))
            self.called.append(Place(name, layer, ()))

        return hook

    def _left(self, layer: nn.Module, given: object, result: object) -> None:
        with contextlib.suppress(IndexError):
            self.running.pop()

    def place(self) -> Place | None:
        """The innermost layer that had not returned."""
        return self.running[-1] if self.running else None


class Trials:
    """Runs proposals on a module; `fake` first, where the module can be copied without its numbers."""

    def __init__(self, module: Any, seed: int = 0) -> None:
        self.module, self._seed = module, seed
        self._mode, self._copy = _without_numbers(module)
        self._dtype = next((value.dtype for value in module.parameters() if value.is_floating_point()), torch.float32) if self._copy is not None else None

    @property
    def can_fake(self) -> bool:
        """Whether the copy without numbers could be made."""
        return self._copy is not None

    def fake(self, proposal: Proposal, batch: int) -> Attempt:
        """The forward on the copy: shapes and dtypes are checked, nothing is computed."""
        if self._copy is None or (error := _impossible(proposal, batch)) is not None:
            return Attempt(proposal, batch, error if self._copy is not None else RuntimeError("no copy"), unsure=self._copy is None)
        log = logging.getLogger(_FAKE_LOG)
        level = log.level
        log.setLevel(logging.CRITICAL + 1)
        try:
            with self._mode:
                arguments = _as(make_arguments(proposal, batch, self._seed), self._dtype)
                attempt = _run(self._copy, proposal, batch, arguments)
        except Exception as error:
            attempt = Attempt(proposal, batch, error)
        finally:
            log.setLevel(level)
        return _doubted(attempt)

    def real(self, proposal: Proposal, batch: int) -> Attempt:
        """The forward itself, in inference mode, with seeded random numbers."""
        if (error := _impossible(proposal, batch)) is not None:
            return Attempt(proposal, batch, error)
        return _run(self.module, proposal, batch, make_arguments(proposal, batch, self._seed))


def _run(module: Any, proposal: Proposal, batch: int, arguments: Arguments) -> Attempt:
    watch = Watch(module)
    positional, named = arguments
    try:
        with torch.inference_mode(), watch.hooked():
            result = module(*positional, **named)
    except Exception as error:       # whatever a model raises is the answer to the question
        return Attempt(proposal, batch, error, place=watch.place(), calls=tuple(watch.called))
    return Attempt(proposal, batch, result=result, calls=tuple(watch.called))


def _doubted(attempt: Attempt) -> Attempt:
    """A failure that comes of the missing numbers, not of the input."""
    error: BaseException | None = attempt.error
    while error is not None:
        text = str(error)
        if type(error).__name__ in _CANNOT or isinstance(error, NotImplementedError) or any(words in text for words in _CANNOT_WORDS):
            return Attempt(attempt.proposal, attempt.batch, attempt.error, place=attempt.place, unsure=True, calls=attempt.calls)
        error = error.__cause__
    return attempt


def _impossible(proposal: Proposal, batch: int) -> Exception | None:
    for spec in proposal:
        values = math.prod(batch if size == "B" else size if isinstance(size, int) else 1 for size in spec.shape)
        if values > MAX_VALUES:
            return WorkerError("input-mismatch", "input-size-unknown", input="", size=values)
    return None


def _as(arguments: Arguments, dtype: torch.dtype | None) -> Arguments:
    """Floats in the dtype of the weights: the proposal is about shapes, not about the precision of this run."""
    if dtype in (None, torch.float32):
        return arguments
    positional, named = arguments
    return [each_tensor(value, lambda tensor: _cast(tensor, dtype)) for value in positional], {
        name: each_tensor(value, lambda tensor: _cast(tensor, dtype)) for name, value in named.items()
    }


def _cast(tensor: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _without_numbers(module: Any) -> tuple[Any, Any]:
    """A mode and a copy of the module whose tensors have shapes only; (None, None) where that cannot be made."""
    if not isinstance(module, nn.Module) or any(isinstance(layer, torch.jit.ScriptModule) for layer in module.modules()):
        return None, None
    try:
        from torch._subclasses.fake_tensor import FakeTensorMode

        mode = FakeTensorMode(allow_non_fake_inputs=True)
        memo: dict[int, Any] = {}
        for layer in module.modules():
            for store in (layer._parameters, layer._buffers, vars(layer)):
                memo.update({id(value): _hollow(value, mode) for value in list(store.values()) if isinstance(value, torch.Tensor)})
        return mode, copy.deepcopy(module, memo)
    except Exception:     # an exotic module that cannot be copied is tried for real
        return None, None


def _hollow(tensor: torch.Tensor, mode: Any) -> torch.Tensor:
    with mode:
        made = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="cpu")
    return nn.Parameter(made, requires_grad=False) if isinstance(tensor, nn.Parameter) else made

"""Names and shapes of what a class builds: on the meta device where that goes, for real where it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from engine.worker.errors import WorkerError, last_line
from engine.worker.time_limit import TooLong, limited

Shapes = dict[str, tuple[int, ...] | None]
"""Of each tensor by name; None for a lazy layer that has no shape yet."""
_PLAIN = (torch.linspace, torch.arange, torch.tensor, torch.logspace)


class NotBuilt(Exception):
    """The class could not be built; the text says why, in one line."""


class _PlainOnCpu(TorchFunctionMode):
    """Numbers that constructors compute with (drop rates, positions) have values even while weights have none."""

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        given = dict(kwargs or {})
        if func in _PLAIN and given.get("device") is None:
            given["device"] = "cpu"
        return func(*args, **given)


class Builder:
    """Builds one class again and again; what was found to work is tried first the next time."""

    def __init__(self, limit_s: float = 10.0, for_real: bool = True) -> None:
        self._ways: list[Callable[[Callable[[], Any]], Any]] = [_on_meta, _on_meta_with_values, *([_for_real] if for_real else [])]
        self.limit_s = limit_s

    def shapes(self, make: Callable[[], Any]) -> Shapes:
        """The state dict's names and shapes; raises NotBuilt with the reason of the most honest way."""
        reason = ""
        for way in list(self._ways):
            try:
                with limited(self.limit_s):
                    found = _described(way(make))
            except TooLong:
                raise NotBuilt(f"not built within {self.limit_s:.0f} s") from None
            except (Exception, SystemExit) as error:
                reason = last_line(error)
                if isinstance(error, NotBuilt | MemoryError):
                    break
                continue
            # One way is enough for all later builds: a class that needs values needs them each time.
            self._ways = self._ways[self._ways.index(way) :]
            return found
        raise NotBuilt(reason)


def _on_meta(make: Callable[[], Any]) -> Any:
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        return make()


def _on_meta_with_values(make: Callable[[], Any]) -> Any:
    with torch.device("meta"), _PlainOnCpu():
        return make()


def _for_real(make: Callable[[], Any]) -> Any:
    with torch.device("cpu"):
        return make()


def _described(network: Any) -> Shapes:
    if not isinstance(network, torch.nn.Module):
        raise NotBuilt(f"a {type(network).__name__}, no nn.Module")
    return {key: _shape(value) for key, value in network.state_dict().items() if isinstance(value, torch.Tensor)}


def _shape(value: torch.Tensor) -> tuple[int, ...] | None:
    return None if torch.nn.parameter.is_lazy(value) else tuple(value.shape)


def reason_of(error: BaseException) -> str:
    """Why a class could not even be found, in one line."""
    return f"{error.say} {error.values}"[:300] if isinstance(error, WorkerError) else last_line(error)

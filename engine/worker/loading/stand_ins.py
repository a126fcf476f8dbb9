"""Objects that do nothing, in the place of the harmless values beside the weights (arguments, paths, dates, numpy arrays), so that weights-only loading takes the file.

The classes themselves are not allowed: numpy's, for one, believe every byte of the state that they are given. What stands in for them keeps its attributes,
because weights may lie below one, and its items, where it is a container; it calls nothing.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import torch

from engine.files.danger import STAND_INS


class _Inert:
    """Takes any arguments and any state, as pickle hands them over."""

    def __new__(cls, *arguments: Any) -> Any:
        return object.__new__(cls)

    def __init__(self, *arguments: Any) -> None:
        """Forget the arguments."""

    def __setstate__(self, state: Any) -> None:
        """Keep the attributes by name: a dict, or a pair of dicts where the class has slots."""
        for part in state if type(state) is tuple else (state,):
            if type(part) is dict:
                self.__dict__.update({name: value for name, value in part.items() if type(name) is str})


class _List(_Inert):
    """Becomes a list, because the opcodes that fill it fill nothing else."""

    def __new__(cls, *arguments: Any) -> Any:
        return []


class _Dict(_Inert):
    """Becomes a dict, for the same reason."""

    def __new__(cls, *arguments: Any) -> Any:
        return {}


_CONTAINERS = {"collections.deque": _List, "builtins.list": _List, "collections.defaultdict": _Dict, "builtins.dict": _Dict}


@functools.cache
def stand_ins() -> tuple[type, ...]:
    """One class for each name of `engine.files.danger.STAND_INS`; torch knows them by the names that they bear."""
    made = []
    for qualified in sorted(STAND_INS):
        module, _, name = qualified.rpartition(".")
        made.append(type(name, (_CONTAINERS.get(qualified, _Inert),), {"__module__": module, "__qualname__": name}))
    return tuple(made)


def allowed() -> contextlib.AbstractContextManager[None]:
    """Weights-only loading takes these names meanwhile. Torch before 2.4 has no such list, and refuses them by itself."""
    serialization: Any = torch.serialization
    if hasattr(serialization, "safe_globals"):
        context: contextlib.AbstractContextManager[None] = serialization.safe_globals(list(stand_ins()))
        return context
    return _added() if hasattr(serialization, "add_safe_globals") else contextlib.nullcontext()


@contextlib.contextmanager
def _added() -> Iterator[None]:
    """The same for torch 2.4, whose list can only be added to and emptied."""
    serialization: Any = torch.serialization
    before = serialization.get_safe_globals()
    serialization.add_safe_globals(list(stand_ins()))
    try:
        yield
    finally:
        serialization.clear_safe_globals()
        serialization.add_safe_globals(before)

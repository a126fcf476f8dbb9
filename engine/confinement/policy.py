"""Which model needs confining, and what its worker may still reach."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:       # the worker's end of this package knows no msgspec
    from engine.job import InputSpec, ModelSource

PROTECTIONS = ("network", "write", "read", "processes", "signals", "memory", "environment")
"""Codes of what can be promised: no network; writes only to a scratch folder; reads only Python, libraries and the files named; no other process seen or
started; none signalled or traced; memory bounded; an environment without secrets."""


@dataclasses.dataclass(frozen=True)
class Policy:
    """What one confined worker may reach; paths are absolute."""

    read: tuple[str, ...] = ()
    """Files and folders beside Python's own that may be read."""
    cuda: bool = False
    """It will use CUDA: devices stay reachable and address space is not bounded."""
    data_bytes: int | None = None
    """Bound on private memory (RLIMIT_DATA); None where there is none to be set."""


def policy_for(source: ModelSource, inputs: tuple[InputSpec, ...] = (), also: tuple[str, ...] = (), device: str = "cpu") -> Policy | None:
    """How the worker for `source` is confined; None where loading and running it runs no code but the program's and torch's.

    `also` are architecture specs whose files are read besides.
    """
    return None

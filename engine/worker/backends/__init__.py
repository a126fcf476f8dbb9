"""Backends: each module has `prepare(loaded, configuration, arguments, device) -> Prepared`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BACKENDS = {"eager": "eager", "torchscript": "eager", "onnxruntime": "onnxruntime"}
"""Backend -> module of this package. A TorchScript archive is called just as an eager module is."""


@dataclass
class Prepared:
    """A forward that is ready to be called without arguments."""

    call: Callable[[], object]
    module: Any = None
    """The torch module behind the call, if there is one."""
    weights_bytes: int | None = None
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()
    inputs: Any = None
    """The arguments as the call takes them, on the device; None where they stay on the host and each call contains their copies."""
    check: Any = None
    """An `OutputCheck`, where answers are to be compared with those of the plain module."""

    def rest(self) -> None:
        """Let go what the call keeps from one call to the next, where it keeps anything."""
        drop = getattr(self.call, "drop", None)
        if drop is not None:
            drop()

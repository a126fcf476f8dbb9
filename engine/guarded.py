"""One worker that answers questions before a job; outside of a job nobody else watches what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from engine import messages
from engine.confinement import Policy
from engine.job import ModelSource
from engine.link import Link
from engine.pump import Pump
from engine.units import format_bytes
from engine.watch import data_bytes, high_water_bytes, shortage
from engine.words import failure
from engine.workers import ConfigurationEnded, Workers

GUARD_S = 0.1
A = TypeVar("A", bound=messages.Answer)


class GuardedWorker:
    """Started at once; raises ConfigurationEnded when it cannot be."""

    def __init__(self, workers: Workers, pump: Pump, source: ModelSource, python: str, policy: Policy | None) -> None:
        self._workers, self._pump = workers, pump
        self._link = workers.start(python, policy)
        self._guard = pump.every(GUARD_S, lambda: _guard(self._link, source))

    def ask(self, command: messages.Command, kind: type[A], timeout_s: float) -> A:
        """The answer; raises ConfigurationEnded or Interrupted."""
        answer = self._workers.ask(self._link, command, timeout_s, "load")
        if not isinstance(answer, kind):
            raise ConfigurationEnded(failure("protocol-error", "protocol-error", {"error": type(answer).__name__, "phase": "load"}))
        return answer

    @property
    def data_bytes(self) -> int:
        """Private memory that it has asked for; 0 where the system does not tell."""
        return data_bytes(self._link.pid) or 0

    def end(self) -> None:
        """It is gone when this returns."""
        self._pump.cancel(self._guard)
        self._workers.end(self._link, at_once=True)


def _guard(link: Link, source: ModelSource) -> None:
    """What eats all memory is ended before the system's killer picks its own victim."""
    short = shortage()
    if short is not None:
        values = {"file": Path(source.path).name, "held": format_bytes(high_water_bytes(link.pid)), **short}
        raise ConfigurationEnded(failure("out-of-memory", "memory-ran-out", values, {"log": link.log.text()}))

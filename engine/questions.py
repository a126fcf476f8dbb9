"""Questions to a configuration's worker, and which of its answers are believed."""

from __future__ import annotations

from typing import NoReturn, TypeVar

from engine import messages
from engine.recorder import Recorder
from engine.words import failure
from engine.workers import ConfigurationEnded, Workers

A = TypeVar("A", bound=messages.Answer)


class Questions:
    """Asks the worker of a record; what breaks a rule ends the configuration."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self.phase = ""

    def _ask(self, record: Recorder, command: messages.Command, kind: type[A], first: bool = False) -> A:
        link = record.link
        assert link is not None
        timeout_s = record.job.first_timeout_s if first else record.job.timeout_s
        answer = self._workers.ask(link, command, timeout_s, self.phase)
        return self._expect(record, answer, kind)

    def _expect(self, record: Recorder, answer: messages.Answer, kind: type[A]) -> A:
        if isinstance(answer, kind):
            return answer
        assert record.link is not None
        self._workers.end(record.link, at_once=True)
        values = {"error": f"{type(answer).__name__} in place of {kind.__name__}", "phase": self.phase}
        raise ConfigurationEnded(failure("protocol-error", "protocol-error", values, {"log": record.link.log.text()}))

    def _check_block(self, record: Recorder, block: messages.BlockDone) -> None:
        """Believe no array whose length is not that of the others: a worker ran somebody's model."""
        parts = [part for part in (block.start_ns, block.latency_ns, block.device_ns, block.enqueue_ns) if part is not None]
        cuda = record.configuration.device.startswith("cuda")
        if len({len(part) for part in parts}) != 1 or not block.latency_ns or cuda in (block.device_ns is None, block.enqueue_ns is None):
            self._disbelieve(record)
        self._check_arrays(record, *parts)

    def _check_arrays(self, record: Recorder, *parts: bytes) -> None:
        if any(len(part) % 8 for part in parts):
            self._disbelieve(record)

    def _disbelieve(self, record: Recorder) -> NoReturn:
        assert record.link is not None
        self._workers.end(record.link, at_once=True)
        values = {"error": "a block whose arrays do not match", "phase": self.phase}
        raise ConfigurationEnded(failure("protocol-error", "protocol-error", values, {"log": record.link.log.text()}))

"""What an engine does with a model before anything is measured: examine it once, and rank the classes that may fit bare weights."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from engine import messages
from engine.candidates import Candidate
from engine.confinement import policy_for
from engine.events import ClassesRanked, Looking, ModelExamined
from engine.job import InputSpec, ModelSource
from engine.link import Link
from engine.pump import Pump
from engine.result import Failure, Reason
from engine.units import format_bytes
from engine.watch import high_water_bytes, shortage
from engine.words import failure, say
from engine.workers import ConfigurationEnded, Workers

LOAD_S = 600.0
SAY_EVERY_S = 1.0
GUARD_S = 0.1
A = TypeVar("A", bound=messages.Answer)


class Looker:
    """One short-lived worker for each question; it is gone when the answer is there."""

    def __init__(self, workers: Workers, pump: Pump, emit: Callable[[object], None], threads: int) -> None:
        self._workers, self._pump, self._emit, self._threads = workers, pump, emit, threads

    def examine(self, source: ModelSource, inputs: tuple[InputSpec, ...], python: str, timeout_s: float = LOAD_S) -> ModelExamined:
        """Load the model and find inputs that it runs with; every failure becomes the answer's, only Interrupted is raised."""
        try:
            command = messages.Examine(source, inputs, seed=0, threads=self._threads)
            answer = self._ask(source, inputs, command, messages.Examined, python, timeout_s, "examined")
        except ConfigurationEnded as ended:
            return ModelExamined(path=source.path, source=source, asked=inputs, inputs=inputs, failure=ended.failure)
        return _examined(source, inputs, answer)

    def rank(self, source: ModelSource, candidates: tuple[Candidate, ...], config: dict[str, Any], python: str) -> ClassesRanked:
        """Build the candidates and lay the weights beside them; imports their files, so only after the user's yes."""
        asked = tuple(each.spec for each in candidates)
        try:
            command = messages.FindClasses(source, candidates, config)
            answer = self._ask(source, (), command, messages.ClassesFound, python, LOAD_S, "searched", asked)
        except ConfigurationEnded as ended:
            return ClassesRanked(path=source.path, source=source, asked=asked, failure=ended.failure)
        return ClassesRanked(path=source.path, source=source, asked=asked, candidates=answer.candidates, notes=_reasons(answer.notes))

    def _ask(
        self, source: ModelSource, inputs: tuple[InputSpec, ...], command: messages.Command, kind: type[A], python: str, timeout_s: float, what: str,
        also: tuple[str, ...] = (),
    ) -> A:
        began = time.monotonic()
        ticks = [self._pump.every(SAY_EVERY_S, lambda: self._emit(Looking(source.path, what, time.monotonic() - began)))]
        try:
            link = self._workers.start(python, policy_for(source, inputs, also))
            ticks.append(self._pump.every(GUARD_S, lambda: _guard(link, source)))
            try:
                answer = self._workers.ask(link, command, timeout_s, "load")
            finally:
                self._workers.end(link, at_once=True)
        finally:
            for tick in ticks:
                self._pump.cancel(tick)
        if not isinstance(answer, kind):
            raise ConfigurationEnded(failure("protocol-error", "protocol-error", {"error": type(answer).__name__, "phase": "load"}))
        return answer


def _guard(link: Link, source: ModelSource) -> None:
    """Outside of a job nobody else watches the memory: what eats it all is ended before the system's killer picks its own victim."""
    short = shortage()
    if short is not None:
        values = {"file": Path(source.path).name, "held": format_bytes(high_water_bytes(link.pid)), **short}
        raise ConfigurationEnded(failure("out-of-memory", "memory-ran-out", values, {"log": link.log.text()}))


def _examined(source: ModelSource, asked: tuple[InputSpec, ...], answer: messages.Examined) -> ModelExamined:
    layers = () if answer.first_layer is None else _reasons((answer.first_layer,))
    phases = {"load": answer.load_ns / 1e6}
    phases |= {name: ns / 1e6 for name, ns in (("reading", answer.reading_ns), ("moving", answer.moving_ns)) if ns is not None}
    return ModelExamined(
        path=source.path, source=source, asked=asked, inputs=answer.inputs, outputs=answer.outputs, parameters=answer.parameters, buffers=answer.buffers,
        weights_bytes=answer.weights_bytes, architecture=answer.architecture, fit=answer.fit, phases_ms=phases, load_peak_bytes=answer.load_peak_bytes,
        first_layer=layers[0] if layers else None, least_batch=answer.least_batch, notes=_reasons(answer.notes), failure=None if answer.refused is None else _refusal(*answer.refused),
    )


def _refusal(code: str, say_code: str, values: dict[str, Any]) -> Failure:
    """A worker that ran somebody's code may send any code: what has no words is a breach of protocol."""
    try:
        return failure(code, say_code, values)
    except (KeyError, IndexError, ValueError, AttributeError, TypeError):
        return failure("protocol-error", "protocol-error", {"error": f"an unknown refusal {say_code[:80]!r}", "phase": "load"})


def _reasons(notes: tuple[tuple[str, dict[str, Any]], ...]) -> tuple[Reason, ...]:
    """Notes as sentences; one without words is left out."""
    found = []
    for code, values in notes:
        try:
            found.append(Reason(code, values, say(code, values)))
        except (KeyError, IndexError, ValueError, AttributeError, TypeError):
            continue
    return tuple(found)

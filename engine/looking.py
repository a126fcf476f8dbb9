"""What an engine does with a model before anything is measured: examine it once, and rank the classes that may fit bare weights."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from engine import messages
from engine.candidates import Candidate
from engine.confinement import policy_for
from engine.events import ClassesRanked, Looking, ModelExamined
from engine.failures import SPEECH_ERRORS, VALUE_CHARACTERS
from engine.guarded import GuardedWorker
from engine.job import InputSpec, ModelSource
from engine.pump import Pump
from engine.ranking import Ranking
from engine.result import Failure, Reason
from engine.words import failure, say
from engine.workers import ConfigurationEnded, Workers

LOAD_S = 600.0
SAY_EVERY_S = 1.0


class Looker:
    """Short-lived workers, gone when the answer is there."""

    def __init__(self, workers: Workers, pump: Pump, emit: Callable[[object], None], threads: int) -> None:
        self._workers, self._pump, self._emit, self._threads = workers, pump, emit, threads

    def examine(self, source: ModelSource, inputs: tuple[InputSpec, ...], python: str, timeout_s: float = LOAD_S) -> ModelExamined:
        """Load the model and find inputs that it runs with; every failure becomes the answer's, only Interrupted is raised."""
        try:
            command = messages.Examine(source, inputs, seed=0, threads=self._threads)
            with self._telling(source, "examined"):
                worker = GuardedWorker(self._workers, self._pump, source, python, policy_for(source, inputs))
                try:
                    answer = worker.ask(command, messages.Examined, timeout_s)
                finally:
                    worker.end()
        except ConfigurationEnded as ended:
            return ModelExamined(path=source.path, source=source, asked=inputs, inputs=inputs, failure=ended.failure)
        return _examined(source, inputs, answer)

    def rank(self, source: ModelSource, candidates: tuple[Candidate, ...], config: dict[str, Any], python: str) -> ClassesRanked:
        """Build the candidates and lay the weights beside them; imports their files, so only after the user's yes."""
        asked = tuple(each.spec for each in candidates)
        try:
            with self._telling(source, "searched"):
                policy = policy_for(source, (), asked)
                answer = Ranking(lambda: GuardedWorker(self._workers, self._pump, source, python, policy), source, config).run(candidates)
        except ConfigurationEnded as ended:
            return ClassesRanked(path=source.path, source=source, asked=asked, failure=ended.failure)
        return ClassesRanked(path=source.path, source=source, asked=asked, candidates=answer.candidates, notes=_reasons(answer.notes))

    @contextlib.contextmanager
    def _telling(self, source: ModelSource, what: str) -> Iterator[None]:
        """Say once a second that something is being done."""
        began = time.monotonic()
        tick = self._pump.every(SAY_EVERY_S, lambda: self._emit(Looking(source.path, what, time.monotonic() - began)))
        try:
            yield
        finally:
            self._pump.cancel(tick)


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
        return failure(code, say_code, _plain(values))
    except SPEECH_ERRORS:
        return failure("protocol-error", "protocol-error", {"error": f"an unknown refusal {say_code[:80]!r}", "phase": "load"})


def _reasons(notes: tuple[tuple[str, dict[str, Any]], ...]) -> tuple[Reason, ...]:
    """Notes as sentences; one without words is left out."""
    found = []
    for code, given in notes:
        values = _plain(given)
        try:
            found.append(Reason(code, values, say(code, values)))
        except SPEECH_ERRORS:
            continue
    return tuple(found)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """What cannot be written as JSON later (msgpack knows more than that) becomes text."""
    return {name: value if _is_plain(value) else str(value)[:VALUE_CHARACTERS] for name, value in values.items()}


def _is_plain(value: object) -> bool:
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True

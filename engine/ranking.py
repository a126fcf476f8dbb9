"""Candidates for bare weights, each built by itself: one that brings its worker down costs nobody else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from engine import messages
from engine.candidates import Candidate, best_first, short_spec
from engine.guarded import GuardedWorker
from engine.job import ModelSource
from engine.result import Failure
from engine.workers import ConfigurationEnded

LOAD_S = 600.0
BUDGET_S = 45.0
"""For all candidates that answer; what was lost on others is not counted."""
CANDIDATE_S = 60.0
"""For one answer: a class's packages may take long to import; the search for its arguments has a bound of its own."""
SEARCH_S = 10.0
CANDIDATES_LIMIT = 20
LEFT_BYTES_LIMIT = 512 << 20
"""What candidates may leave behind in the memory of a worker that others are to be built in."""
_LOST = {
    "killed-by-signal": "search-killed", "exited": "search-exited", "timeout": "search-hung", "memory-ran-out": "search-memory", "protocol-error": "search-garbled",
}
"""By the sentence of a failure: the note that says it of a candidate."""
Note = tuple[str, dict[str, Any]]


class Ranking:
    """One search: the worker that is open, what was found, and what there is to say of the others."""

    def __init__(self, start: Callable[[], GuardedWorker], source: ModelSource, config: dict[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._start, self._clock = start, clock
        self._weights = messages.FindClasses(source, (), config)
        """Asks for no class: the worker reads the weights' names and shapes."""
        self._worker: GuardedWorker | None = None
        self._used = False
        """Another candidate was built in the worker that is open."""
        self._data_bytes, self._spent_s = 0, 0.0
        self._found: list[Candidate] = []
        self._notes: list[Note] = []

    def run(self, candidates: tuple[Candidate, ...]) -> messages.ClassesFound:
        """Best first, with a note for each that is left out; raises Interrupted, and ConfigurationEnded where the weights cannot be read."""
        try:
            self._open()
            for candidate in candidates[:CANDIDATES_LIMIT]:
                self._consider(candidate)
        finally:
            self._close()
        return messages.ClassesFound(best_first(self._found), tuple(self._notes))

    def _consider(self, candidate: Candidate) -> None:
        left_s = BUDGET_S - self._spent_s
        if left_s <= 0:
            self._notes.append(("search-out-of-time", {"spec": short_spec(candidate.spec)}))
            return
        search = not any(each.perfect for each in self._found)
        command = msgspec.structs.replace(self._weights, candidates=(candidate,), search=search, limit_s=min(SEARCH_S, left_s))
        try:
            answer = self._built(command)
        except ConfigurationEnded as ended:
            self._notes.append(_note(candidate, ended.failure))
        else:
            self._found += answer.candidates[:1]
            self._notes += answer.notes[:1]

    def _built(self, command: messages.FindClasses) -> messages.ClassesFound:
        """Raises ConfigurationEnded. Where others were built before, one of them may be what ended the worker: then it is tried once more in a new one."""
        try:
            return self._ask(command)
        except ConfigurationEnded as ended:
            was_used = self._used
            self._close()
            if not was_used or ended.failure.code == "timeout":
                raise
        try:
            return self._ask(command)
        except ConfigurationEnded:
            self._close()
            raise

    def _ask(self, command: messages.FindClasses) -> messages.ClassesFound:
        worker = self._open()
        began = self._clock()
        answer = worker.ask(command, messages.ClassesFound, CANDIDATE_S)
        self._spent_s += self._clock() - began
        self._used = True
        if worker.data_bytes - self._data_bytes > LEFT_BYTES_LIMIT:
            self._close()
        return answer

    def _open(self) -> GuardedWorker:
        """A worker that has read the weights."""
        if self._worker is None:
            self._worker = self._start()
            self._used = False
            self._worker.ask(self._weights, messages.ClassesFound, LOAD_S)
            self._data_bytes = self._worker.data_bytes
        return self._worker

    def _close(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None


def _note(candidate: Candidate, why: Failure) -> Note:
    """Why a candidate is left out, from how its worker ended."""
    spec = {"spec": short_spec(candidate.spec)}
    if why.say in _LOST:
        return _LOST[why.say], spec | why.values
    return "search-not-built", spec | {"error": str(why.values.get("error") or why.summary)}

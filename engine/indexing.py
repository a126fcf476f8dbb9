"""Filling the libraries' index: one worker builds architectures some at a time, and what is done is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine import messages
from engine.events import LibraryIndexed
from engine.result import Failure
from engine.search import index_file
from engine.search.hashes import LIBRARIES
from engine.search.index_file import LibraryIndex
from engine.storage import StorageError
from engine.words import failure
from engine.workers import ConfigurationEnded, Workers

BATCH_S = 600.0
"""One architecture may take long; the worker answers after about BUDGET_S otherwise."""
BUDGET_S, SINGLE_S = 8.0, 1e-6
_CRASHES_LIMIT = 20


class Indexer:
    """Indexes the libraries of one interpreter; a library whose version is indexed already costs one question."""

    def __init__(self, workers: Workers, emit: Callable[[object], None], python: str) -> None:
        self._workers, self._emit, self._python = workers, emit, python

    def run(self) -> None:
        """All libraries, one after another; raises Interrupted, after keeping what is done."""
        for library in LIBRARIES:
            self._emit(self._index(library))

    def _index(self, library: str) -> LibraryIndexed:
        """The library's last word; on the way one for every batch."""
        index: LibraryIndex | None = None
        try:
            index = begun = self._begun(library)
            if begun is None:
                return LibraryIndexed(library=library, version=None)
            for index in self._batches(begun):
                self._emit(_told(index))
        except ConfigurationEnded as ended:
            return LibraryIndexed(library=library, version=index.version if index is not None else None, failure=ended.failure)
        finally:
            kept = _keep(index)
        assert index is not None
        return _told(index, kept)

    def _begun(self, library: str) -> LibraryIndex | None:
        """What an earlier program kept of the same version, or an empty index; None where the library is not installed."""
        answer = self._ask(library, 0, 0.0)
        if answer.version is None:
            return None
        kept = index_file.read(index_file.index_path(library, answer.version))
        return kept if kept is not None and kept.total == answer.total else LibraryIndex(library=library, version=answer.version, total=answer.total)

    def _batches(self, index: LibraryIndex) -> Iterator[LibraryIndex]:
        """The index after every batch. One that brings the worker down is found by building singly, and passed over."""
        singly, crashes = False, 0
        while not index.complete:
            try:
                answer = self._ask(index.library, index.done, SINGLE_S if singly else BUDGET_S)
            except ConfigurationEnded:
                crashes += singly
                if crashes > _CRASHES_LIMIT:
                    raise
                index = index.with_models((), index.done + singly, index.total)
                singly = not singly
                yield index
                continue
            # What killed a batch is among the next few: each is built for itself until it is found.
            singly = singly and answer.next < index.total
            index = index.with_models(answer.models, answer.next, index.total)
            yield index

    def _ask(self, library: str, start: int, budget_s: float) -> messages.LibrariesIndexed:
        link = self._workers.start(self._python)
        try:
            answer = self._workers.ask(link, messages.IndexLibraries(library, start, budget_s), BATCH_S, "load")
        finally:
            self._workers.end(link, at_once=True)
        if not isinstance(answer, messages.LibrariesIndexed) or (budget_s > 0 and answer.next <= start):
            raise ConfigurationEnded(failure("protocol-error", "protocol-error", {"error": type(answer).__name__, "phase": "load"}))
        return answer


def _told(index: LibraryIndex, why: Failure | None = None) -> LibraryIndexed:
    return LibraryIndexed(library=index.library, version=index.version, done=index.done, total=index.total, failure=why)


def _keep(index: LibraryIndex | None) -> Failure | None:
    """Write what there is, whole or half; why it could not be written."""
    if index is None or not index.done:
        return None
    try:
        index_file.write(index)
    except StorageError as error:
        return error.failure
    return None

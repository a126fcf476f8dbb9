"""Filling the libraries' index: one worker builds architectures some at a time, and what is done is kept."""

from __future__ import annotations

from collections.abc import Callable

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
"""One architecture may take long; the worker answers after about two seconds otherwise."""
_CRASHES_LIMIT = 5


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
        start, crashes = 0, 0
        why: Failure | None = None
        try:
            while index is None or not index.complete:
                try:
                    answer = self._ask(library, start)
                except ConfigurationEnded as ended:
                    why, crashes, start = ended.failure, crashes + 1, start + 1
                    if index is None or crashes > _CRASHES_LIMIT:
                        return _told(library, index, why)
                    index = index.with_models((), start, index.total)     # the one that brought the worker down is passed over
                    continue
                if answer.version is None:
                    return LibraryIndexed(library=library, version=None)
                index = self._taken(index, answer, start)
                start = index.done
                self._emit(_told(library, index))
        finally:
            kept = _keep(index)
        return _told(library, index, kept)

    def _ask(self, library: str, start: int) -> messages.LibrariesIndexed:
        link = self._workers.start(self._python)
        try:
            answer = self._workers.ask(link, messages.IndexLibraries(library, start), BATCH_S, "load")
        finally:
            self._workers.end(link, at_once=True)
        if not isinstance(answer, messages.LibrariesIndexed) or not (start < answer.next or answer.next >= answer.total):
            raise ConfigurationEnded(failure("protocol-error", "protocol-error", {"error": type(answer).__name__, "phase": "load"}))
        return answer

    def _taken(self, index: LibraryIndex | None, answer: messages.LibrariesIndexed, start: int) -> LibraryIndex:
        """The index with this batch; the first batch goes on from what an earlier program kept of the same version."""
        assert answer.version is not None
        if index is None and start == 0:
            kept = index_file.read(index_file.index_path(answer.library, answer.version))
            if kept is not None and kept.total == answer.total and kept.done >= answer.next:
                return kept
        index = index or LibraryIndex(library=answer.library, version=answer.version)
        return index.with_models(answer.models, answer.next, answer.total)


def _told(library: str, index: LibraryIndex | None, why: Failure | None = None) -> LibraryIndexed:
    if index is None:
        return LibraryIndexed(library=library, version=None, failure=why)
    return LibraryIndexed(library=library, version=index.version, done=index.done, total=index.total, failure=why)


def _keep(index: LibraryIndex | None) -> Failure | None:
    """Write what there is, whole or half; why it could not be written."""
    if index is None:
        return None
    try:
        index_file.write(index)
    except StorageError as error:
        return error.failure
    return None

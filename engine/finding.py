"""Finds the largest batch of a configuration by trying: each probe loads, prepares and calls the model in a worker of its own, held to a limit of memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from engine import memory_limit
from engine.devices import gpu_index
from engine.events import BatchTried
from engine.largest import Asked, Search, parse_max
from engine.monitor import Monitor
from engine.recorder import Recorder
from engine.result import Failure, Largest, Probe
from engine.units import format_bytes
from engine.visits import Visitor
from engine.workers import ConfigurationEnded, Workers

CALLS, CALLS_S = 10, 1.0
"""After the first one, which may hold less: libraries choose other algorithms, and the allocator has its cache, from the second call on. At most."""
Act = Callable[[Recorder, Callable[[], None]], None]


class Room(msgspec.Struct, frozen=True):
    """What a search may fill."""

    limit_bytes: int | None
    """A peak above it does not fit; None: whatever the device gives."""
    free_bytes: int | None
    """Foretold peaks are compared with this."""
    is_safe_default: bool = False
    """Nobody set the limit: it is a part of what was free."""


class Finder:
    """The searches of one job."""

    def __init__(self, visitor: Visitor, workers: Workers, monitor: Monitor, emit: Callable[[object], None]) -> None:
        self._visitor, self._workers, self._monitor, self._emit = visitor, workers, monitor, emit
        self._searches: dict[int, tuple[Search, Room, Asked]] = {}

    def is_due(self, record: Recorder) -> bool:
        """Whether its batch is still to be found."""
        return record.largest is None and record.visits == 0 and asked_of(record) is not None

    def may_lower(self, record: Recorder) -> bool:
        """A batch that was seen to fit ran out of memory in its first visit: whether a smaller one is left to be measured in its place."""
        found = self._searches.get(record.index)
        if found is None or record.largest is None or record.visits > 0:
            return False
        found[0].reject(record.configuration.batch_size)
        if found[0].largest is None:
            return False
        record.begin_again()
        record.notes = [note for note in record.notes if not note.code.startswith("largest-")]
        return True

    def settle(self, record: Recorder, act: Act) -> None:
        """Find the batch and put it into the record; raises ConfigurationEnded where not even the least fits, Interrupted on stop."""
        asked = asked_of(record)
        assert asked is not None
        if record.index not in self._searches:
            room = self._room(record, asked)
            self._searches[record.index] = (Search(record.configuration.batch_size, room.free_bytes), room, asked)
        search, room, _ = self._searches[record.index]
        failed: Failure | None = None
        while (batch := search.next_batch()) is not None:
            self._emit(BatchTried(index=record.index, batch_size=batch, number=len(search.probes) + 1))
            probe, why = self._probe(record, batch, room, act)
            failed = why or failed
            search.tell(probe)
            self._emit(BatchTried(index=record.index, batch_size=batch, number=len(search.probes), probe=probe))
        self._take(record, search, room, asked, failed)

    def _take(self, record: Recorder, search: Search, room: Room, asked: Asked, failed: Failure | None) -> None:
        found = search.result(asked.share_percent)
        if found is None:
            assert failed is not None
            raise ConfigurationEnded(failed)
        record.largest = msgspec.structs.replace(found, limit_bytes=room.limit_bytes)
        record.configuration = msgspec.structs.replace(record.configuration, batch_size=found.batch_size)
        record.limit_bytes = room.limit_bytes if record.configuration.device == "cpu" else None
        for code, values in remarks(record.largest, room.is_safe_default):
            record.note(code, values)

    def _probe(self, record: Recorder, batch: int, room: Room, act: Act) -> tuple[Probe, Failure | None]:
        """What came of one batch, and why it does not run where it does not."""
        trial = self._trial(record, batch, room)
        held: list[int | None] = []
        try:
            act(trial, lambda: held.append(self._visitor.try_out(trial, CALLS, CALLS_S)))
        except ConfigurationEnded as ended:
            code = "" if ended.failure.code == "out-of-memory" or _died_of_memory(ended.failure, trial) else ended.failure.code
            return Probe(batch_size=batch, fits=False, code=code), ended.failure
        finally:
            link, trial.link = trial.link, None
            self._visitor.current = record
            if link is not None:
                self._workers.end(link, at_once=True)
        peak = held[0]
        if room.limit_bytes is not None and peak is not None and peak > room.limit_bytes:
            return Probe(batch_size=batch, fits=False, peak_bytes=peak), _above(record, batch, peak, room.limit_bytes)
        return Probe(batch_size=batch, fits=True, peak_bytes=peak), None

    def _trial(self, record: Recorder, batch: int, room: Room) -> Recorder:
        """A record of its own, so that nothing of a probe stands among the figures."""
        configuration = msgspec.structs.replace(record.configuration, batch_size=batch)
        trial = Recorder(record.index, record.job, configuration, record.info, None)
        trial.limit_bytes = room.limit_bytes if configuration.device == "cpu" else None
        return trial

    def _room(self, record: Recorder, asked: Asked) -> Room:
        device, share = record.configuration.device, (asked.share_percent or 100.0) / 100.0
        if device == "cpu":
            return cpu_room(record.job.memory_limit_bytes, asked.share_percent)
        gpu = self._monitor.gpus.get(gpu_index(device) or 0)
        total, used = (gpu.total_bytes(), gpu.memory_bytes()) if gpu is not None else (None, None)
        limit = None if asked.share_percent is None or total is None else int(share * total)
        free = None if total is None or used is None else total - used
        return Room(limit, min(filter(None, (limit, free)), default=None))


def asked_of(record: Recorder) -> Asked | None:
    """`max` or a share of it, where the configuration's batch is to be found."""
    text = record.configuration.options.get("batch")
    return parse_max(text) if isinstance(text, str) else None


def cpu_room(limit_bytes: int | None, share_percent: float | None, available: int | None = None, total: int | None = None) -> Room:
    """On the CPU: the user's limit, or a part of what is free now; a share is of the user's limit, or else of the machine's memory."""
    safe = memory_limit.safe_limit_bytes(available, total)
    whole = limit_bytes if limit_bytes is not None else (memory_limit.total_bytes() if total is None else total)
    wanted = whole if share_percent is None else int(whole * share_percent / 100.0)
    limit = min(wanted, safe)
    return Room(limit, limit, is_safe_default=limit < wanted)


def remarks(found: Largest, is_safe_default: bool = False) -> list[tuple[str, dict[str, Any]]]:
    """Codes and values of the sentences (engine.words) about a search."""
    tried = [probe for probe in found.probes if probe.foretold_bytes is None]
    values: dict[str, Any] = {"batch": found.batch_size, "count": len(tried), "limit": format_bytes(found.limit_bytes), "next": found.fails_at}
    code = "largest-open" if found.fails_at is None else "largest-found" if found.limit_bytes is None else "largest-found-within"
    said = [(code, values)]
    said += [
        ("largest-foretold", {"batch": probe.batch_size, "needs": format_bytes(probe.foretold_bytes)}) for probe in found.probes if probe.foretold_bytes is not None
    ]
    said += [("largest-other-reason", {"batch": probe.batch_size, "code": probe.code}) for probe in tried if probe.code and probe.batch_size == found.fails_at]
    if is_safe_default:
        said.append(("largest-safe-limit", {"limit": format_bytes(found.limit_bytes)}))
    return said


def _died_of_memory(why: Failure, trial: Recorder) -> bool:
    """A worker held to a limit that died without an answer, having said that it got no memory."""
    from engine.out_of_memory import died_of_memory

    return trial.limit_bytes is not None and died_of_memory(why)


def _above(record: Recorder, batch: int, peak: int, limit: int) -> Failure:
    from engine.words import failure

    values = {"batch_size": batch, "device": record.configuration.device, "held": format_bytes(peak), "limit": format_bytes(limit)}
    return failure("out-of-memory", "out-of-memory-above", values)

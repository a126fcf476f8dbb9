"""Samples: the buffer they grow in, their reduction for drawing and saving, and how they stand in JSON."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from engine.result import EncodedSamples
from engine.statistics import Int64s
from engine.words import say

WARM_UP, STEADY = 0, 1
JSON_SAMPLES_MAX = 200_000
"""Above it the JSON holds a reduction."""
COUNT_MAX = 4_000_000
"""More than any file of ours holds; what declares more is refused before a byte is unpacked."""
COLUMNS: dict[str, npt.DTypeLike] = {"start_ns": np.int64, "latency_ns": np.int64, "phase": np.uint8, "visit": np.int32}
OPTIONAL: dict[str, npt.DTypeLike] = {"device_ns": np.int64, "enqueue_ns": np.int64}


class SampleArrays(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Equally long columns, one row a sample, in the order they were taken."""

    start_ns: Int64s
    latency_ns: Int64s
    phase: npt.NDArray[np.uint8]
    visit: npt.NDArray[np.int32]
    device_ns: Int64s | None = None
    enqueue_ns: Int64s | None = None

    def __len__(self) -> int:
        return len(self.latency_ns)

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The columns that exist, by name."""
        return {name: column for name in (*COLUMNS, *OPTIONAL) if (column := getattr(self, name)) is not None}

    def take(self, rows: npt.NDArray[Any] | slice) -> SampleArrays:
        """The rows chosen by index, mask or slice."""
        return SampleArrays(**{name: column[rows] for name, column in self.columns().items()})

    def steady(self) -> SampleArrays:
        """The rows that enter figures."""
        return self.take(self.phase == STEADY)


class SampleBuffer:
    """Growing columns of samples; room doubles, so that adding costs the same however many there are."""

    def __init__(self, *, capacity: int = 1024) -> None:
        self._count = 0
        self._capacity = max(1, capacity)
        self._columns: dict[str, npt.NDArray[Any]] | None = None
        self._steady_ranges: list[tuple[int, int]] = []
        self._steady: SampleArrays | None = None

    def __len__(self) -> int:
        return self._count

    def extend(
        self,
        start_ns: npt.NDArray[Any],
        latency_ns: npt.NDArray[Any],
        *,
        phase: int | npt.NDArray[Any],
        visit: int | npt.NDArray[Any],
        device_ns: npt.NDArray[Any] | None = None,
        enqueue_ns: npt.NDArray[Any] | None = None,
    ) -> None:
        """Append rows; phase and visit may be one number for all. The first call decides whether the optional columns exist."""
        given: dict[str, Any] = {"start_ns": start_ns, "latency_ns": latency_ns, "phase": phase, "visit": visit}
        given |= {name: values for name, values in (("device_ns", device_ns), ("enqueue_ns", enqueue_ns)) if values is not None}
        added = len(latency_ns)
        for name, values in given.items():
            if np.ndim(values) == 1 and len(values) != added:
                raise ValueError(f"{name} has {len(values)} values, latency_ns has {added}")
        columns = self._room(given, added)
        if columns.keys() != given.keys():
            raise ValueError(f"columns {sorted(given)} do not match {sorted(columns)} of the samples before")
        for name, values in given.items():
            columns[name][self._count : self._count + added] = values
        self._note_steady(phase, added)
        self._count += added

    def _note_steady(self, phase: int | npt.NDArray[Any], added: int) -> None:
        """Remember where steady rows lie, so that asking for them never looks at all rows again."""
        steady = np.concatenate(([0], np.broadcast_to(np.asarray(phase) == STEADY, added), [0])).astype(np.int8)
        edges = np.flatnonzero(np.diff(steady)) + self._count
        for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if self._steady_ranges and self._steady_ranges[-1][1] == first:
                self._steady_ranges[-1] = (self._steady_ranges[-1][0], last)
            else:
                self._steady_ranges.append((first, last))
        self._steady = None

    def _room(self, given: dict[str, Any], added: int) -> dict[str, npt.NDArray[Any]]:
        """The columns, with room for `added` more rows."""
        if self._columns is None:
            self._columns = {name: np.empty(self._capacity, dtype) for name, dtype in (COLUMNS | OPTIONAL).items() if name in given}
        while self._count + added > self._capacity:
            self._capacity *= 2
        for name, column in self._columns.items():
            if len(column) < self._capacity:
                grown = np.empty(self._capacity, column.dtype)
                grown[: self._count] = column[: self._count]
                self._columns[name] = grown
        return self._columns

    def arrays(self) -> SampleArrays:
        """All rows, as read-only views that later rows do not change."""
        columns = self._columns or {name: np.empty(0, dtype) for name, dtype in COLUMNS.items()}
        views = {name: column[: self._count] for name, column in columns.items()}
        for view in views.values():
            view.flags.writeable = False
        return SampleArrays(**views)

    def steady(self) -> SampleArrays:
        """The rows that enter figures; made once for as long as no row is added."""
        if self._steady is None:
            arrays = self.arrays()
            columns = {name: [column[first:last] for first, last in self._steady_ranges] for name, column in arrays.columns().items()}
            parts = {name: found[0] if len(found) == 1 else np.concatenate([arrays.columns()[name][:0], *found]) for name, found in columns.items()}
            self._steady = SampleArrays(**parts)
        return self._steady

    @property
    def steady_count(self) -> int:
        """How many rows enter figures, without gathering them."""
        return sum(last - first for first, last in self._steady_ranges)

    def recent_latency_ns(self, count: int) -> Int64s:
        """Latencies of the newest steady rows of one stretch, at most `count`, without gathering all; for estimates."""
        if self._columns is None or not self._steady_ranges:
            return np.empty(0, np.int64)
        first, last = self._steady_ranges[-1]
        return self._columns["latency_ns"][max(first, last - count) : last].copy()


def reduce_samples(arrays: SampleArrays, limit: int = JSON_SAMPLES_MAX) -> SampleArrays:
    """At most `limit` rows that look the same when drawn: smallest and largest of each bucket, and both ends of each visit and phase, in order.

    Where visits and phases change more often than half the limit, only the buckets and both ends of all are kept.
    """
    if limit < 4:
        raise ValueError(f"a reduction needs room for 4 samples; the limit is {limit}")
    count = len(arrays)
    if count <= limit:
        return arrays
    changes = np.flatnonzero((np.diff(arrays.visit) != 0) | (np.diff(arrays.phase.astype(np.int16)) != 0))
    if 2 * len(changes) + 2 > limit // 2:
        changes = changes[:0]
    ends = np.concatenate(([0, count - 1], changes, changes + 1))
    size = -(-count // max(1, (limit - len(ends)) // 2))
    return arrays.take(_distinct(np.concatenate((ends, _bucket_extremes(arrays.latency_ns, size)))))


def _distinct(rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Each row once, in order; numpy's own unique holds the interpreter for its whole length."""
    ordered = np.sort(rows)
    return ordered[np.flatnonzero(np.diff(ordered, prepend=-1))]


def _bucket_extremes(values: npt.NDArray[Any], size: int) -> npt.NDArray[np.intp]:
    """Indices of the smallest and the largest value of each bucket of `size`, the last one shorter."""
    full = len(values) // size
    buckets = values[: full * size].reshape(full, size)
    offsets = np.arange(full) * size
    found = [offsets + buckets.argmin(axis=1), offsets + buckets.argmax(axis=1)]
    tail = values[full * size :]
    if len(tail):
        found.append(np.array([full * size + int(tail.argmin()), full * size + int(tail.argmax())]))
    return np.concatenate(found)


class SamplesError(Exception):
    """Samples in a file that cannot be read; `code` and `values` give the sentence."""

    def __init__(self, column: str) -> None:
        self.code, self.values = "samples-broken", {"column": column}
        self.sentence = say(self.code, self.values)
        super().__init__(self.sentence)


def encode(arrays: SampleArrays, reduced_from: int | None = None) -> EncodedSamples:
    """The columns as they stand in JSON; each step frees the interpreter or takes about 1 ms for 200,000 rows."""
    texts = {name: _encode_column(column) for name, column in arrays.columns().items()}
    return EncodedSamples(count=len(arrays), reduced_from=reduced_from, **texts)


def encode_for_run(arrays: SampleArrays, limit: int = JSON_SAMPLES_MAX) -> EncodedSamples:
    """The samples for a run's JSON: reduced above `limit`, and saying so."""
    reduced = reduce_samples(arrays, limit)
    return encode(reduced, reduced_from=len(arrays) if len(reduced) < len(arrays) else None)


def decode(encoded: EncodedSamples) -> SampleArrays:
    """The columns again; raises SamplesError for anything that is not what `encode` wrote."""
    if encoded.encoding != EncodedSamples().encoding:
        raise SamplesError("encoding")
    if not 0 <= encoded.count <= COUNT_MAX or (encoded.reduced_from is not None and encoded.reduced_from < encoded.count):
        raise SamplesError("count")
    columns = {name: _decode_column(name, getattr(encoded, name), encoded.count).astype(dtype, copy=False) for name, dtype in COLUMNS.items()}
    for name in OPTIONAL:
        if getattr(encoded, name) is not None:
            columns[name] = _decode_column(name, getattr(encoded, name), encoded.count)
    return SampleArrays(**columns)


def _encode_column(column: npt.NDArray[Any]) -> str:
    raw = np.ascontiguousarray(column, dtype="<i8").data
    return base64.b64encode(zlib.compress(raw, 1)).decode("ascii")


def _decode_column(name: str, text: str, count: int) -> Int64s:
    """One column of exactly `count` numbers; never unpacks more than that, whatever the file holds."""
    expected = count * 8
    try:
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(base64.b64decode(text, validate=True), expected + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise SamplesError(name) from error
    if len(raw) != expected or not unpacker.eof or unpacker.unused_data:
        raise SamplesError(name)
    column = np.frombuffer(raw, dtype="<i8").astype(np.int64, copy=False)
    _check_range(name, column)
    return column


def _check_range(name: str, column: Int64s) -> None:
    """Refuse numbers that a narrower column would wrap around."""
    if name in ("phase", "visit") and len(column):
        limits = np.iinfo(COLUMNS[name])
        if int(column.min()) < limits.min or int(column.max()) > limits.max:
            raise SamplesError(name)

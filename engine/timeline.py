"""Readings over time, in bounded memory: what is drawn below the latencies and saved with the outcome."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.result import Track
from engine.statistics import Floats, Int64s

TIMELINE_POINTS_MAX = 4096
"""Points of one line: twice the pixels of a wide screen."""
UNITS = (("_bytes", "B"), ("_percent", "%"), ("_watts", "W"), ("_mhz", "MHz"), ("_c", "°C"))


def unit_of(name: str) -> str:
    """The unit that the end of a reading's name stands for; empty for counts and bits."""
    return next((unit for ending, unit in UNITS if name.endswith(ending)), "")


class TimelineBuffer:
    """One line, append-only: full resolution until `limit` points, then the smallest and the largest of each stretch of time, so that peaks stay."""

    def __init__(self, limit: int = TIMELINE_POINTS_MAX) -> None:
        if limit < 8:
            raise ValueError(f"a timeline needs room for 8 points; the limit is {limit}")
        self._limit = limit - limit % 4
        self._t_ns, self._values = np.empty(64, np.int64), np.empty(64, np.float64)
        self._count = 0
        self._bucket = 1
        self._pending: list[tuple[int, float]] = []
        self._newest: tuple[int, float] | None = None

    def __len__(self) -> int:
        return len(self.arrays()[0])

    def append(self, t_ns: int, value: float) -> None:
        """Add the newest reading."""
        self._newest = (t_ns, value)
        self._pending.append(self._newest)
        if len(self._pending) < self._bucket:
            return
        if self._bucket == 1:
            self._push(*self._pending[0])
        else:
            smallest = min(self._pending, key=lambda point: point[1])
            largest = max(reversed(self._pending), key=lambda point: point[1])
            for point in sorted((smallest, largest)):
                self._push(*point)
        self._pending.clear()
        if self._count >= self._limit:
            self._compact()

    def _push(self, t_ns: int, value: float) -> None:
        if self._count == len(self._t_ns):
            self._t_ns, self._values = np.resize(self._t_ns, self._count * 2), np.resize(self._values, self._count * 2)
        self._t_ns[self._count], self._values[self._count] = t_ns, value
        self._count += 1

    def _compact(self) -> None:
        """Halve the points: of each four in a row keep the first smallest and the last largest, in order."""
        t_ns, values = self._t_ns[: self._count].reshape(-1, 4), self._values[: self._count].reshape(-1, 4)
        chosen = np.sort(np.stack([values.argmin(axis=1), 3 - values[:, ::-1].argmax(axis=1)], axis=1), axis=1)
        self._count //= 2
        kept_t, kept_values = np.take_along_axis(t_ns, chosen, axis=1).ravel(), np.take_along_axis(values, chosen, axis=1).ravel()
        self._t_ns[: self._count], self._values[: self._count] = kept_t, kept_values
        self._bucket = 4 if self._bucket == 1 else self._bucket * 2

    def arrays(self) -> tuple[Int64s, Floats]:
        """Times and values, copied; the newest reading is always the last point."""
        tail = set() if self._newest is None or self._ends_with(self._newest) else {self._newest}
        if self._pending:
            tail |= {min(self._pending, key=lambda point: point[1]), max(self._pending, key=lambda point: point[1])}
        points = sorted(tail)
        t_ns = np.concatenate((self._t_ns[: self._count], np.array([t for t, _ in points], np.int64)))
        return t_ns, np.concatenate((self._values[: self._count], np.array([value for _, value in points], np.float64)))

    def _ends_with(self, point: tuple[int, float]) -> bool:
        return self._count > 0 and not self._pending and int(self._t_ns[self._count - 1]) == point[0]


class Timeline:
    """All lines of one configuration, by the names of their readings."""

    def __init__(self, limit: int = TIMELINE_POINTS_MAX) -> None:
        self._limit = limit
        self._lines: dict[str, TimelineBuffer] = {}

    def add(self, t_ns: int, values: Mapping[str, float]) -> None:
        """Add the readings of one moment; a name that is absent has no point there."""
        for name, value in values.items():
            if name not in self._lines:
                self._lines[name] = TimelineBuffer(self._limit)
            self._lines[name].append(t_ns, value)

    def line(self, name: str) -> tuple[Int64s, Floats]:
        """One line's times and values; empty where there was no such reading."""
        return self._lines[name].arrays() if name in self._lines else (np.empty(0, np.int64), np.empty(0, np.float64))

    def tracks(self) -> tuple[Track, ...]:
        """The lines as they stand in an outcome."""
        tracks = []
        for name in sorted(self._lines):
            t_ns, values = self._lines[name].arrays()
            tracks.append(Track(name=name, unit=unit_of(name), t_ns=t_ns.tolist(), values=values.tolist()))
        return tuple(tracks)

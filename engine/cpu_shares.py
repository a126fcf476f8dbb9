"""Shares of the CPU over the last half second: the machine's, the worker's, and what other programs took."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Protocol

CPU_S = 0.5
"""CPU time is counted in ticks of 10 ms: over 0.1 s a share would be off by 10 %."""
Reading = tuple[float, float, float, float]
"""When, and CPU seconds: busy, all, this program's."""


class CpuReader(Protocol):
    """What is asked of the operating system."""

    def cpu_seconds(self, pid: int) -> float | None:
        """CPU time that a process has used; None where it is gone."""

    def machine_seconds(self) -> tuple[float, float]:
        """Busy and all CPU time of the machine, summed over its logical cores."""


class CpuShares:
    """Windows of half a second that go on whichever worker is looked at: workers that take turns every 0.1 s (a comparison) would else never be read.

    Every worker's process that was ever looked at counts as ours while it lives, resting ones too. One that ended took its count along: the window in
    which it did so says nothing of other programs.
    """

    def __init__(self, reader: CpuReader) -> None:
        self._reader = reader
        self._before: Reading | None = None
        self._ours: dict[int, float] = {}
        """CPU seconds of our workers' processes when they were last read."""
        self._late: set[int] = set()
        """Those that came within this window."""
        self._machine: dict[str, float] = {}
        self._each: dict[int, float] = {}
        """Per cent of a core that each of our processes took in the last whole window."""

    def read(self, now: float, own: Collection[int]) -> dict[str, float]:
        """The shares at this moment for the worker with these processes; absent until a window has passed."""
        self._meet(own)
        if self._before is None or now - self._before[0] >= CPU_S:
            self._renew(now)
        known = [self._each[pid] for pid in own if pid in self._each]
        return {**self._machine, "worker_cpu_percent": sum(known)} if known else dict(self._machine)

    def _meet(self, own: Collection[int]) -> None:
        for pid in own:
            if pid not in self._ours and (seconds := self._reader.cpu_seconds(pid)) is not None:
                self._ours[pid] = seconds
                self._late.add(pid)

    def _renew(self, now: float) -> None:
        """A window is over, and the next one begins."""
        busy, total = self._reader.machine_seconds()
        before, after = self._before, (now, busy, total, self._reader.cpu_seconds(os.getpid()) or 0.0)
        read = {pid: self._reader.cpu_seconds(pid) for pid in self._ours}
        # A count that fell is another process's, which was given the number of one that ended.
        took = {pid: seconds - self._ours[pid] for pid, seconds in read.items() if seconds is not None and seconds >= self._ours[pid]}
        lost, late = len(took) < len(read), self._late
        self._before, self._ours, self._late = after, {pid: seconds for pid, seconds in read.items() if seconds is not None}, set()
        self._machine, self._each = {}, {}
        if before is None or after[0] <= before[0] or after[2] <= before[2]:      # counters that stand still give no share
            return
        span = after[2] - before[2]
        self._machine = {"machine_cpu_percent": _percent(busy - before[1], span)}
        self._each = {pid: seconds / (now - before[0]) * 100.0 for pid, seconds in took.items() if pid not in late}
        if not lost:
            self._machine["other_cpu_percent"] = _percent(busy - before[1] - (after[3] - before[3]) - sum(took.values()), span)


def _percent(part: float, whole: float) -> float:
    return min(100.0, max(0.0, part / whole * 100.0))

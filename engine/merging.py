"""Calls of several workers on one clock, in the order in which they began, cut to the time in which all of them measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.statistics import Int64s

Columns = dict[str, npt.NDArray[Any]]
"""`start_ns`, `latency_ns`, on a GPU `device_ns` and `enqueue_ns`, and in what is merged `lane`: whose call it is."""


@dataclass
class Lane:
    """What one worker has answered and what is not merged yet."""

    count: int = 0
    first_ns: int | None = None
    end_ns: int = 0
    latencies: list[Int64s] = field(default_factory=list)
    pending: list[Columns] = field(default_factory=list)
    busy_ns: int = 0
    """Time in calls that were merged."""


class Merger:
    """Takes blocks of each lane as they come and gives out their calls once no lane can still bring an earlier one."""

    def __init__(self, lanes: int, cut: bool) -> None:
        self.lanes = [Lane() for _ in range(lanes)]
        self._cut = cut
        self.left_out = 0

    def add(self, lane: int, columns: Columns) -> None:
        """A block of one lane, calls in order."""
        found, start, latency = self.lanes[lane], columns["start_ns"], columns["latency_ns"]
        if not len(start):
            return
        found.count += len(start)
        found.latencies.append(latency)
        found.pending.append(columns)
        found.first_ns = int(start[0]) if found.first_ns is None else found.first_ns
        found.end_ns = max(found.end_ns, int(start[-1] + latency[-1]))

    @property
    def window(self) -> tuple[int, int] | None:
        """From when the last lane began until the first one's last call so far ended; None before all have begun."""
        firsts = [lane.first_ns for lane in self.lanes]
        if any(first is None for first in firsts):
            return None
        return max(first for first in firsts if first is not None), min(lane.end_ns for lane in self.lanes)

    @property
    def span_ns(self) -> int:
        """How long all lanes measured at once."""
        return 0 if self.window is None else max(0, self.window[1] - self.window[0])

    def take(self) -> Columns | None:
        """Calls that began before every lane's newest one ended, in order; None where there are none yet.

        A call counts that lies in the window by its greater part: those that began before the last lane did are left out.
        """
        window = self.window
        if window is None:
            return None
        parts = [part for number, lane in enumerate(self.lanes) if (part := self._take_of(number, lane, *window)) is not None]
        if not parts:
            return None
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.argsort(joined["start_ns"], kind="stable")
        return {name: column[order] for name, column in joined.items()}

    def _take_of(self, number: int, lane: Lane, begin_ns: int, end_ns: int) -> Columns | None:
        if not lane.pending:
            return None
        whole = {name: np.concatenate([block[name] for block in lane.pending]) for name in lane.pending[0]}
        ready = int(np.searchsorted(whole["start_ns"], end_ns))
        lane.pending = [{name: column[ready:] for name, column in whole.items()}] if ready < len(whole["start_ns"]) else []
        taken = {name: column[:ready] for name, column in whole.items()}
        if self._cut:
            inside = taken["start_ns"] + taken["latency_ns"] // 2 >= begin_ns
            self.left_out += ready - int(np.count_nonzero(inside))
            taken = {name: column[inside] for name, column in taken.items()}
        lane.busy_ns += int(taken["latency_ns"].sum())
        taken["lane"] = np.full(len(taken["start_ns"]), number, np.int64)
        return taken if len(taken["start_ns"]) else None

    def rest(self) -> int:
        """How many calls were never given out: they began when another lane had ended."""
        return sum(len(block["start_ns"]) for lane in self.lanes for block in lane.pending)

    def all_of_them(self) -> Columns | None:
        """What is left, uncut, in order: for calls that enter no figure."""
        for lane in self.lanes:
            lane.end_ns = max([other.end_ns for other in self.lanes] + [1])
        return self.take()

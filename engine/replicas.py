"""Replicas on several devices at once: their workers load, warm up and measure together, from one barrier to one end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from engine import messages, stopping
from engine.events import BlockMeasured
from engine.link import Link
from engine.merging import Columns, Merger
from engine.monitor import Monitor
from engine.recorder import Recorder
from engine.replica_set import ReplicaSet
from engine.sampling import STEADY, WARM_UP
from engine.visits import MAX_CALLS, Visitor
from engine.workers import ConfigurationEnded, Workers

A = TypeVar("A", bound=messages.Answer)


class ReplicaVisitor(Visitor):
    """Drives one worker, or all workers of a set of replicas at once."""

    def __init__(self, workers: Workers, emit: Callable[[object], None], zero_ns: int, monitor: Monitor | None = None) -> None:
        super().__init__(workers, emit, zero_ns, monitor)
        self._awaited: WeakKeyDictionary[Link, float] = WeakKeyDictionary()
        """Since when each worker owes its next answer."""

    def start(self, record: Recorder) -> None:
        """Fresh workers, each with the model loaded, prepared, called once, and warm while the others run too."""
        if not isinstance(record, ReplicaSet):
            super().start(record)
            return
        with self._together(record):
            super().start(record)

    def visit(self, record: Recorder, rested: bool) -> None:
        """One visit of all replicas: re-warmed together, then counted from when the last one began until the first one's end."""
        if not isinstance(record, ReplicaSet):
            super().visit(record, rested)
            return
        with self._together(record):
            self._visit_together(record, rested)

    @contextmanager
    def _together(self, record: ReplicaSet) -> Iterator[None]:
        """One that fails ends all: without it the others measure something else."""
        record.culprit = None
        try:
            yield
        except ConfigurationEnded as ended:
            record.culprit = record.culprit or record.member_of(ended.link)
            self._workers.end_all(record.links, at_once=True)
            raise

    # -- bringing up -------------------------------------------------------------------------------------------------

    def _bring_up(self, record: Recorder, again: bool) -> None:
        if not isinstance(record, ReplicaSet):
            super()._bring_up(record, again)
            return
        self._enter(record, "starting")
        for member in record.members:
            self._start_worker(member)
        self._make_contexts(record, again)
        self._enter(record, "load")
        loaded = self._ask_all(record, self._load_of, messages.Loaded, first=True)
        for member, each in zip(record.members, loaded, strict=True):
            self._take_loaded(member, each)
        self._enter(record, "prepare")
        prepared = self._ask_all(record, lambda _: messages.Prepare(), messages.Prepared, first=True)
        self._enter(record, "first-call")
        called = self._ask_all(record, lambda _: messages.FirstCall(), messages.FirstCalled, first=True)
        for member, at_load, at_prepare, at_call in zip(record.members, loaded, prepared, called, strict=True):
            self._take_up(member, at_load, at_prepare, at_call, again)
        record.take_up(again)

    def _make_contexts(self, record: ReplicaSet, again: bool) -> None:
        """All GPUs come to life at once."""
        if not record.configuration.device.startswith("cuda"):
            return
        for member in record.members:
            member.parts.before_context(self._device_memory(member))
        made = self._ask_all(record, lambda member: messages.MakeContext(member.configuration.device), messages.ContextMade, first=True)
        for member, each in zip(record.members, made, strict=True):
            self._take_context(member, each, again)

    def _warm_up(self, record: Recorder, again: bool) -> None:
        """Until each of them has settled while all run."""
        if not isinstance(record, ReplicaSet):
            super()._warm_up(record, again)
            return
        self._enter(record, "warm-up")
        began = time.perf_counter()

        def over(merger: Merger) -> bool:
            decisions = [
                stopping.warm_up_settled(np.concatenate(lane.latencies) if lane.latencies else np.empty(0, np.int64), time.perf_counter() - began, record.job.plan)
                for lane in merger.lanes
            ]
            if not all(decision.over for decision in decisions):
                return False
            for member, decision in zip(record.members, decisions, strict=True):
                member.settled(decision.reason())
            return True

        merger = self._run_together(record, steady=False, over=over)
        record.take_warm_up()
        held = self._ask_all(record, lambda _: messages.ResetPeaks(), messages.PeaksReset)
        for member, lane, each in zip(record.members, merger.lanes, held, strict=True):
            self._take_warm(member, int(sum(int(part.sum()) for part in lane.latencies)), each, again)
        if not again:
            record.take_phases()

    # -- measuring ---------------------------------------------------------------------------------------------------

    def _visit_together(self, record: ReplicaSet, rested: bool) -> None:
        plan = record.job.plan
        if rested:
            self._enter(record, "warm-up")
            began = time.perf_counter()
            self._run_together(
                record, steady=False, over=lambda merger: all(stopping.re_warmed(lane.count, time.perf_counter() - began, plan) for lane in merger.lanes)
            )
        # Here no worker has anything to do: the first blocks below go out to all of them within microseconds.
        self._enter(record, "steady")
        self.in_steady, started, before = True, time.perf_counter(), record.samples.steady_count
        try:
            self._run_together(
                record, steady=True, over=lambda merger: all(stopping.visit_over(lane.count, time.perf_counter() - started, plan) for lane in merger.lanes)
            )
        finally:
            self.in_steady = False
            if record.samples.steady_count > before:
                span = (started, time.perf_counter())
                for each in (record, *record.members):
                    each.visits += 1
                    each.visit_spans_s.append(span)
        peaks = self._ask_all(record, lambda _: messages.ReadMemory(), messages.MemoryRead)
        for member, memory in zip(record.members, peaks, strict=True):
            self._take_peaks(member, memory)

    def _run_together(self, record: ReplicaSet, steady: bool, over: Callable[[Merger], bool]) -> Merger:
        """Blocks in all workers until `over`; whoever is through goes on, so that nobody is ever measured alone."""
        merger, plan = Merger(len(record.members), cut=steady), record.job.plan
        owed, number = [0] * len(record.members), 0
        ahead = [1] * len(record.members)
        try:
            while True:
                for place, member in enumerate(record.members):
                    while owed[place] < ahead[place]:
                        number += 1
                        self._send(member, messages.RunBlock(number, int(plan.block_s * 1e9), MAX_CALLS), is_first=not owed[place])
                        owed[place] += 1
                place, latency_ns = self._receive_into(record, merger, owed, steady)
                if over(merger):
                    break
                # Nothing is queued ahead of a block that alone outlasts a visit.
                ahead[place] = 2 if latency_ns < 2e9 * plan.block_s else 1
            while any(owed):
                self._receive_into(record, merger, owed, steady)
            if not steady:
                self._take_merged(record, merger.all_of_them(), steady)
        finally:
            if steady:
                record.take_window(merger.span_ns, [lane.busy_ns for lane in merger.lanes], merger.left_out + merger.rest())
        return merger

    def _receive_into(self, record: ReplicaSet, merger: Merger, owed: list[int], steady: bool) -> tuple[int, int]:
        """The next block of any worker, merged: its replica's place, and how long its calls took."""
        waiting = [member for place, member in enumerate(record.members) if owed[place]]
        member, block = self._next(record, waiting, messages.BlockDone, record.job.timeout_s)
        place = record.members.index(member)
        owed[place] -= 1
        with self._blaming(record, member):
            self._check_block(member, block)
        names = [name for name in ("start_ns", "latency_ns", "device_ns", "enqueue_ns") if getattr(block, name) is not None]
        columns: Columns = {name: np.frombuffer(getattr(block, name), "<i8") for name in names}
        columns["start_ns"] = columns["start_ns"] - self._zero_ns
        merger.add(place, columns)
        record.uncounted += block.uncounted if steady else 0
        self._take_merged(record, merger.take(), steady)
        return place, int(columns["latency_ns"].sum())

    def _take_merged(self, record: ReplicaSet, calls: Columns | None, steady: bool) -> None:
        """Calls in order: to the set, to each replica, and to whoever draws them."""
        if calls is None:
            return
        lanes = calls.pop("lane")
        phase, visit = STEADY if steady else WARM_UP, record.visits
        record.samples.extend(**calls, phase=phase, visit=visit)
        if steady:
            record.pace.took(visit, calls["latency_ns"])
            for place, member in enumerate(record.members):
                own = lanes == place
                member.samples.extend(**{name: column[own] for name, column in calls.items()}, phase=phase, visit=visit)
        self._emit(BlockMeasured(
            index=record.index, visit=visit, steady=steady, start_ns=calls["start_ns"], latency_ns=calls["latency_ns"], device_ns=calls.get("device_ns")
        ))

    # -- questions to all ----------------------------------------------------------------------------------------------

    def _ask_all(self, record: ReplicaSet, command: Callable[[Recorder], messages.Command], kind: type[A], first: bool = False) -> list[A]:
        """The same question to every worker; their answers in the order of the devices."""
        for member in record.members:
            self._send(member, command(member))
        found: dict[int, A] = {}
        timeout_s = record.job.first_timeout_s if first else record.job.timeout_s
        while len(found) < len(record.members):
            waiting = [member for place, member in enumerate(record.members) if place not in found]
            member, answer = self._next(record, waiting, kind, timeout_s)
            found[record.members.index(member)] = answer
        return [found[place] for place in range(len(record.members))]

    def _next(self, record: ReplicaSet, waiting: list[Recorder], kind: type[A], timeout_s: float) -> tuple[Recorder, A]:
        """Whoever answers first. All workers are looked after, also those of which nothing is awaited."""
        links = {link: self._awaited[link] for link in map(self._link, waiting)}
        link, answer = self._workers.receive_any(links, record.links, timeout_s, self.phase)
        self._awaited[link] = self._workers.now()
        member = record.member_of(link)
        assert member is not None
        with self._blaming(record, member):
            return member, self._expect(member, answer, kind)

    def _send(self, member: Recorder, command: messages.Command, is_first: bool = True) -> None:
        """A command to one worker; of several that are queued the first one begins the wait."""
        link = self._link(member)
        if is_first:
            self._awaited[link] = self._workers.now()
        self._workers.send(link, command, self.phase)

    @contextmanager
    def _blaming(self, record: ReplicaSet, member: Recorder) -> Iterator[None]:
        try:
            yield
        except ConfigurationEnded:
            record.culprit = member
            raise

    @staticmethod
    def _link(member: Recorder) -> Link:
        assert member.link is not None
        return member.link

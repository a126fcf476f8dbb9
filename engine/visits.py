"""One configuration's way through its worker: load, prepare, first call, warm-up, and visits made of blocks."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import numpy as np

from engine import memory_limit, messages, stopping
from engine.confinement import policy_for
from engine.events import BlockMeasured, PhaseStarted
from engine.memory_parts import DeviceMemory
from engine.monitor import Monitor, process_memory, reset_peak
from engine.questions import Questions
from engine.recorder import Recorder
from engine.result import Phases
from engine.statistics import Int64s
from engine.workers import Workers, interpreter_of

FINDING = "finding"
"""The phase of a configuration whose largest batch is being found."""
MAX_CALLS = 200_000
"""In a block: keeps a message far below the wire's limit."""


class Visitor(Questions):
    """Drives the worker of one configuration at a time."""

    def __init__(self, workers: Workers, emit: Callable[[object], None], zero_ns: int, monitor: Monitor | None = None) -> None:
        super().__init__(workers)
        self._emit, self._zero_ns, self._monitor = emit, zero_ns, monitor
        self.current: Recorder | None = None
        self.in_steady = False
        self._seeks = False

    def _enter(self, record: Recorder, phase: str) -> None:
        self.current, self.phase = record, FINDING if self._seeks else phase
        record.pace.entered(self.phase, time.perf_counter())
        self._emit(PhaseStarted(record.index, self.phase))

    def start(self, record: Recorder) -> None:
        """A fresh worker with the model loaded, prepared, called once and warm; raises ConfigurationEnded."""
        again = record.loaded is not None and record.visits > 0      # of an attempt that got nowhere nothing stays
        self._bring_up(record, again)
        self._warm_up(record, again)

    def try_out(self, record: Recorder, calls: int, seconds: float) -> int | None:
        """A fresh worker that loads, prepares and makes a few calls; the most memory that it held where it runs, None where nobody tells."""
        self._seeks = True
        try:
            self._bring_up(record, again=False)
            block = self._ask(record, messages.RunBlock(1, int(seconds * 1e9), calls), messages.BlockDone)
            self._check_block(record, block)
            memory = self._ask(record, messages.ReadMemory(), messages.MemoryRead)
        finally:
            self._seeks = False
        assert record.link is not None
        if record.configuration.device == "cpu":
            return process_memory(record.link.pid).peak_bytes
        return record.parts.held_bytes(self._device_memory(record)) or memory.reserved_peak_bytes

    def _bring_up(self, record: Recorder, again: bool) -> None:
        self._enter(record, "starting")
        self._begin(record, again)
        self._enter(record, "load")
        loaded = self._ask(record, self._load_of(record), messages.Loaded, first=True)
        self._take_loaded(record, loaded)
        self._enter(record, "prepare")
        prepared = self._ask(record, messages.Prepare(), messages.Prepared, first=True)
        self._enter(record, "first-call")
        called = self._ask(record, messages.FirstCall(), messages.FirstCalled, first=True)
        self._take_up(record, loaded, prepared, called, again)

    def _begin(self, record: Recorder, again: bool) -> None:
        """A worker for the record, held to its limit and alive on its device."""
        self._start_worker(record)
        self._make_context(record, again)

    def _start_worker(self, record: Recorder) -> None:
        """A worker for the record, held to its limit."""
        job = record.job
        record.begin_attempt()
        record.link = self._workers.start(interpreter_of(job.interpreter), policy_for(job.model, job.inputs, device=record.configuration.device))
        record.link.device = record.configuration.device
        if record.limit_bytes is not None:
            memory_limit.hold(record.link.pid, record.limit_bytes)

    def _load_of(self, record: Recorder) -> messages.Load:
        job = record.job
        return messages.Load(job.model, record.configuration, job.inputs, job.seed, job.compare_outputs)

    def _take_loaded(self, record: Recorder, loaded: messages.Loaded) -> None:
        assert record.link is not None
        record.parts.loaded(process_memory(record.link.pid).private_bytes)

    def _take_up(self, record: Recorder, loaded: messages.Loaded, prepared: messages.Prepared, called: messages.FirstCalled, again: bool) -> None:
        """What bringing the model up has told; of a worker that comes again only what belongs to it."""
        for code, values in prepared.notes:
            record.note(code, values)
        if again:
            return
        record.loaded = loaded
        record.weights_bytes = prepared.weights_bytes if prepared.weights_bytes is not None else loaded.weights_bytes
        record.phases = msgspec.structs.replace(
            record.phases, load=loaded.load_ns / 1e6, load_reading=_ms(loaded.reading_ns), load_moving=_ms(loaded.moving_ns), prepare=prepared.prepare_ns / 1e6,
            first_call=called.first_call_ns / 1e6,
        )
        record.raise_peak("load_peak_bytes", loaded.load_peak_bytes)
        record.outputs = called.effect

    def _warm_up(self, record: Recorder, again: bool) -> None:
        """Blocks that enter no figure, until the medians of two windows agree."""
        self._enter(record, "warm-up")
        began = time.perf_counter()
        latencies: list[Int64s] = []

        def over() -> bool:
            decision = stopping.warm_up_settled(np.concatenate(latencies) if latencies else np.empty(0, np.int64), time.perf_counter() - began, record.job.plan)
            if decision.over:
                record.settled(decision.reason())
            return decision.over

        self._run_blocks(record, visit=record.visits, steady=False, over=over, seen=latencies)
        held = self._ask(record, messages.ResetPeaks(), messages.PeaksReset)
        self._take_warm(record, int(sum(int(part.sum()) for part in latencies)), held, again)

    def _take_warm(self, record: Recorder, spent_ns: int, held: messages.PeaksReset, again: bool) -> None:
        """The worker is warm and its allocator counts peaks anew; the kernel shall too."""
        if not again:
            record.phases = msgspec.structs.replace(record.phases, warm_up=spent_ns / 1e6)
        record.parts.settled(held.allocated_bytes, held.inputs_bytes)
        assert record.link is not None
        if reset_peak(record.link.pid):
            now = process_memory(record.link.pid)
            record.parts.high_water_reset(now.private_bytes, now.peak_bytes)
            if record.visits == 0:
                # What loading and warming up took was drawn, and is no part of what running takes; not even where a first attempt was broken off.
                record.peaks.pop("process_peak_bytes", None)

    def _make_context(self, record: Recorder, again: bool) -> None:
        """A GPU comes to life in the worker before anything is loaded: its context is a part of the memory, and its time no part of loading."""
        if not record.configuration.device.startswith("cuda"):
            return
        record.parts.before_context(self._device_memory(record))
        self._take_context(record, self._ask(record, messages.MakeContext(record.configuration.device), messages.ContextMade, first=True), again)

    def _take_context(self, record: Recorder, made: messages.ContextMade, again: bool) -> None:
        """The GPU is ready."""
        record.parts.with_context(self._device_memory(record), made.reserved_bytes)
        if not again:
            record.phases = Phases(context=_ms(made.context_ns))

    def _device_memory(self, record: Recorder) -> DeviceMemory | None:
        if self._monitor is None or record.link is None:
            return None
        seen = self._monitor.device_memory(record.configuration.device, record.link.pid)
        return None if seen is not None and seen.own_bytes is None and self.has_company(record) else seen

    def has_company(self, record: Recorder) -> bool:
        """Whether another worker of ours is on its GPU: where the driver does not know our pids, nobody can tell then who holds what."""
        return record.link is not None and self._workers.has_company(record.link)

    def visit(self, record: Recorder, rested: bool) -> None:
        """One visit: re-warm after a rest, then counted blocks until the plan says that the visit is over."""
        plan = record.job.plan
        if rested:
            self._enter(record, "warm-up")
            began = time.perf_counter()
            warmed: list[Int64s] = []
            self._run_blocks(
                record, record.visits, steady=False, seen=warmed,
                over=lambda: stopping.re_warmed(sum(len(part) for part in warmed), time.perf_counter() - began, plan),
            )
        self._enter(record, "steady")
        self.in_steady = True
        started = time.perf_counter()
        counted: list[Int64s] = []
        try:
            self._run_blocks(
                record, record.visits, steady=True, seen=counted,
                over=lambda: stopping.visit_over(sum(len(part) for part in counted), time.perf_counter() - started, plan),
            )
        finally:
            self.in_steady = False
            if counted:
                record.visits += 1
                record.visit_spans_s.append((started, time.perf_counter()))
        self._read_peaks(record)

    def _read_peaks(self, record: Recorder) -> None:
        self._take_peaks(record, self._ask(record, messages.ReadMemory(), messages.MemoryRead))

    def _take_peaks(self, record: Recorder, memory: messages.MemoryRead) -> None:
        record.raise_peak("allocated_peak_bytes", memory.allocated_peak_bytes)
        record.raise_peak("reserved_peak_bytes", memory.reserved_peak_bytes)
        record.parts.after_visit(self._device_memory(record), memory.reserved_bytes)
        assert record.link is not None
        record.raise_peak("process_peak_bytes", process_memory(record.link.pid).peak_bytes)

    def copies(self, record: Recorder, duration_ns: int) -> messages.CopiesMeasured:
        """Times of copies to the device and back."""
        measured = self._ask(record, messages.MeasureCopies(duration_ns), messages.CopiesMeasured)
        self._check_arrays(record, measured.to_device_ns, measured.from_device_ns)
        return measured

    def busy(self, record: Recorder, rounds: int) -> messages.BusyMeasured:
        """How long the GPU itself computes in a call."""
        measured = self._ask(record, messages.MeasureBusy(rounds), messages.BusyMeasured)
        self._check_arrays(record, measured.busy_ns)
        return measured

    def rested(self, record: Recorder, calls: int, rest_ns: int) -> messages.BlockDone:
        """Calls after a rest each; they enter no figure of the tight loop."""
        block = self._ask(record, messages.RunBlock(0, 0, calls, rest_ns), messages.BlockDone)
        self._check_block(record, block)
        return block

    def stretch(self, record: Recorder, over: Callable[[list[messages.BlockDone]], bool], block_s: float) -> None:
        """Short blocks in a row that enter no figure, one queued ahead, until `over` says so of those that are done."""
        done: list[messages.BlockDone] = []
        self._send_block(record, 0, block_s)
        while True:
            self._send_block(record, 0, block_s)
            done.append(self._receive_block(record))
            self._check_block(record, done[-1])
            if over(done):
                break
        self._check_block(record, self._receive_block(record))

    def _run_blocks(self, record: Recorder, visit: int, steady: bool, over: Callable[[], bool], seen: list[Int64s]) -> None:
        """Blocks until `over`, one queued ahead so that the worker never waits for the engine.

        Nothing is queued ahead of a block that alone outlasts a visit: there a block is one call, and a second one would be a visit too much.
        """
        plan = record.job.plan
        outstanding, ahead, number = 0, False, 0
        while True:
            while outstanding < (2 if ahead else 1):
                number += 1
                self._send_block(record, number, plan.block_s)
                outstanding += 1
            block = self._receive_block(record)
            outstanding -= 1
            seen.append(self._take_block(record, block, visit, steady))
            if over():
                break
            ahead = int(seen[-1].sum()) < 2e9 * plan.block_s
        seen.extend(self._take_block(record, self._receive_block(record), visit, steady) for _ in range(outstanding))

    def _send_block(self, record: Recorder, number: int, block_s: float) -> None:
        assert record.link is not None
        self._workers.send(record.link, messages.RunBlock(number, int(block_s * 1e9), MAX_CALLS), self.phase)

    def _receive_block(self, record: Recorder) -> messages.BlockDone:
        assert record.link is not None
        return self._expect(record, self._workers.receive(record.link, record.job.timeout_s, self.phase), messages.BlockDone)

    def _take_block(self, record: Recorder, block: messages.BlockDone, visit: int, steady: bool) -> Int64s:
        self._check_block(record, block)
        start, latency, device = record.add_block(block, visit, steady, self._zero_ns)
        reading = {
            name: float(value) for name, value in (("allocated_bytes", block.allocated_bytes), ("reserved_bytes", block.reserved_bytes)) if value is not None
        }
        if reading and len(start):
            record.add_reading(int(start[-1] + latency[-1]), reading)
        self._emit(BlockMeasured(index=record.index, visit=visit, steady=steady, start_ns=start, latency_ns=latency, device_ns=device))
        return latency


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e6

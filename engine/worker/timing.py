"""The timed loop: runs the forward again and again and keeps every call's time."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np
import torch

REST_NS = 1_000_000
"""A gap above this lets caches and clocks cool: the first calls after it are run but not counted."""
UNCOUNTED_CALLS = 3
UNCOUNTED_NS = 1_000_000

Call = Callable[[], object]


@dataclass
class Samples:
    """One block: starts on this machine's perf_counter clock and durations, all ns."""

    start_ns: list[int] = field(default_factory=list)
    latency_ns: list[int] = field(default_factory=list)
    device_ns: list[int] | None = None
    enqueue_ns: list[int] | None = None
    gap_ns: int = 0
    uncounted: int = 0


class BlockRunner:
    """Runs blocks of one prepared forward and knows how long it rested between them."""

    def __init__(self, call: Call, device: torch.device, context: Callable[[], AbstractContextManager[object]] = torch.inference_mode) -> None:
        """`context` makes what all calls of a block run in."""
        self._call = call
        self._context = context
        self._device = device
        self._ended_ns = time.perf_counter_ns()

    def run(self, duration_ns: int, max_calls: int, rest_ns: int = 0) -> Samples:
        """Run for about `duration_ns`, at least one counted call and at most `max_calls`, each after a rest of `rest_ns`.

        The collector of garbage rests within a block (as in timeit), so that its pauses are not taken for the model's.
        """
        gap_ns = time.perf_counter_ns() - self._ended_ns
        collecting = gc.isenabled()
        gc.disable()
        try:
            with self._context():
                uncounted = self._settle() if gap_ns > REST_NS and not rest_ns else 0
                samples = self._rested(rest_ns, max_calls) if rest_ns else self._calls(duration_ns, max_calls)
        finally:
            if collecting:
                gc.enable()
        samples.gap_ns, samples.uncounted = gap_ns, uncounted
        self._ended_ns = time.perf_counter_ns()
        return samples

    def _calls(self, duration_ns: int, max_calls: int) -> Samples:
        return self._cuda(duration_ns, max_calls) if self._device.type == "cuda" else self._host(duration_ns, max_calls)

    def _rested(self, rest_ns: int, calls: int) -> Samples:
        """Single calls, each after a rest."""
        all_of_them = Samples()
        for _ in range(calls):
            time.sleep(rest_ns / 1e9)
            one = self._calls(0, 1)
            all_of_them.start_ns += one.start_ns
            all_of_them.latency_ns += one.latency_ns
            for name in ("device_ns", "enqueue_ns"):
                if (values := getattr(one, name)) is not None:
                    setattr(all_of_them, name, (getattr(all_of_them, name) or []) + values)
        return all_of_them

    def _settle(self) -> int:
        """Calls after a rest that are run but not counted: 1 ms of them, at most three."""
        began = time.perf_counter_ns()
        done = 0
        while done < UNCOUNTED_CALLS and time.perf_counter_ns() - began < UNCOUNTED_NS:
            self._call()
            self._synchronize()
            done += 1
        return done

    def _synchronize(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)

    def _host(self, duration_ns: int, max_calls: int) -> Samples:
        call, clock = self._call, time.perf_counter_ns
        starts: list[int] = []
        latencies: list[int] = []
        deadline = clock() + duration_ns
        while True:
            began = clock()
            call()
            ended = clock()
            starts.append(began)
            latencies.append(ended - began)
            if ended >= deadline or len(starts) >= max_calls:
                return Samples(starts, latencies)

    def _cuda(self, duration_ns: int, max_calls: int) -> Samples:
        """Host time ends when the device is done; events around the same call give the device's own time."""
        call, clock, synchronize = self._call, time.perf_counter_ns, torch.cuda.synchronize
        device = self._device
        samples = Samples(device_ns=[], enqueue_ns=[])
        first, second = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        elapsed: list[int] = []
        enqueued: list[int] = []
        deadline = clock() + duration_ns
        with torch.cuda.device(device):
            while True:
                began = clock()
                first.record()
                call()
                second.record()
                queued = clock()
                synchronize(device)
                ended = clock()
                samples.start_ns.append(began)
                samples.latency_ns.append(ended - began)
                enqueued.append(queued - began)
                elapsed.append(round(first.elapsed_time(second) * 1e6))
                if ended >= deadline or len(elapsed) >= max_calls:
                    samples.device_ns, samples.enqueue_ns = elapsed, enqueued
                    return samples


def pack(values: list[int] | None) -> bytes | None:
    """Little-endian int64 bytes, as the wire wants them."""
    return None if values is None else np.asarray(values, dtype="<i8").tobytes()

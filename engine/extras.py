"""Figures beside the tight loop, taken once a configuration is measured: copies, GPU-busy time, calls after a rest, energy.

None of their calls enters a figure of the loop, and whatever goes wrong here leaves those figures as they are.
"""

from __future__ import annotations

import time

import numpy as np

from engine import devices, messages, statistics
from engine.monitor import Monitor
from engine.recorder import Recorder
from engine.result import Copies
from engine.visits import Visitor
from engine.workers import ConfigurationEnded

COPIES_S = 0.15
BUSY_ROUNDS = 15
BUSY_LEAST = 5
"""Rounds of those that must hold. The median of fewer is anybody's: of 5 the smallest and the largest enclose the true median in 94 of 100 cases (1 - 2/2^5,
the sign test), of 3 in 75, of a single one never; and where most rounds fail, those that hold are the odd ones."""
RESTED_CALLS = 20
RESTED_LIMIT_S = 20.0
ENERGY_S, ENERGY_LIMIT_S = 2.0, 10.0
ENERGY_LEAST_S = 1.0
"""Below it no figure is made: the counter is renewed about every 0.1 s, and the end of a window may lie anywhere between."""
ENERGY_BLOCK_S = 0.02


def measure(record: Recorder, visitor: Visitor, monitor: Monitor) -> None:
    """All that the configuration's device allows and the job asks for; raises Interrupted alone."""
    if devices.is_joint(record.configuration.device):       # what is timed here is timed in one worker
        return
    try:
        if record.configuration.device.startswith("cuda"):
            record.energy = _energy(record, visitor, monitor)
            record.copies = _copies(visitor.copies(record, int(COPIES_S * 1e9)))
            record.gpu_busy_ms = _median_ms(visitor.busy(record, BUSY_ROUNDS).busy_ns, BUSY_LEAST)
        if record.job.idle_gap_s is not None:
            _rested(record, visitor, record.job.idle_gap_s)
    except ConfigurationEnded as ended:
        record.note("extras-failed", {"error": ended.failure.summary})


def _median_ms(packed: bytes, least: int = 1) -> float | None:
    values = np.frombuffer(packed, "<i8")
    return statistics.percentile_ns(values, 0.5) / 1e6 if len(values) >= least else None


def _copies(measured: messages.CopiesMeasured) -> Copies | None:
    to_device, from_device = _median_ms(measured.to_device_ns), _median_ms(measured.from_device_ns)
    if to_device is None or from_device is None:
        return None
    return Copies(
        to_device_ms=to_device, from_device_ms=from_device, to_device_bytes=measured.to_device_bytes, from_device_bytes=measured.from_device_bytes
    )


def _rested(record: Recorder, visitor: Visitor, rest_s: float) -> None:
    """Single calls after a rest each, as a service with little traffic makes them: as many as a median needs, or as time allows."""
    calls = max(1, min(RESTED_CALLS, int(RESTED_LIMIT_S / (rest_s + (record.standing().call_s or 0.0)))))
    # One block a call: the engine sees a stop or a hang in between.
    blocks = [visitor.rested(record, 1, int(rest_s * 1e9)) for _ in range(calls)]
    all_of_them = np.concatenate([np.frombuffer(block.latency_ns, "<i8") for block in blocks])
    record.idle_gap_ms = rest_s * 1e3
    record.idle_latency = statistics.summarize(all_of_them, np.zeros(len(all_of_them), np.int32))


class _Meter:
    """Reads the energy counter while blocks run, and counts the calls between two of its ticks."""

    def __init__(self, monitor: Monitor, device: str) -> None:
        self._monitor, self._device = monitor, device
        self._last = monitor.energy_joules(device)
        self._began = time.perf_counter()
        self.ticks: list[tuple[int, float]] = []
        """When (ns) the counter was seen to change, and its joules then."""

    def over(self, done: list[messages.BlockDone]) -> bool:
        """After each block: whether the counter's ticks span the wanted time."""
        now = self._monitor.energy_joules(self._device)
        if now is not None and now != self._last:
            self.ticks.append((time.perf_counter_ns(), now))
            self._last = now
        spans = self.ticks[-1][0] - self.ticks[0][0] if self.ticks else 0
        return spans >= ENERGY_S * 1e9 or time.perf_counter() - self._began >= ENERGY_LIMIT_S


def _energy(record: Recorder, visitor: Visitor, monitor: Monitor) -> dict[str, float | str] | None:
    """Joules an item over 2 s and more of calls without a rest; None where the GPU has no counter or the window stays below 1 s."""
    device = record.configuration.device
    if monitor.energy_joules(device) is None:
        return None
    meter = _Meter(monitor, device)
    done: list[messages.BlockDone] = []

    def over(blocks: list[messages.BlockDone]) -> bool:
        done[:] = blocks
        return meter.over(blocks)

    visitor.stretch(record, over, ENERGY_BLOCK_S)
    starts = np.concatenate([np.frombuffer(block.start_ns, "<i8") for block in done])
    return energy_between(meter.ticks, starts, record.configuration.batch_size)


def energy_between(ticks: list[tuple[int, float]], starts_ns: statistics.Int64s, batch_size: int) -> dict[str, float | str] | None:
    """What the counter says between its first and its last tick; the calls that began between them are those that it paid for."""
    if len(ticks) < 2:
        return None
    (first_ns, first_joules), (last_ns, last_joules) = ticks[0], ticks[-1]
    seconds, joules = (last_ns - first_ns) / 1e9, last_joules - first_joules
    items = int(np.count_nonzero((starts_ns >= first_ns) & (starts_ns < last_ns))) * batch_size
    if seconds < ENERGY_LEAST_S or items == 0 or joules <= 0.0:
        return None
    return {"joules_per_item": joules / items, "mean_watts": joules / seconds, "seconds": seconds, "items": items, "source": "counter"}

"""Watches the machine while a job runs: readings for the graphs, peaks for the outcome, and a hand on the brake."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import Protocol

from engine import memory_limit
from engine.devices import gpu_index
from engine.events import MonitorSampled
from engine.monitor import Monitor
from engine.nvml import foreign_compute
from engine.out_of_memory import Holder, cpu_holders, gpu_holders
from engine.recorder import Recorder
from engine.units import format_bytes
from engine.visits import Visitor

RESERVE_SHARE, RESERVE_BYTES = 0.04, 512 * 1024 * 1024
"""The worker is stopped before less than this is left, so that the system's own killer never has to choose."""
RESERVE_MOST = 1 / 8
"""Of all memory: in a small container the reserve leaves something to measure with."""
COMFORT_SHARE = 0.25
"""Below this much free memory, idle workers are let go before another starts."""
GUARD_EVERY = 5
CPU_EVERY = 15
"""Ticks between two looks at the CPU's clock and at what the host takes: some four a second."""
COMPANY_EVERY = 10
"""Ticks between two looks at who else computes on the GPU."""


class Stoppable(Protocol):
    """What runs while the machine is watched."""

    def stop_for_memory(self, values: dict[str, str], held: str, say_code: str = "out-of-memory-stopped") -> None:
        """End what runs: the machine's memory is nearly gone, or its own limit is passed."""


class MachineWatch:
    """Reads the monitor for whichever configuration is running."""

    def __init__(self, monitor: Monitor, visitor: Visitor, emit: Callable[[object], None], zero_ns: int) -> None:
        self._monitor, self._visitor, self._emit, self._zero_ns = monitor, visitor, emit, zero_ns
        self._ticks = 0
        self._baseline: dict[int, float | None] = {}
        """Memory used on the GPU when a worker (by pid) was first seen; None once another worker of ours was there beside it."""
        self._own_pids: set[int] = set()
        self._computing_before = {index: self._computing(index) for index in monitor.gpus}

    def tick(self, runner: Stoppable) -> None:
        """One reading; stops the running configuration when the machine's memory runs out."""
        record = self._visitor.current
        parts = record.parts_with_pid() if record else []
        pids = [pid for _, pid in parts]
        values = self._monitor.sample(pids[0] if len(pids) == 1 else pids or None)
        t_ns = perf_counter_ns() - self._zero_ns
        self._emit(MonitorSampled(record.index if record else None, t_ns, values))
        if record is not None and parts:
            self._own_pids.update(pids)
            record.add_reading(t_ns, values)
            self._take(record, parts, values)
        self._ticks += 1
        if self._ticks % GUARD_EVERY == 0:
            self._guard(runner, record)

    def _take(self, record: Recorder, parts: list[tuple[Recorder, int]], values: dict[str, float]) -> None:
        if self._visitor.in_steady:
            self._note_load(record, values)
        else:
            record.machine.rest()
            record.machine.open()
        for part, pid in parts:
            if part.configuration.device.startswith("cuda"):
                self._note_gpu(part, pid, values)
            self._note_process(part, pid)

    def _note_process(self, record: Recorder, pid: int) -> None:
        """The kernel's own high-water mark; read now and then, because it only rises. A later worker's loading is not what running takes."""
        if self._ticks % GUARD_EVERY == 0 and (self._visitor.in_steady or record.visits == 0):
            record.raise_peak("process_peak_bytes", high_water_bytes(pid))

    def _note_load(self, record: Recorder, values: dict[str, float]) -> None:
        """What other programs took of the machine during the visits; a mean over 0.1 s, so every fifth reading is a new one."""
        if self._ticks % GUARD_EVERY == 0 and (other := values.get("other_cpu_percent")) is not None:
            record.other_cpu_percent.append(other)
        if self._ticks % CPU_EVERY == 0:
            record.machine.sample()

    def _note_gpu(self, record: Recorder, pid: int, values: dict[str, float]) -> None:
        index = gpu_index(record.configuration.device) or 0
        used, own = values.get(f"gpu{index}_memory_bytes"), values.get(f"gpu{index}_process_bytes")
        if own is not None:
            record.device_memory_source = "process"
            record.raise_peak("device_peak_bytes", int(own))
        elif used is not None and record.visits == 0:
            self._note_difference(record, pid, used)
        if self._visitor.in_steady and self._ticks % COMPANY_EVERY == 0:
            self._note_company(record, index)
        if self._visitor.in_steady:
            if (clock := values.get(f"gpu{index}_clock_mhz")) is not None:
                record.gpu_clocks.append(clock)
            record.throttle_reasons |= int(values.get(f"gpu{index}_throttle_reasons", 0))

    def _note_difference(self, record: Recorder, pid: int, used: float) -> None:
        """What the GPU's use grew by since the worker came, by worker: one that starts again after others were let go begins from what is used then."""
        if self._visitor.has_company(record):
            self._baseline[pid] = None      # what the other takes from here on, or gives back, is not this one's
        before = self._baseline.setdefault(pid, used)
        if before is not None:
            record.device_memory_source = "difference"
            record.raise_peak("device_peak_bytes", max(0, int(used - before)))

    def _note_company(self, record: Recorder, index: int) -> None:
        """Other programs that compute on the GPU; idle workers of ours hold memory there but do nothing."""
        found = foreign_compute(self._computing_before.get(index, set()), self._computing(index), self._own_pids)
        gpu = self._monitor.gpus.get(index)
        if gpu is not None and (drawing := gpu.graphics_percent()) is not None:
            record.graphics_percent.append(drawing)
        record.foreign_compute = max(record.foreign_compute or 0, found)

    def _computing(self, index: int) -> set[int]:
        return {process.pid for process in self._monitor.gpu_processes(index) or () if process.compute}

    def held_by_others_bytes(self, device: str) -> int | None:
        """Memory of a GPU that programs other than this one hold; None where the driver does not tell."""
        index = gpu_index(device)
        processes = None if index is None else self._monitor.gpu_processes(index)
        if processes is None:
            return None
        held = [process.memory_bytes for process in processes if process.pid not in self._own_pids]
        return None if any(each is None for each in held) else sum(each or 0 for each in held)

    def holders(self, device: str) -> list[Holder]:
        """Other programs that hold memory where a configuration ran, the largest first; empty where the driver does not tell."""
        if (index := gpu_index(device)) is not None:
            return gpu_holders(self._monitor.gpu_processes(index) or (), self._own_pids)
        return cpu_holders(self._own_pids)

    def memory_is_short(self) -> bool:
        """Whether another worker beside the idle ones would crowd the machine."""
        return memory_limit.available_bytes() < COMFORT_SHARE * memory_limit.total_bytes()

    def _guard(self, runner: Stoppable, record: Recorder | None) -> None:
        if record is None:
            return
        pids = [pid for _, pid in record.parts_with_pid()]
        held = self._monitor.sample(pids[0] if len(pids) == 1 else pids).get("worker_resident_bytes") if pids else None
        if (short := shortage()) is not None:
            runner.stop_for_memory(short, format_bytes(held))
        elif held is not None and record.limit_bytes is not None and held > record.limit_bytes:
            runner.stop_for_memory({"limit": format_bytes(record.limit_bytes)}, format_bytes(held), "out-of-memory-limit-stopped")


def shortage() -> dict[str, str] | None:
    """How much memory is free of how much, in words, when it is so little that a worker has to go; else None."""
    free, total = memory_limit.available_bytes(), memory_limit.total_bytes()
    if free > min(max(RESERVE_SHARE * total, RESERVE_BYTES), RESERVE_MOST * total):
        return None
    return {"free": format_bytes(free), "total": format_bytes(total)}


def high_water_bytes(pid: int) -> int | None:
    """VmHWM of a process: the most resident memory that it had; None where the system does not tell or the process is gone."""
    return _status_bytes(pid, b"VmHWM:")


def data_bytes(pid: int) -> int | None:
    """VmData of a process: private memory that it has asked for, touched or not; None where the system does not tell or the process is gone."""
    return _status_bytes(pid, b"VmData:")


def _status_bytes(pid: int, name: bytes) -> int | None:
    try:
        with open(f"/proc/{pid}/status", "rb") as stream:
            found = next((line for line in stream if line.startswith(name)), None)
    except OSError:
        return None
    return int(found.split()[1]) * 1024 if found else None

"""Readings from outside the worker: its memory and CPU, the machine's, and the GPUs'.

Names: `worker_resident_bytes worker_cpu_percent` (100 is one core) `machine_cpu_percent machine_memory_bytes other_cpu_percent` (all but the worker and
this program, in % of the machine) and for each GPU i in torch's order `gpu{i}_memory_bytes gpu{i}_process_bytes gpu{i}_utilization_percent
gpu{i}_power_watts gpu{i}_clock_mhz gpu{i}_temperature_c gpu{i}_throttle_reasons`. What cannot be read is absent.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
import psutil

from engine.cpu_shares import CpuShares
from engine.devices import gpu_index
from engine.memory_parts import DeviceMemory
from engine.nvml import GpuDevice, GpuProcess, Nvml, open_nvml
from engine.result import Reason
from engine.timeline import Timeline, TimelineBuffer

__all__ = ["GpuProcess", "Monitor", "ProcessMemory", "SystemReader", "Timeline", "TimelineBuffer", "process_memory", "reset_peak"]

SLOW_S = 0.1
"""Utilization, power and clocks are means over such a time: asking more often brings no more."""


class SystemReader(Protocol):
    """What the monitor asks the operating system; None where a process is gone."""

    def resident_bytes(self, pid: int) -> int | None:
        """Memory of a process that is in RAM."""

    def cpu_seconds(self, pid: int) -> float | None:
        """CPU time that a process has used."""

    def machine_seconds(self) -> tuple[float, float]:
        """Busy and all CPU time of the machine, summed over its logical cores."""

    def memory_used_bytes(self) -> int:
        """Memory of the machine that is not available."""


class PsutilReader:
    """The operating system through psutil, and through /proc where that is cheaper."""

    def resident_bytes(self, pid: int) -> int | None:
        """Memory of a process that is in RAM."""
        try:
            if sys.platform == "linux":
                with open(f"/proc/{pid}/statm", "rb") as stream:
                    # A process that is over but not collected has no memory: that is no reading.
                    return int(stream.read().split()[1]) * _PAGE_BYTES or None
            return int(psutil.Process(pid).memory_info().rss) or None
        except (psutil.Error, OSError, IndexError):
            return None

    def cpu_seconds(self, pid: int) -> float | None:
        """CPU time that a process has used."""
        try:
            times = psutil.Process(pid).cpu_times()
        except psutil.Error:
            return None
        return float(times.user + times.system)

    def machine_seconds(self) -> tuple[float, float]:
        """Busy and all CPU time of the machine, summed over its logical cores."""
        times = psutil.cpu_times()._asdict()
        # Time of guests is counted in user time already.
        total = sum(value for name, value in times.items() if not name.startswith("guest"))
        return total - times["idle"] - times.get("iowait", 0.0), total

    def memory_used_bytes(self) -> int:
        """Memory of the machine that is not available."""
        memory = psutil.virtual_memory()
        return int(memory.total - memory.available)


_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def only(pid: int) -> Collection[int]:
    """The worker alone, where its children are not counted."""
    return (pid,)


class Monitor:
    """Takes readings on request; owns no thread. `pids` gives the processes that belong to a worker, itself included."""

    def __init__(
        self,
        pids: Callable[[int], Collection[int]] = only,
        *,
        gpu_order: Sequence[str] | None = None,
        reader: SystemReader | None = None,
        load_nvml: Callable[[], Any] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`gpu_order`: UUIDs or bus ids of torch's devices in its order; without it CUDA_VISIBLE_DEVICES decides."""
        self._pids, self._reader, self._clock = pids, reader or PsutilReader(), clock
        self._nvml: Nvml | None
        self.gpu_status: Reason | None
        self._nvml, self.gpu_status = open_nvml(gpu_order, load_nvml)
        self._slow: dict[str, float] = {}
        self._slow_at = -1.0
        self._cpu = CpuShares(self._reader)

    @property
    def status(self) -> str:
        """Why GPUs are not watched, in English; empty where they are."""
        return self.gpu_status.sentence if self.gpu_status is not None else ""

    @property
    def gpus(self) -> dict[int, GpuDevice]:
        """The GPUs in torch's order."""
        return {} if self._nvml is None else self._nvml.devices

    @property
    def driver(self) -> str | None:
        """Version of the NVIDIA driver."""
        return None if self._nvml is None else self._nvml.driver

    def sample(self, worker_pid: int | Sequence[int] | None = None) -> dict[str, float]:
        """The readings of this moment; shares of the CPU are at most 0.5 s old, what else is a mean over a time 0.1 s. Several workers count together."""
        now = self._clock()
        workers = () if worker_pid is None else (worker_pid,) if isinstance(worker_pid, int) else tuple(worker_pid)
        own = tuple(pid for worker in workers for pid in self._pids(worker))
        values = self._memory(own)
        if self._slow_at < 0.0 or now - self._slow_at >= SLOW_S:
            self._slow = self._slow_readings()
            self._slow_at = now
        return values | self._slow | self._cpu.read(now, own)

    def _memory(self, own: Collection[int]) -> dict[str, float]:
        """What changes fast: memory."""
        values = {"machine_memory_bytes": float(self._reader.memory_used_bytes())}
        resident = [found for pid in own if (found := self._reader.resident_bytes(pid)) is not None]
        if resident:
            values["worker_resident_bytes"] = float(sum(resident))
        for index, gpu in self.gpus.items():
            used = gpu.memory_bytes()
            if used is not None:
                values[f"gpu{index}_memory_bytes"] = float(used)
            # By pid costs 40 us on an H100, so peaks need not be missed here either.
            known = [process.memory_bytes for process in gpu.processes() or () if process.pid in own and process.memory_bytes is not None] if own else []
            if known:
                values[f"gpu{index}_process_bytes"] = float(sum(known))
        return values

    def _slow_readings(self) -> dict[str, float]:
        """What is a mean over a time, or dear to ask."""
        return {f"gpu{index}_{name}": value for index, gpu in self.gpus.items() for name, value in gpu.slow_readings().items()}

    def gpu_processes(self, index: int) -> tuple[GpuProcess, ...] | None:
        """The programs on one GPU; None where the driver does not list them."""
        gpu = self.gpus.get(index)
        return None if gpu is None else gpu.processes()

    def device_memory(self, device: str, pid: int) -> DeviceMemory | None:
        """A GPU's memory at this moment, and whose it is; None for a device that the driver does not read."""
        gpu = self._gpu(device)
        used = None if gpu is None else gpu.memory_bytes()
        if gpu is None or used is None:
            return None
        held: dict[int, int | None] = {process.pid: process.memory_bytes for process in reversed(gpu.processes() or ())}
        own = [held.pop(each) for each in self._pids(pid) if each in held]
        if not own or any(each is None for each in own):
            return DeviceMemory(used, None, None)
        others = None if any(each is None for each in held.values()) else sum(each or 0 for each in held.values())
        return DeviceMemory(used, sum(each or 0 for each in own), others)

    def _gpu(self, device: str) -> GpuDevice | None:
        index = gpu_index(device)
        return None if index is None else self.gpus.get(index)

    def energy_joules(self, device: str) -> float | None:
        """A GPU's energy counter; None where it has none."""
        gpu = self._gpu(device)
        return None if gpu is None else gpu.energy_joules()

    def close(self) -> None:
        """Let the driver go; afterwards GPUs are no longer read."""
        if self._nvml is not None:
            self._nvml.close()
            self._nvml = None


class ProcessMemory(msgspec.Struct, frozen=True):
    """Memory of a process; None where the system does not tell."""

    private_bytes: int | None
    """What would be free if it ended (USS): a worker shares torch's pages with the fork server."""
    peak_bytes: int | None
    """The kernel's own high-water mark of resident memory (VmHWM, peak working set), which sampling would miss."""


def _read_text(path: str) -> str:
    return Path(path).read_text(encoding="ascii", errors="replace")


def process_memory(pid: int, read: Callable[[str], str] = _read_text) -> ProcessMemory:
    """Private memory and high-water mark of a process; takes some ms for a large one, so not for every sample."""
    if sys.platform != "linux":
        return _psutil_memory(pid)
    rollup, status = _kilobytes(f"/proc/{pid}/smaps_rollup", read), _kilobytes(f"/proc/{pid}/status", read)
    private = [rollup[name] for name in ("Private_Clean", "Private_Dirty", "Private_Hugetlb") if name in rollup]
    return ProcessMemory(sum(private) if private else None, status.get("VmHWM"))


def _psutil_memory(pid: int) -> ProcessMemory:
    try:
        info = psutil.Process(pid).memory_full_info()
    except psutil.Error:
        return ProcessMemory(None, None)
    return ProcessMemory(getattr(info, "uss", None), getattr(info, "peak_wset", None))


def _kilobytes(path: str, read: Callable[[str], str]) -> dict[str, int]:
    """The lines `Name: N kB` of a file in /proc, in bytes; empty where the process is gone or not ours to see."""
    try:
        lines = read(path).splitlines()
    except OSError:
        return {}
    fields = [line.split() for line in lines]
    return {row[0].rstrip(":"): int(row[1]) * 1024 for row in fields if len(row) == 3 and row[2] == "kB" and row[1].isdecimal()}


def _write_text(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="ascii")


def reset_peak(pid: int, write: Callable[[str, str], None] = _write_text) -> bool:
    """Start the high-water mark anew at the present memory; False where the system does not allow it."""
    if sys.platform != "linux":
        return False
    try:
        write(f"/proc/{pid}/clear_refs", "5")
    except OSError:
        return False
    return True

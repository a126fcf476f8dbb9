"""What the machine did beside a configuration: who took its cores, what its host took, how fast its cores ran, and from what power.

The scan of all processes happens before a configuration's first visit and once it is over, never between two calls that count.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import psutil

BUSY_CORES = 0.05
"""A program that took less is not named."""
NAMED = 3
CLOCK_CORES = 16
"""Cores whose clock is read; the fastest of them is the one that works."""
_PROC, _CPUS = Path("/proc"), Path("/sys/devices/system/cpu")
_PROFILE = Path("/sys/firmware/acpi/platform_profile")


class Used(msgspec.Struct, frozen=True):
    """One process of the system."""

    name: str
    parent: int
    cpu_s: float


Table = Mapping[int, Used]


def processes(proc: Path = _PROC) -> dict[int, Used]:
    """All processes by pid, as far as the system shows them."""
    if sys.platform != "linux":
        return _psutil_processes()
    found = {}
    for name in os.listdir(proc):
        # psutil takes five times as long, and this runs while somebody waits for figures.
        if name.isdecimal() and (used := _of_stat(proc / name / "stat")) is not None:
            found[int(name)] = used
    return found


def _of_stat(path: Path) -> Used | None:
    """A line of /proc/PID/stat (proc(5)): the name stands in parentheses and may hold any characters."""
    try:
        head, _, rest = path.read_bytes().rpartition(b")")
        fields = rest.split()
        return Used(head.partition(b"(")[2].decode("utf-8", "replace"), int(fields[1]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return None


def _psutil_processes() -> dict[int, Used]:
    found = {}
    for process in psutil.process_iter(["name", "ppid", "cpu_times"]):
        times = process.info["cpu_times"]
        if times is not None:
            found[process.pid] = Used(process.info["name"] or "", process.info["ppid"] or 0, times.user + times.system)
    return found


def busiest(before: Table, after: Table, seconds: float, own: int) -> tuple[tuple[str, float], ...]:
    """Names and mean cores of the programs that took most CPU, without `own` and its descendants; those of one name together."""
    if seconds <= 0.0:
        return ()
    cores: dict[str, float] = {}
    for pid, used in after.items():
        if not _descends(pid, own, after):
            since = before[pid].cpu_s if pid in before and before[pid].cpu_s <= used.cpu_s else 0.0
            cores[used.name] = cores.get(used.name, 0.0) + (used.cpu_s - since) / seconds
    ranked = sorted(cores.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple((name, taken) for name, taken in ranked[:NAMED] if taken >= BUSY_CORES)


def _descends(pid: int, own: int, table: Table) -> bool:
    seen: set[int] = set()
    while pid not in seen:
        if pid == own:
            return True
        if pid not in table:
            return False
        seen.add(pid)
        pid = table[pid].parent
    return False


def clock_mhz(cpus: Path = _CPUS) -> float | None:
    """Clock of the fastest core now; None where the system does not tell (most virtual machines)."""
    clocks = []
    for core in range(CLOCK_CORES):
        try:
            clocks.append(int((cpus / f"cpu{core}" / "cpufreq" / "scaling_cur_freq").read_bytes()) / 1e3)
        except (OSError, ValueError):
            break
    return max(clocks, default=None)


def power_state(profile: Path = _PROFILE, battery: Callable[[], object] | None = None) -> str | None:
    """`battery`, `saver` (the system's profile for little power), or None: mains, or not known."""
    # psutil has it only where the system may have one.
    reader: Callable[[], object] | None = battery or getattr(psutil, "sensors_battery", None)
    if reader is not None and getattr(reader(), "power_plugged", None) is False:
        return "battery"
    try:
        return "saver" if profile.read_text(encoding="ascii").strip() in {"low-power", "quiet"} else None
    except (OSError, UnicodeDecodeError):
        return None


class MachineNotes:
    """What was seen of the machine beside one configuration."""

    def __init__(self, table: Callable[[], Table] = processes, clock: Callable[[], float] = time.perf_counter) -> None:
        self._table, self._clock = table, clock
        self._before: Table | None = None
        self._before_at = 0.0
        self.steal_percent: float | None = None
        """Of the machine's CPU time during the visits, what its host gave to others; None where it is not counted."""
        self.clocks_mhz: list[float] = []
        self.busiest: tuple[tuple[str, float], ...] = ()
        self.power: str | None = None
        self._stolen_s = self._passed_s = 0.0
        self._times: tuple[float, float] | None = None

    def open(self) -> None:
        """Before the first visit: who is there; later calls change nothing."""
        if self._before is None:
            self._before, self._before_at, self.power = self._table(), self._clock(), power_state()

    def close(self) -> None:
        """After the last visit: who took what since `open`."""
        if self._before is not None:
            self.busiest = busiest(self._before, self._table(), self._clock() - self._before_at, os.getpid())
            self.power = self.power or power_state()

    def rest(self) -> None:
        """Between visits nothing counts."""
        self._times = None

    def sample(self) -> None:
        """During a visit, now and then: the clock, and what the host took since the last sample of this visit."""
        if (clock := clock_mhz()) is not None:
            self.clocks_mhz.append(clock)
        times = psutil.cpu_times()._asdict()
        if "steal" not in times:
            return
        now = float(times["steal"]), float(sum(value for name, value in times.items() if not name.startswith("guest")))
        if self._times is not None:
            self._stolen_s += max(0.0, now[0] - self._times[0])
            self._passed_s += max(0.0, now[1] - self._times[1])
            self.steal_percent = 100.0 * self._stolen_s / self._passed_s if self._passed_s else None
        self._times = now

"""How much memory a worker may hold on the CPU: what the user says, else a part of what is free; held by the kernel, and watched from outside.

The kernel's limit is on private memory asked for (RLIMIT_DATA), so an allocation beyond it fails inside of the worker and becomes an ordinary
out-of-memory error there. What it does not count (files mapped, shared memory) the watch from outside sees in the resident memory.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import psutil

SHARE = 0.8
"""Of what is available now: without a limit of the user's, a search for the largest batch goes no further."""
RESERVE_SHARE, RESERVE_BYTES = 0.06, 768 * 1024 * 1024
"""Of the machine, left to everybody else; more than the watch leaves before it stops a worker (engine.watch)."""
LEAST_BYTES = 64 * 1024 * 1024
_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1000, "kib": 2**10, "m": 10**6, "mb": 10**6, "mib": 2**20, "g": 10**9, "gb": 10**9, "gib": 2**30, "tb": 10**12, "tib": 2**40}
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([a-zA-Z]{0,3})")
_V2, _V1 = Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory")


def parse_bytes(text: str) -> int | None:
    """`4GB`, `512 MiB`, `2.5g` as bytes; None where it is no size, or less than any worker needs."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or (unit := _UNITS.get(found[2].lower())) is None:
        return None
    size = int(float(found[1]) * unit)
    return size if LEAST_BYTES <= size < 2**60 else None


def safe_limit_bytes(available: int | None = None, total: int | None = None) -> int:
    """The limit where the user sets none: a share of what is available now, less a reserve; half of it where the reserve would take more."""
    memory = psutil.virtual_memory()
    total = memory.total if total is None else total
    available = available_bytes() if available is None else available
    return max(int(SHARE * available) - max(int(RESERVE_SHARE * total), RESERVE_BYTES), available // 2)


def available_bytes(groups: tuple[Path, ...] = (_V2, _V1)) -> int:
    """What may still be taken without swapping: of the machine, or of the control group (a container) that this program lives in."""
    free = int(psutil.virtual_memory().available)
    for group in groups:
        room = _room_bytes(group)
        free = free if room is None else min(free, room)
    return max(0, free)


def total_bytes(groups: tuple[Path, ...] = (_V2, _V1)) -> int:
    """All memory that there is for this program."""
    limits = [limit for group in groups if (limit := _first_number(group, "memory.max", "memory.limit_in_bytes")) is not None]
    return min([int(psutil.virtual_memory().total), *limits])


def _room_bytes(group: Path) -> int | None:
    """What a control group has left, its caches counted as free; None where it has no limit."""
    limit, used = _first_number(group, "memory.max", "memory.limit_in_bytes"), _first_number(group, "memory.current", "memory.usage_in_bytes")
    if limit is None or used is None:
        return None
    return limit - used + _cached_bytes(group)


def _first_number(group: Path, *names: str) -> int | None:
    for name in names:
        try:
            text = (group / name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdecimal():
            return int(text)
    return None


def _cached_bytes(group: Path) -> int:
    """Files in memory that nobody used for a while; the kernel drops them first."""
    try:
        rows = [line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines()]
    except OSError:
        return 0
    found = {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdecimal()}
    return found.get("total_inactive_file", found.get("inactive_file", 0))


def hold(pid: int, limit_bytes: int) -> bool:
    """Have the kernel refuse a process more private memory than this, for good; False where the system cannot."""
    if sys.platform != "linux":
        return False
    try:
        process = psutil.Process(pid)
        hard = process.rlimit(psutil.RLIMIT_DATA)[1]
        most = limit_bytes if hard == psutil.RLIM_INFINITY else min(limit_bytes, hard)
        process.rlimit(psutil.RLIMIT_DATA, (most, most))
    except (psutil.Error, OSError, ValueError):
        return False
    return True

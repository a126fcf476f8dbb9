"""How much memory a worker may hold on the CPU: what the user says, else a part of what is free; held by the kernel, and watched from outside.

The kernel's limit is on private memory asked for (RLIMIT_DATA), so an allocation beyond it fails inside of the worker and becomes an ordinary
out-of-memory error there. What it does not count (files mapped, shared memory) the watch from outside sees in the resident memory.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

SHARE = 0.8
"""Of what is available now: without a limit of the user's, a search for the largest batch goes no further."""
RESERVE_SHARE, RESERVE_BYTES = 0.06, 768 * 1024 * 1024
"""Of the machine, left to everybody else; more than the watch leaves before it stops a worker (engine.watch)."""
LEAST_BYTES = 64 * 1024 * 1024
_UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1000, "kib": 2**10, "m": 10**6, "mb": 10**6, "mib": 2**20, "g": 10**9, "gb": 10**9, "gib": 2**30, "tb": 10**12, "tib": 2**40}
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([a-zA-Z]{0,3})")
DIGITS = 20
"""Of the largest number that the kernel writes."""
_MEMBERSHIP, _ROOT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def parse_bytes(text: str) -> int | None:
    """`4GB`, `512 MiB`, `2.5g` as bytes; None where it is no size, or less than any worker needs."""
    found = _SIZE.fullmatch(text.strip())
    if found is None or (unit := _UNITS.get(found[2].lower())) is None:
        return None
    size = int(float(found[1]) * unit)
    return size if LEAST_BYTES <= size < 2**60 else None


def safe_limit_bytes(available: int | None = None, total: int | None = None) -> int:
    """The limit where the user sets none: a share of what is available now, less a reserve; half of it where the reserve would take more."""
    total = total_bytes() if total is None else total
    available = available_bytes() if available is None else available
    return max(int(SHARE * available) - max(int(RESERVE_SHARE * total), RESERVE_BYTES), available // 2)


def available_bytes(groups: Iterable[Path] | None = None) -> int:
    """What may still be taken without swapping: of the machine, or of the control groups (a container) that this program lives in."""
    rooms = [room for group in (own_groups() if groups is None else groups) if (room := _room_bytes(group)) is not None]
    return max(0, min([int(psutil.virtual_memory().available), *rooms]))


def total_bytes(groups: Iterable[Path] | None = None) -> int:
    """All memory that there is for this program."""
    limits = [limit for group in (own_groups() if groups is None else groups) if (limit := _limit_bytes(group)) is not None]
    return min([int(psutil.virtual_memory().total), *limits])


def own_groups(membership: Path = _MEMBERSHIP, root: Path = _ROOT) -> tuple[Path, ...]:
    """The folders of the control groups that this program lives in and of all that they lie in, innermost first: the limit of each holds.

    A line of /proc/self/cgroup is `0::/a/b` for version 2, `5:memory:/a/b` for version 1. Inside of a container the path may be that of the host, of which
    only the mounted part is there to see: what does not exist is left out, the mount's own folder stays.
    """
    try:
        lines = membership.read_bytes().splitlines()
    except OSError:
        lines = []
    found = dict.fromkeys(folder for line in lines for folder in _folders(line, root))
    return tuple(found) or (root, root / "memory")


def _folders(line: bytes, root: Path) -> Iterator[Path]:
    """The folders that one line of /proc/self/cgroup speaks of; none for controllers other than memory."""
    number, _, rest = line.partition(b":")
    controllers, _, path = rest.partition(b":")
    is_v2 = number == b"0" and not controllers
    if b"\0" in path or not (is_v2 or b"memory" in controllers.split(b",")):
        return
    top = root if is_v2 else root / "memory"
    parts = [os.fsdecode(part) for part in path.split(b"/") if part not in (b"", b".")]
    if ".." not in parts:       # it is outside of what is mounted here
        yield from (top.joinpath(*parts[:depth]) for depth in range(len(parts), 0, -1))
    yield top


def _limit_bytes(group: Path) -> int | None:
    """A control group's own limit; None where it has none."""
    return _first_number(group, "memory.max", "memory.limit_in_bytes")


def _room_bytes(group: Path) -> int | None:
    """What a control group has left, its caches counted as free; None where it has no limit."""
    limit, used = _limit_bytes(group), _first_number(group, "memory.current", "memory.usage_in_bytes")
    if limit is None or used is None:
        return None
    return limit - used + _cached_bytes(group)


def _first_number(group: Path, *names: str) -> int | None:
    for name in names:
        text = _read(group / name).strip()
        if text:
            return _number(text)
    return None


def _cached_bytes(group: Path) -> int:
    """Files in memory that nobody used for a while; the kernel drops them first."""
    rows = [line.split() for line in _read(group / "memory.stat").splitlines()]
    found = {row[0]: value for row in rows if len(row) == 2 and (value := _number(row[1])) is not None}
    return found.get(b"total_inactive_file", found.get(b"inactive_file", 0))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _number(text: bytes) -> int | None:
    """A count of bytes; None for `max` and for what is no number that memory could have."""
    return int(text) if text.isdigit() and len(text) <= DIGITS else None


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

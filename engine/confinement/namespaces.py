"""Namespaces: users, processes, network, mounts and SysV objects of the worker's own, each as far as the system allows."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
from collections.abc import Iterable

from engine.confinement import kernel

_NEWUSER = 0x10000000
_FLAGS = {"pid": 0x20000000, "net": 0x40000000, "mount": 0x00020000, "ipc": 0x08000000}
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE = 442, -100, 0x8000
_ATTR_RDONLY, _ATTR_NOSUID = 1, 2
PROCESSES = 4096
"""Threads, in truth: a new process is refused."""
SCRATCH_BYTES = 256 * 1024 * 1024
SCRATCH_FILES = 16 * 1024
_OF_THE_SYSTEM = tuple(f"/proc/{name}" for name in ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "driver", "timer_list", "mtrr"))
"""What in /proc speaks for the whole machine and can be written to."""
_SCRATCH_PLACES = ("/dev/shm", "/mnt", "/media", "/srv", "/var/tmp", "/tmp")  # noqa: S108 - mounted over, not written to


def enter(wanted: Iterable[str] = tuple(_FLAGS)) -> set[str]:
    """Leave the system's namespaces for new ones: what was had, of `user pid net mount ipc`. A new `pid` begins with the next child."""
    if kernel.machine() is None:
        return set()
    had = {"user"} if _enter_user() else set()
    for name in wanted:
        try:
            kernel.unshare(_FLAGS[name])
        except OSError:
            continue
        had.add(name)
    return had


def _enter_user() -> bool:
    """A user namespace in which this user is still itself; that is what lets anybody have the others."""
    user, group = os.geteuid(), os.getegid()
    try:
        kernel.unshare(_NEWUSER)
    except OSError:
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        try:
            with open(f"/proc/self/{name}", "w", encoding="ascii") as stream:
                stream.write(text)
        except OSError:     # then files are still judged by the true user; only the numbers look foreign
            return True
    return True


def arrange_mounts(had: set[str], readable: Iterable[str], names_threads: bool = False) -> tuple[set[str], str | None]:
    """In a mount namespace of its own: everything read-only, a fresh /proc, a small tmpfs. What of `readonly proc` holds, and the scratch folder.

    `names_threads` leaves the processes' own part of the fresh /proc writable, as CUDA needs it.
    """
    if "mount" not in had:
        return set(), None
    holds: set[str] = set()
    try:
        kernel.mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    except OSError:
        return holds, None
    if _make_readonly():
        holds.add("readonly")
    if "pid" in had and _mounted("proc", "/proc", "proc", None):
        holds.add("proc")
        _bound_processes()
        for path in _OF_THE_SYSTEM if names_threads else ("/proc",):
            _keep_readonly(path)
    place = scratch_place(readable)
    options = f"size={SCRATCH_BYTES},nr_inodes={SCRATCH_FILES},mode=700"
    return holds, place if place and _mounted("scratch", place, "tmpfs", options) else None


def _keep_readonly(path: str) -> None:
    """Root's writes to /proc/sys would reach the whole system."""
    with contextlib.suppress(OSError):      # not every system has each
        if path != "/proc":
            kernel.mount(path, path, None, _MS_BIND)
        kernel.mount(path, path, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)


def _make_readonly() -> bool:
    class Attributes(ctypes.Structure):
        _fields_ = tuple((name, ctypes.c_uint64) for name in ("add", "clear", "propagation", "userns"))

    made = Attributes(_ATTR_RDONLY | _ATTR_NOSUID, 0, 0, 0)
    try:
        kernel.call(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, ctypes.byref(made), ctypes.sizeof(made))
    except OSError:     # before Linux 5.12
        return False
    return True


def _mounted(source: str, target: str, kind: str, options: str | None) -> bool:
    try:
        kernel.mount(source, target, kind, _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, options)
    except OSError:     # a container that hides parts of /proc forbids a new one
        return False
    return True


def scratch_place(readable: Iterable[str]) -> str | None:
    """A folder that may be mounted over: one under which nothing readable lies."""
    needed = [os.path.realpath(path) for path in readable]
    for place in _SCRATCH_PLACES:
        if os.path.isdir(place) and not os.path.islink(place) and not any(path == place or path.startswith(place + "/") for path in needed):
            return place
    return None


def _bound_processes() -> None:
    """At most so many processes and threads in this pid namespace. Before Linux 6.14 the number was the whole system's, and is left alone."""
    if release() >= (6, 14):
        with contextlib.suppress(OSError), open("/proc/sys/kernel/pid_max", "w", encoding="ascii") as stream:
            stream.write(str(PROCESSES))


def release() -> tuple[int, ...]:
    """The kernel's version: (6, 14); (0, 0) where it cannot be read."""
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return (int(found[1]), int(found[2])) if found else (0, 0)

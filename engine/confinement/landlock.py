"""Landlock: which files may be read and written, as an allow-list; no TCP; signals and abstract sockets stay inside."""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

from engine.confinement import kernel

_CREATE, _ADD, _RESTRICT = 444, 445, 446     # the same number on every architecture
_VERSION_FLAG, _PATH_BENEATH = 1, 1

WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_RIGHTS_BY_ABI = (0, (1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1, (1 << 16) - 1)
"""All rights on files that an ABI knows; later ABIs add none."""
_OF_FILES = 1 | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL_DEV
_TCP = 0b11
_SIGNALS_AND_ABSTRACT_SOCKETS = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """The kernel's version of Landlock; 0 where there is none."""
    if kernel.machine() is None:
        return 0
    try:
        return kernel.call(_CREATE, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(read: Iterable[str], names: Iterable[str] = (), write: Iterable[str] = (), devices: Iterable[str] = ()) -> bool:
    """Only these files from now on: read, listed by name, written below, used as devices. False where the kernel has no Landlock.

    Needs no_new_privs. What does not exist is left out.
    """
    version = abi()
    if version == 0:
        return False
    handled = _RIGHTS_BY_ABI[min(version, len(_RIGHTS_BY_ABI) - 1)]
    ruleset = _Ruleset(handled, _TCP if version >= 4 else 0, _SIGNALS_AND_ABSTRACT_SOCKETS if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    descriptor = kernel.call(_CREATE, ctypes.byref(ruleset), size, 0)
    try:
        for paths, rights in (
            (read, READ_FILE | READ_DIR), (names, READ_DIR), (write, handled & ~1), (devices, READ_FILE | WRITE_FILE | _TRUNCATE | _IOCTL_DEV),
        ):
            for path in paths:
                _allow(descriptor, path, rights & handled)
        kernel.call(_RESTRICT, descriptor, 0)
    finally:
        os.close(descriptor)
    return True


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:     # not there, or not ours to see
        return
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            rights &= _OF_FILES
        if rights:
            kernel.call(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(_Beneath(rights, parent)), 0)
    finally:
        os.close(parent)

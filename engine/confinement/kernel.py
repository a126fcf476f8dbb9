"""System calls that Python has no function for, on Linux for x86_64 and aarch64."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from typing import Any

ARCHITECTURES = ("x86_64", "aarch64")


def machine() -> str | None:
    """The machine's name where the numbers of its system calls are known, else None."""
    if not sys.platform.startswith("linux") or sys.byteorder != "little" or sys.maxsize < 2**32:
        return None
    name = os.uname().machine
    return name if name in ARCHITECTURES else None


@functools.lru_cache(maxsize=1)
def _libc() -> Any:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def call(number: int, *arguments: Any) -> int:
    """`syscall(2)`; integers go as longs. Raises OSError."""
    made = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return _checked(int(_libc().syscall(ctypes.c_long(number), *made)))


def prctl(option: int, *arguments: int) -> int:
    """`prctl(2)`; raises OSError."""
    padded = [*arguments, 0, 0, 0, 0][:4]
    return _checked(int(_libc().prctl(ctypes.c_int(option), *(ctypes.c_ulong(each) for each in padded))))


def unshare(flags: int) -> None:
    """`unshare(2)`; raises OSError."""
    _checked(int(_libc().unshare(ctypes.c_int(flags))))


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """`mount(2)`; raises OSError."""
    texts = [None if each is None else os.fsencode(each) for each in (source, target, kind, data)]
    _checked(int(_libc().mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

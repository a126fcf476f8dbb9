"""Limits of one worker: no capabilities, bounded memory and files, and a home of its own."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

from engine.confinement import kernel
from engine.confinement.environment import may_pass
from engine.confinement.namespaces import PROCESSES

_FILES = 4096
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _CLEAR_ALL = 24, 38, 47, 4
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522


def no_new_privileges() -> None:
    """No program that it starts gains any; Landlock and seccomp ask for this first. Raises OSError."""
    kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """What root, or a namespace, gave; raises OSError when some would remain."""
    for number in range(64):
        try:
            kernel.prctl(_PR_CAPBSET_DROP, number)
        except OSError:     # past the last one, or none to begin with
            break
    with contextlib.suppress(OSError):
        kernel.prctl(_PR_CAP_AMBIENT, _CLEAR_ALL)
    machine = kernel.machine()
    if machine is not None:
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        kernel.call(_CAPSET[machine], ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


def bound(data_bytes: int | None, file_bytes: int, own_user: bool) -> None:
    """Limits of the kernel's own: private memory, size of files, open files, no core; threads where they are counted in a namespace of its own.

    Never the address space: CUDA reserves terabytes of it.
    """
    import resource

    wanted = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, file_bytes), (resource.RLIMIT_NOFILE, _FILES)]
    if data_bytes is not None:
        wanted.append((resource.RLIMIT_DATA, data_bytes))
    if own_user:
        wanted.append((resource.RLIMIT_NPROC, PROCESSES))
    if hasattr(resource, "RLIMIT_MSGQUEUE"):
        wanted.append((resource.RLIMIT_MSGQUEUE, 0))
    for what, most in wanted:
        hard = resource.getrlimit(what)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (value, value))


def drop_variables() -> None:
    """No variable that could be a secret is left."""
    for name in [name for name in os.environ if not may_pass(name)]:
        del os.environ[name]


def live_in(scratch: str | None) -> None:
    """Home and temporary files are the scratch folder, or nowhere; no variable that could be a secret is left."""
    drop_variables()
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]
    home = scratch or "/nonexistent"
    os.environ["HOME"] = os.environ["TMPDIR"] = home
    for name, folder in (("XDG_CACHE_HOME", ".cache"), ("XDG_CONFIG_HOME", ".config"), ("XDG_DATA_HOME", ".data"), ("XDG_RUNTIME_DIR", ".run")):
        os.environ[name] = os.path.join(home, folder)
    if "tempfile" in sys.modules:       # it may have looked the folder up before
        vars(sys.modules["tempfile"])["tempdir"] = None

"""What truly holds: that which must not work is tried, and only what was refused counts."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Callable
from typing import Any

from engine.confinement.environment import may_pass
from engine.confinement.policy import PROTECTIONS

_REFUSALS = (errno.EPERM, errno.EACCES, errno.EROFS)


def held(layers: set[str], data_bytes: int | None) -> tuple[str, ...]:
    """Codes of PROTECTIONS, each tried; `layers` are the ones that were put on."""
    proofs: dict[str, Callable[[], bool]] = {
        "network": lambda: all(_refused(_open_socket, *each) for each in _sockets()) and _refused(_connect),
        "write": lambda: bool({"landlock", "readonly"} & layers) and _refused(_write_nearby),
        "read": lambda: "landlock" in layers and _refused(os.listdir, "/"),
        "processes": lambda: _cannot_fork() and _refused(os.execv, "/bin/false", ["false"]) and _is_alone(),
        "signals": lambda: _refused(os.kill, 0, 0) and _refused(os.kill, -1, 0),
        "memory": lambda: data_bytes is not None and 0 <= _data_limit() <= data_bytes,
        "environment": lambda: all(may_pass(name) for name in os.environ),
    }
    return tuple(name for name in PROTECTIONS if proofs[name]())


def _refused(attempt: Callable[..., Any], *arguments: Any) -> bool:
    try:
        attempt(*arguments)
    except OSError as error:
        return error.errno in _REFUSALS
    return False


def _sockets() -> tuple[tuple[int, int], ...]:
    return (socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET6, socket.SOCK_DGRAM), (socket.AF_UNIX, socket.SOCK_DGRAM)


def _open_socket(family: int, kind: int) -> None:
    socket.socket(family, kind).close()


def _connect() -> None:
    """To a name that nobody has; where the socket itself is refused, so is this."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.connect("\0model-dyno-nobody")


def _write_nearby() -> None:
    """A file without a name in the program's own folder: gone with its descriptor should it be made after all."""
    os.close(os.open(os.path.dirname(os.path.abspath(__file__)), os.O_TMPFILE | os.O_RDWR, 0o600))


def _cannot_fork() -> bool:
    """The C library's fork, without Python's preparations; a child that should not be leaves at once."""
    child = ctypes.CDLL(None, use_errno=True).fork()
    if child == 0:
        os._exit(0)
    if child > 0:
        os.waitpid(child, 0)
    return bool(child < 0)


def _is_alone() -> bool:
    """/proc shows itself and the namespace's first process, and nobody else."""
    return len([name for name in os.listdir("/proc") if name.isdigit()]) <= 2


def _data_limit() -> int:
    """In bytes; -1 is none."""
    import resource

    return resource.getrlimit(resource.RLIMIT_DATA)[0]

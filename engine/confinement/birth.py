"""How the fork server's confined workers are born: into namespaces of their own, and still as the server's own children."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from engine.confinement import kernel, namespaces

_PR_SET_CHILD_SUBREAPER = 36


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Meanwhile orphans below this process become its own children. Raises OSError where the system knows no such thing."""
    kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        kernel.prctl(_PR_SET_CHILD_SUBREAPER, 0)


def deliver(line: socket.socket, server: int, become: Callable[[set[str], bool], None]) -> NoReturn:
    """In a fresh child of the server: enter namespaces, fork what lives in them, tell the server who they are, and go.

    A pid namespace begins with the next child, and all in it die with its first. That first one is no worker (signals that it sends itself would not
    reach it) but a keeper that waits for the end of the server. The worker is the second. Both are handed to the server when this process ends. Where
    there is no pid namespace this process is the worker itself. `server` is a pidfd; `become(namespaces, kept)` does not return.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    had = namespaces.enter()
    if "pid" not in had:
        _tell(line, os.getpid(), None)
        become(had, False)
        os._exit(1)
    keeper = os.fork()
    if keeper == 0:
        _keep(server)
    worker = os.fork()
    if worker == 0:
        become(had, True)
        os._exit(1)
    _tell(line, worker, keeper)
    os._exit(0)


def _tell(line: socket.socket, worker: int, keeper: int | None) -> None:
    line.send(json.dumps({"worker": worker, "keeper": keeper}).encode())


def _keep(server: int) -> NoReturn:
    """Be the first of the namespace: end with the server, and everybody else in it with you."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.dup2(server, 3)
        os.closerange(4, int(os.sysconf("SC_OPEN_MAX")) if not os.path.isdir("/proc/self/fd") else 1 + max(map(int, os.listdir("/proc/self/fd"))))
        waiting = select.poll()
        waiting.register(3, select.POLLIN)
        waiting.poll()
    finally:
        os._exit(0)


def heard(line: socket.socket, timeout_s: float) -> dict[str, Any] | None:
    """What was told on `line`; None when the teller died, said nothing in time, or nonsense."""
    line.settimeout(timeout_s)
    try:
        answer = json.loads(line.recv(65536))
    except (OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None

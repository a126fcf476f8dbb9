"""How the fork server's confined workers are born into namespaces of their own, and how the server learns what becomes of them.

A pid namespace begins with the next child, and all in it die with its first process. That first one is no worker (signals that it sends itself would not
reach it) but a keeper: it forks the worker, ends with the server, and collects the worker when the server asks. The server's own child in between only
enters the namespaces and goes; the server adopts the keeper. Where there is no pid namespace that child is the worker itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

from engine.confinement import kernel, namespaces

_PR_SET_CHILD_SUBREAPER = 36
_LINE_FD, _SERVER_FD = 3, 4
_MESSAGE_BYTES = 4096


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Meanwhile orphans below this process become its own children. Raises OSError where the system knows no such thing."""
    kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        kernel.prctl(_PR_SET_CHILD_SUBREAPER, 0)


def deliver(line: socket.socket, server: int, become: Callable[[set[str], bool], None], with_namespaces: bool = True) -> NoReturn:
    """In a fresh child of the server: enter namespaces, and be or fork what lives there.

    `server` is a pidfd of the server, `become(namespaces, kept)` makes a worker of its process and does not return.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    had = namespaces.enter() if with_namespaces else set()
    if "pid" not in had:
        _introduce(line, os.getpid(), kept=False)
        become(had, False)
        os._exit(1)
    keeper = os.fork()
    if keeper == 0:
        _keep(line, server, lambda: become(had, True))
    line.send(json.dumps({"keeper": keeper}).encode())
    os._exit(0)


def _introduce(line: socket.socket, worker: int, kept: bool) -> None:
    """The worker by its handle: its number is another one outside."""
    handle = os.pidfd_open(worker)
    socket.send_fds(line, [json.dumps({"kept": kept}).encode()], [handle])
    os.close(handle)


def _keep(line: socket.socket, server: int, become: Callable[[], None]) -> NoReturn:
    """Be the first process of the namespace, from the worker's birth to its collection or the server's end."""
    try:
        worker = os.fork()
        if worker == 0:
            become()
        _introduce(line, worker, kept=True)
        above = 1 + max(line.fileno(), server, _SERVER_FD)
        os.dup2(server, above)
        os.dup2(line.fileno(), _LINE_FD)
        os.dup2(above, _SERVER_FD)
        os.closerange(_SERVER_FD + 1, 1 + max(int(name) for name in os.listdir("/proc/self/fd")))
        if _is_asked():
            os.write(_LINE_FD, json.dumps({"code": os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])}).encode())
    finally:
        os._exit(0)


def _is_asked() -> bool:
    """Wait for the server's word that the worker is to be collected; False when the server is gone."""
    waiting = select.poll()
    waiting.register(_LINE_FD, select.POLLIN)
    waiting.register(_SERVER_FD, select.POLLIN)
    ready = {descriptor for descriptor, _ in waiting.poll()}
    return _SERVER_FD not in ready and bool(os.read(_LINE_FD, _MESSAGE_BYTES))


class Birth:
    """What the server is told on its line while a worker is born."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.handle = -1
        """A pidfd of the worker; -1 before it is there."""
        self.keeper: int | None = None
        self.held: tuple[str, ...] = ()
        self._kept = False
        self._spoke = False

    def attend(self, timeout_s: float) -> bool:
        """Listen until the worker says what holds it, dies, or takes too long; whether there is a worker."""
        deadline = time.monotonic() + timeout_s
        while not self._is_complete() and (left := deadline - time.monotonic()) > 0:
            watched: list[int] = [self.line.fileno()]
            if self.handle >= 0 and not self._spoke:
                watched.append(self.handle)
            ready = select.select(watched, [], [], left)[0]
            if self.line.fileno() in ready and not self._hear():
                break
            if ready == [self.handle]:      # it died, and all that it said was heard
                self._spoke = True
        return self.handle >= 0 and self._kept == (self.keeper is not None)

    def _is_complete(self) -> bool:
        return self._spoke and self._kept == (self.keeper is not None)

    def _hear(self) -> bool:
        """Take in one message; False when nobody is left to send one."""
        data, descriptors, _, _ = socket.recv_fds(self.line, _MESSAGE_BYTES, 1)
        if not data:
            return False
        said = json.loads(data)
        self.keeper = said.get("keeper", self.keeper)
        self._kept = said.get("kept", self._kept)
        self.handle = descriptors[0] if descriptors else self.handle
        if "held" in said:
            self.held, self._spoke = tuple(said["held"]), True
        return True

    def worker_pid(self, was_born: bool = True) -> int:
        """The worker's number as this process sees it; raises OSError where there is none, or /proc does not tell."""
        if not was_born:
            raise OSError("a confined worker could not be started")
        with open(f"/proc/self/fdinfo/{self.handle}", encoding="ascii") as stream:
            found = next((int(line.split()[1]) for line in stream if line.startswith("Pid:")), -1)
        if found <= 0:
            raise OSError("the number of a new worker is not known")
        return found


class Keeper:
    """The server's hold on the keeper of one worker."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid, self._line = pid, line

    def collect(self, timeout_s: float) -> int | None:
        """The worker's exit code; afterwards nothing of its namespace is left. None when nobody knows."""
        code = None
        with contextlib.suppress(OSError, ValueError):
            self._line.settimeout(timeout_s)
            self._line.send(b"collect")
            code = json.loads(self._line.recv(_MESSAGE_BYTES))["code"]
        self.kill()
        os.waitpid(self.pid, 0)
        self._line.close()
        return code

    def kill(self) -> None:
        """End the namespace with everything in it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

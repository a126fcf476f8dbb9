"""Worker processes as the engine sees them: how they are started, watched by pidfd, signalled and collected."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

import msgspec

from engine.confinement import PROTECTIONS, Policy, without_secrets
from engine.launch import LENT_VARIABLE

APPLICATION_FOLDER = Path(__file__).resolve().parent.parent
_REPLY_SECONDS = 10.0
_LAST_WORDS_BYTES, _LAST_WORDS_SHOWN = 2000, 200


class EngineLost(Exception):
    """The fork server is gone, or could not be started; the text says what it said."""


class Worker(Protocol):
    """A worker process, however it was started."""

    pid: int
    channel: socket.socket
    log_fd: int
    exit_fd: int | None
    """Readable once the process is over; None where the system has no such thing."""
    held: tuple[str, ...]
    """What confines it: codes of engine.confinement.PROTECTIONS that were tried and hold."""

    def has_exited(self) -> bool:
        """Whether the process is over, though perhaps not yet collected."""

    def send_signal(self, sig: int) -> None:
        """Signal the process; nothing happens when it is over."""

    def collect(self) -> int | None:
        """Kill what is left of the group, free the process and its fds; exit code, negative for a signal, None if nobody knows."""


def child_environment() -> dict[str, str]:
    """Environment of every child process: no secrets; nothing of the current folder is importable, the application's folder is."""
    environment = without_secrets(os.environ)
    environment["PYTHONSAFEPATH"] = "1"
    environment["PYTHONPATH"] = os.pathsep.join(_import_paths())
    environment["PYTHONUNBUFFERED"] = "1"
    environment[LENT_VARIABLE] = str(Path(msgspec.__file__).resolve().parent)
    environment.pop("PYTHONSTARTUP", None)
    return environment


def _import_paths() -> list[str]:
    inherited = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and os.path.isabs(path)]
    return [str(APPLICATION_FOLDER), *(path for path in inherited if path != str(APPLICATION_FOLDER))]


def can_fork() -> bool:
    """Whether this system has what the fork server needs (Linux 5.3 and later)."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


class ForkServer:
    """The engine's handle on one fork server: one interpreter, torch preloaded."""

    def __init__(self, python: str) -> None:
        self.python = python
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # What it prints while it imports is nobody's business unless it fails.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        try:
            self._process = subprocess.Popen(
                [python, "-m", "engine.launch", "--serve", str(theirs.fileno())],
                pass_fds=[theirs.fileno()], cwd=APPLICATION_FOLDER, env=child_environment(),
                stdin=subprocess.DEVNULL, stdout=self._said, stderr=self._said, start_new_session=True,
            )
        except OSError as error:
            self._control.close()
            self._said.close()
            raise EngineLost(f"{python} could not be started: {error}") from error
        finally:
            theirs.close()
        self._ready = False

    @property
    def pid(self) -> int:
        """The fork server's own process id."""
        return self._process.pid

    def fileno(self) -> int:
        """The control socket, readable when the server has said `ready` (or died)."""
        return self._control.fileno()

    def wait_ready(self, timeout_s: float) -> bool:
        """Wait until torch is loaded in the server; False when that takes longer than `timeout_s`."""
        if not self._ready:
            if not select.select([self._control], [], [], timeout_s)[0]:
                return False
            try:
                answer = self._receive()
            except EngineLost as error:
                raise EngineLost(f"{self.python} is no Python that could start it: {self._last_words() or error}") from error
            if "failed" in answer:
                raise EngineLost(str(answer["failed"]))
            self._ready = True
        return True

    def _last_words(self) -> str:
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - _LAST_WORDS_BYTES))
        return " ".join(self._said.read().decode("utf-8", errors="replace").split())[-_LAST_WORDS_SHOWN:]

    def is_alive(self) -> bool:
        """Whether the server process still runs."""
        return self._process.poll() is None

    def spawn(self, policy: Policy | None = None) -> ForkedWorker:
        """Fork a worker, confined where `policy` says so; raises EngineLost when the server is gone or cannot fork."""
        ours, theirs = socket.socketpair()
        log_read, log_write = os.pipe2(os.O_CLOEXEC)
        request = json.dumps({"spawn": policy.on_the_wire() if policy else True}).encode()
        try:
            socket.send_fds(self._control, [request], [theirs.fileno(), log_write])
            answer, pidfd = self._receive_with_descriptor()
        except (OSError, EngineLost) as error:
            ours.close()
            os.close(log_read)
            raise EngineLost(f"the fork server is gone: {error}") from error
        finally:
            theirs.close()
            os.close(log_write)
        return ForkedWorker(self, int(str(answer["pid"])), pidfd, ours, log_read, _known(answer.get("held")))

    def reap(self, pid: int) -> int | None:
        """Exit code of a dead worker (negative: signal); None when the server is gone and nobody knows."""
        try:
            self._control.send(json.dumps({"reap": pid}).encode())
            code = self._receive().get("code")
        except (OSError, EngineLost):
            return None
        return code if isinstance(code, int) else None

    def _receive(self) -> dict[str, object]:
        return self._receive_with_descriptor(expects_descriptor=False)[0]

    def _receive_with_descriptor(self, expects_descriptor: bool = True) -> tuple[dict[str, object], int]:
        if not select.select([self._control], [], [], _REPLY_SECONDS)[0]:
            raise EngineLost(f"no answer for {_REPLY_SECONDS:g} s")
        data, descriptors, _, _ = socket.recv_fds(self._control, 65536, 1)
        if not data:
            raise EngineLost("it hung up")
        answer: dict[str, object] = json.loads(data)
        if "refused" in answer:
            raise EngineLost(str(answer["refused"]))
        if expects_descriptor and not descriptors:
            raise EngineLost("it sent no process handle")
        return answer, descriptors[0] if descriptors else -1

    def close(self) -> None:
        """Hang up, which ends the server and every worker of it, and wait until it is gone."""
        self._control.close()
        self._said.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class ForkedWorker:
    """A worker that the fork server made: judged and signalled by pidfd alone."""

    def __init__(self, server: ForkServer, pid: int, pidfd: int, channel: socket.socket, log_fd: int, held: tuple[str, ...] = ()) -> None:
        self._server, self.pid, self.exit_fd, self.channel, self.log_fd, self.held = server, pid, pidfd, channel, log_fd, held
        channel.setblocking(False)
        os.set_blocking(log_fd, False)

    def has_exited(self) -> bool:
        """Whether the pidfd says that the process is over."""
        return bool(select.select([self.exit_fd], [], [], 0)[0])

    def send_signal(self, sig: int) -> None:
        """Signal by pidfd: never a recycled pid."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.exit_fd, sig)

    def collect(self) -> int | None:
        """Kill what is left of the group (its zombie holds the group's id), reap, free all fds."""
        _kill_group(self.pid)
        code = self._server.reap(self.pid)
        os.close(self.exit_fd)
        _close_pipes(self.channel, self.log_fd)
        return code


class SpawnedWorker:
    """A worker started as a plain new process, where there is no fork server."""

    def __init__(self, python: str, policy: Policy | None = None) -> None:
        ours, theirs = socket.socketpair()
        log_read, log_write = os.pipe()
        line_read, line_write = os.pipe()
        confined = [str(line_write), json.dumps(policy.on_the_wire())] if policy else []
        try:
            self._process = subprocess.Popen(
                [python, "-m", "engine.launch", "--worker", str(theirs.fileno()), str(log_write), *confined],
                pass_fds=[theirs.fileno(), log_write, line_write], cwd=APPLICATION_FOLDER, env=child_environment(), stdin=subprocess.DEVNULL,
            )
        except OSError as error:
            ours.close()
            os.close(log_read)
            os.close(line_read)
            raise EngineLost(f"{python} could not be started: {error}") from error
        finally:
            theirs.close()
            os.close(log_write)
            os.close(line_write)
        self.held = _told_on(line_read) if policy else ()
        os.close(line_read)
        self.pid, self.channel, self.log_fd = self._process.pid, ours, log_read
        self.exit_fd = os.pidfd_open(self.pid) if hasattr(os, "pidfd_open") else None
        ours.setblocking(False)
        os.set_blocking(log_read, False)

    def has_exited(self) -> bool:
        """Whether the process is over; the pidfd is asked where there is one, so that the zombie keeps its group id."""
        if self.exit_fd is None:
            return self._process.poll() is not None
        return bool(select.select([self.exit_fd], [], [], 0)[0])

    def send_signal(self, sig: int) -> None:
        """Signal the process."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(sig)

    def collect(self) -> int | None:
        """Kill what is left of the group, wait for the process, free all fds."""
        _kill_group(self.pid)
        code = self._process.wait()
        if self.exit_fd is not None:
            os.close(self.exit_fd)
        _close_pipes(self.channel, self.log_fd)
        return code


def _told_on(line: int) -> tuple[str, ...]:
    """What a new process says of its confinement; nothing when it dies before or takes too long."""
    if not select.select([line], [], [], _REPLY_SECONDS)[0]:
        return ()
    try:
        answer = json.loads(os.read(line, 65536) or b"{}")
    except ValueError:
        return ()
    return _known(answer.get("held")) if isinstance(answer, dict) else ()


def _known(held: object) -> tuple[str, ...]:
    """Codes that are codes of protections."""
    return tuple(code for code in PROTECTIONS if code in held) if isinstance(held, list) else ()


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _close_pipes(channel: socket.socket, log_fd: int) -> None:
    channel.close()
    os.close(log_fd)

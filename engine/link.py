"""The engine's line to one worker: commands out, answers and log in, nothing of which ever blocks."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import deque

from engine import messages
from engine.process import Worker
from engine.wire import FrameReader, ProtocolError, frame

LOG_HEAD_BYTES = 16 * 1024
LOG_TAIL_BYTES = 48 * 1024
_READ_BYTES = 256 * 1024


class Log:
    """The first and the last of what a worker printed; a gigabyte of prints costs 64 KiB."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, data: bytes) -> None:
        """Take in what was printed."""
        room = LOG_HEAD_BYTES - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > 2 * LOG_TAIL_BYTES:
            self._dropped += len(self._tail) - LOG_TAIL_BYTES
            del self._tail[:-LOG_TAIL_BYTES]

    def text(self) -> str:
        """The log, with a note where its middle is left out."""
        middle = f"\n... {self._dropped} bytes left out ...\n".encode() if self._dropped else b""
        return (bytes(self._head) + middle + bytes(self._tail)).decode("utf-8", errors="replace").replace("\0", "")


class Link:
    """One worker as the engine talks to it."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.device = ""
        """Where it computes; empty while nobody has said."""
        self.answers: deque[messages.Answer] = deque()
        self.log = Log()
        self.broken: ProtocolError | None = None
        self.hung_up = False
        self.exit_code: int | None = None
        self._reader = FrameReader()
        self._unanswered = 0
        self._collected = False
        self.log_open = True

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self.worker.pid

    @property
    def held(self) -> tuple[str, ...]:
        """What confines the worker: codes of engine.confinement.PROTECTIONS."""
        return self.worker.held

    def send(self, command: messages.Command) -> None:
        """Queue a command in the socket; raises ProtocolError when the worker has stopped reading."""
        try:
            data = frame(command)
            if self.worker.channel.send(data) != len(data):
                raise ProtocolError("it stopped reading commands")
            self._unanswered += 1
        except BlockingIOError as error:
            raise ProtocolError("it stopped reading commands") from error
        except OSError:
            self.hung_up = True

    def read_answers(self) -> bool:
        """Take in some of what the channel holds now, False when there was nothing; a broken rule is remembered in `broken`, never raised."""
        if self.broken is not None or self.hung_up:
            return False
        try:
            data = self.worker.channel.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.hung_up = True
            return False
        try:
            self._take(self._reader.feed(data))
        except ProtocolError as error:
            self.broken = error
        return True

    def _take(self, answers: list[messages.Answer]) -> None:
        """One answer for each command: more of them would be figures that nobody asked for, and could fill the memory while nobody waits."""
        expected = answers[: self._unanswered]
        self._unanswered -= len(expected)
        self.answers.extend(expected)
        if len(answers) > len(expected):
            raise ProtocolError("an answer that nobody asked for")

    def check_stalled(self) -> None:
        """Remember half a message that does not go on."""
        if self.broken is None:
            try:
                self._reader.check_stalled()
            except ProtocolError as error:
                self.broken = error

    def read_log(self, limit_bytes: int = 1024 * 1024) -> None:
        """Take in what was printed, at most `limit_bytes` at a time so that a flood does not hold the engine."""
        while self.log_open and limit_bytes > 0:
            try:
                data = os.read(self.worker.log_fd, _READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                self.log_open = False
                return
            self.log.add(data)
            limit_bytes -= len(data)

    def has_exited(self) -> bool:
        """Whether the worker process is over."""
        return self._collected or self.worker.has_exited()

    def drain(self) -> None:
        """After the exit: all that the worker had still sent and printed."""
        while self.read_answers():
            continue
        self.read_log()

    def terminate(self) -> None:
        """SIGTERM: the default action, since workers leave it alone."""
        self.worker.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the worker; `collect` kills what is left of its group."""
        self.worker.send_signal(signal.SIGKILL)

    def hang_up(self) -> None:
        """Tell the worker that it may go."""
        with contextlib.suppress(OSError):
            self.worker.channel.shutdown(2)

    def collect(self) -> int | None:
        """Free everything of a worker that has exited; its exit code, negative for a signal."""
        if not self._collected:
            self.drain()
            self._collected = True
            self.exit_code = self.worker.collect()
        return self.exit_code

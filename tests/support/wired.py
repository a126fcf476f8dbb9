"""A worker without a process: the test holds the other end of its channel and log."""

from __future__ import annotations

import os
import socket

from engine import messages
from engine.link import Link


class FakeWorker:
    """What `engine.process.Worker` asks for; `theirs` and `print` are the worker's own ends."""

    def __init__(self) -> None:
        self.pid, self.exit_fd = 0, None
        self.channel, self.theirs = socket.socketpair()
        self.log_fd, self.log_write = os.pipe()
        self.channel.setblocking(False)
        os.set_blocking(self.log_fd, False)
        self.exited = False
        self.signals: list[int] = []
        self.collected = 0

    def has_exited(self) -> bool:
        return self.exited

    def send_signal(self, sig: int) -> None:
        self.signals.append(sig)

    def collect(self) -> int:
        self.collected += 1
        return 0

    def say(self, *answers: messages.Answer) -> None:
        """Send answers."""
        for answer in answers:
            body = messages.encode(answer)
            self.theirs.sendall(len(body).to_bytes(4, "big") + body)

    def print(self, text: bytes) -> None:
        """Print to the log."""
        os.write(self.log_write, text)

    def close(self) -> None:
        """Free what is still open."""
        self.channel.close()
        self.theirs.close()
        for descriptor in (self.log_fd, self.log_write):
            if descriptor >= 0:
                os.close(descriptor)


def linked() -> tuple[Link, FakeWorker]:
    """A link and its worker."""
    worker = FakeWorker()
    return Link(worker), worker  # type: ignore[arg-type]

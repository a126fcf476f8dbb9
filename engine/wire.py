"""Frames on a stream socket: four bytes of big-endian length, then a msgpack message."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import msgspec

from engine import messages

MAX_FRAME_BYTES = 16 * 1024 * 1024
MAX_FRAME_SECONDS = 2.0
_HEADER = 4


class ProtocolError(Exception):
    """The other end broke the rules of the wire; the text says how."""


class FrameReader:
    """Decodes answers from raw bytes as they come; never blocks and believes no length above 16 MiB."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._buffer = bytearray()
        self._clock = clock
        self._since: float | None = None

    def feed(self, data: bytes) -> list[messages.Answer]:
        """All answers that `data` completes; raises ProtocolError for a bad length or an undecodable message."""
        self._buffer += data
        answers: list[messages.Answer] = []
        while (frame := self._next_frame()) is not None:
            try:
                answers.append(messages.ANSWERS.decode(frame))
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
                raise ProtocolError(f"a message that is none: {error}") from error
        if not self._buffer:
            self._since = None
        elif self._since is None:
            self._since = self._clock()
        return answers

    def _next_frame(self) -> bytes | None:
        if len(self._buffer) < _HEADER:
            return None
        length = int.from_bytes(self._buffer[:_HEADER], "big")
        if length > MAX_FRAME_BYTES:
            raise ProtocolError(f"a message of {length} bytes was announced")
        if len(self._buffer) < _HEADER + length:
            return None
        frame = bytes(self._buffer[_HEADER : _HEADER + length])
        del self._buffer[: _HEADER + length]
        self._since = None
        return frame

    def check_stalled(self) -> None:
        """Raise ProtocolError when a message was begun over two seconds ago and is not whole yet."""
        if self._since is not None and self._clock() - self._since > MAX_FRAME_SECONDS:
            raise ProtocolError(f"half a message: {len(self._buffer)} bytes, then nothing for {MAX_FRAME_SECONDS:g} s")

    @property
    def holds_partial(self) -> bool:
        """Whether bytes of an unfinished message are waiting."""
        return bool(self._buffer)


def frame(message: messages.Message) -> bytes:
    """A message with its length in front; raises ProtocolError above 16 MiB."""
    body = messages.encode(message)
    if len(body) > MAX_FRAME_BYTES:
        raise ProtocolError(f"a message of {len(body)} bytes is too large to send")
    return len(body).to_bytes(_HEADER, "big") + body


def receive_command(channel: socket.socket) -> messages.Command | None:
    """The worker's end: block for the next command; None when the engine has gone."""
    header = _receive_exactly(channel, _HEADER)
    if header is None:
        return None
    body = _receive_exactly(channel, int.from_bytes(header, "big"))
    return None if body is None else messages.COMMANDS.decode(body)


def _receive_exactly(channel: socket.socket, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        data = channel.recv(count - len(parts))
        if not data:
            return None
        parts += data
    return bytes(parts)

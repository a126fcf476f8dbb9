"""Enough of the X11 protocol to ask a display in, and to draw a line of text and a bar, with nothing but a socket."""

from __future__ import annotations

import os
import re
import socket
import struct
import sys
from pathlib import Path

CREATE_WINDOW, MAP_WINDOW, INTERN_ATOM, CHANGE_PROPERTY, OPEN_FONT, CREATE_GC, CLEAR_AREA, FILL_RECTANGLES, TEXT = 1, 8, 16, 18, 45, 55, 61, 70, 76
ATOM_ATOM, ATOM_STRING, ATOM_WM_CLASS, ATOM_WM_NAME = 4, 31, 67, 39
EXPOSE, DESTROY_NOTIFY, CLIENT_MESSAGE, EVENT_BYTES = 12, 17, 33, 32
EVENT_MASK = (1 << 15) | (1 << 17)
LOCAL_FAMILIES = {256, 65535}
"""Entries of the authority file for this host, and for any."""


class DisplayRefusedError(Exception):
    """The display cannot be reached, or does not let us in; the message is the reason."""


def authority(number: int) -> tuple[bytes, bytes]:
    """(name, data) of the cookie for a display of this host; empty where there is none."""
    path = Path(os.environ.get("XAUTHORITY") or Path.home() / ".Xauthority")
    try:
        data = path.read_bytes()
    except OSError:
        return b"", b""
    at, host, found = 0, socket.gethostname().encode(), (b"", b"")
    while at + 2 <= len(data):
        (family,) = struct.unpack_from(">H", data, at)
        at += 2
        fields = []
        for _ in range(4):
            if at + 2 > len(data):
                return found
            (size,) = struct.unpack_from(">H", data, at)
            fields.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        address, shown, name, cookie = fields
        if name == b"MIT-MAGIC-COOKIE-1" and shown in {b"", str(number).encode()} and (family == 65535 or address == host or family not in LOCAL_FAMILIES):
            found = (name, cookie)
            if address == host:
                return found
    return found


def connect(display: str, timeout_s: float = 5.0) -> tuple[socket.socket, bytes]:
    """Open the display; gives the socket and the server's setup answer."""
    parts = re.fullmatch(r"(?:unix|(?P<host>[^:]*)):(?P<number>\d+)(?:\.\d+)?", display)
    if parts is None:
        raise DisplayRefusedError(f"{display!r} is no name of a display")
    host, number = parts["host"] or "", int(parts["number"])
    try:
        stream = _open(host, number, timeout_s)
        name, cookie = authority(number)
        stream.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie)) + _padded(name) + _padded(cookie))
        head = receive(stream, 8)
        answer = receive(stream, 4 * struct.unpack_from("<H", head, 6)[0])
    except (OSError, EOFError) as error:
        raise DisplayRefusedError(str(error) or type(error).__name__) from error
    if head[0] != 1:
        stream.close()
        raise DisplayRefusedError(answer[: head[1]].decode("latin-1").strip() or "it refused the connection")
    return stream, answer


def _open(host: str, number: int, timeout_s: float) -> socket.socket:
    if host:
        return socket.create_connection((host, 6000 + number), timeout_s)
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        raise OSError(f"{sys.platform} has no local sockets")
    last: OSError | None = None
    for path in (f"\0/tmp/.X11-unix/X{number}", f"/tmp/.X11-unix/X{number}"):  # noqa: S108 - where X servers listen
        stream = socket.socket(family, socket.SOCK_STREAM)
        stream.settimeout(timeout_s)
        try:
            stream.connect(path)
            return stream
        except OSError as error:
            stream.close()
            last = error
    raise last or OSError(host)


def receive(stream: socket.socket, count: int) -> bytes:
    """Exactly so many bytes; EOFError when the other end is gone."""
    data = b""
    while len(data) < count:
        part = stream.recv(count - len(data))
        if not part:
            raise EOFError("the display closed the connection")
        data += part
    return data


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


class Window:
    """One window of fixed size with text in the server's own font."""

    def __init__(self, display: str, title: str, width: int, height: int) -> None:
        self.stream, answer = connect(display)
        self.stream.settimeout(None)
        self.width, self.height = width, height
        base, mask, vendor, formats = struct.unpack_from("<4xII4xH3xB", answer, 0)
        self._next: int = base
        self._step = mask & -mask
        screen = 32 + vendor + (-vendor % 4) + 8 * formats
        root, _map, white, black = struct.unpack_from("<IIII", answer, screen)
        screen_width, screen_height = struct.unpack_from("<HH", answer, screen + 20)
        self.id, self._font, self._text, self._paper = (self._new_id() for _ in range(4))
        x, y = max(0, (screen_width - width) // 2), max(0, (screen_height - height) // 3)
        values = struct.pack("<II", white, EVENT_MASK)
        self._send(CREATE_WINDOW, 0, struct.pack("<IIhhHHHHII", self.id, root, x, y, width, height, 1, 1, 0, (1 << 1) | (1 << 11)) + values)
        self._property(ATOM_WM_NAME, ATOM_STRING, 8, title.encode("latin-1", "replace"))
        self._property(ATOM_WM_CLASS, ATOM_STRING, 8, b"model-dyno\0Model Dyno\0")
        self.delete = self._atom("WM_DELETE_WINDOW")
        self._property(self._atom("WM_PROTOCOLS"), ATOM_ATOM, 32, struct.pack("<I", self.delete))
        self._send(OPEN_FONT, 0, struct.pack("<IHxx", self._font, 5) + _padded(b"fixed"))
        for context, front, back in ((self._text, black, white), (self._paper, white, black)):
            self._send(CREATE_GC, 0, struct.pack("<IIIIII", context, self.id, (1 << 2) | (1 << 3) | (1 << 14), front, back, self._font))
        self._send(MAP_WINDOW, 0, struct.pack("<I", self.id))

    def clear(self) -> None:
        """Make all of it paper."""
        self._send(CLEAR_AREA, 0, struct.pack("<IhhHH", self.id, 0, 0, 0, 0))

    def text(self, x: int, y: int, line: str) -> None:
        """One line of Latin text with its baseline at y."""
        data = line.encode("latin-1", "replace")[:254]
        self._send(TEXT, len(data), struct.pack("<IIhh", self.id, self._text, x, y) + _padded(data))

    def bar(self, x: int, y: int, width: int, height: int, fraction: float) -> None:
        """A frame, filled from the left."""
        inner = struct.pack("<hhHH", x + 1, y + 1, width - 2, height - 2)
        self._send(FILL_RECTANGLES, 0, struct.pack("<IIhhHH", self.id, self._text, x, y, width, height))
        self._send(FILL_RECTANGLES, 0, struct.pack("<II", self.id, self._paper) + inner)
        filled = round((width - 4) * min(max(fraction, 0.0), 1.0))
        if filled:
            self._send(FILL_RECTANGLES, 0, struct.pack("<IIhhHH", self.id, self._text, x + 2, y + 2, filled, height - 4))

    def event(self) -> str:
        """Wait for the next event: `expose`, `close` or `other`."""
        try:
            data = receive(self.stream, EVENT_BYTES)
        except (EOFError, OSError):
            return "close"      # the display went away, or somebody killed the window
        kind = data[0] & 0x7F
        if kind == EXPOSE:
            return "expose"
        asks_to_close = kind == CLIENT_MESSAGE and struct.unpack_from("<I", data, 12)[0] == self.delete
        return "close" if asks_to_close or kind == DESTROY_NOTIFY else "other"

    def _new_id(self) -> int:
        self._next += self._step
        return self._next

    def _atom(self, name: str) -> int:
        self._send(INTERN_ATOM, 0, struct.pack("<Hxx", len(name)) + _padded(name.encode()))
        while (data := receive(self.stream, EVENT_BYTES))[0] != 1:
            if data[0] == 0:
                raise DisplayRefusedError(f"the display answered with error {data[1]}")
        return int(struct.unpack_from("<I", data, 8)[0])

    def _property(self, name: int, kind: int, size: int, data: bytes) -> None:
        self._send(CHANGE_PROPERTY, 0, struct.pack("<IIIBxxxI", self.id, name, kind, size, len(data) * 8 // size) + _padded(data))

    def _send(self, opcode: int, detail: int, body: bytes) -> None:
        self.stream.sendall(struct.pack("<BBH", opcode, detail, 1 + len(body) // 4) + body)

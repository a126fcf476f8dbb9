"""Pickle opcodes one by one, with bounded arguments: reads a pickle as text about an object, never makes the object."""

from __future__ import annotations

import pickletools
import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from engine.files.reading import Broken, TooComplex, Truncated

KEEP_BYTES = 1 << 16
"""Longer strings are stepped over and leave a `Blob`."""
OPERATIONS_LIMIT = 4_000_000
MATERIAL_LIMIT_BYTES = 128 << 20
TIME_LIMIT_S = 3.0

_LENGTH_BYTES = {pickletools.TAKEN_FROM_ARGUMENT1: 1, pickletools.TAKEN_FROM_ARGUMENT4: 4, pickletools.TAKEN_FROM_ARGUMENT4U: 4,
                 pickletools.TAKEN_FROM_ARGUMENT8U: 8}
_TEXTS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
_LONGS = {"LONG1", "LONG4"}
_PAIRS = {"GLOBAL", "INST"}


class Blob:
    """A string too long to keep: where it lies and how long it is."""

    __slots__ = ("length_bytes", "offset")

    def __init__(self, offset: int, length_bytes: int) -> None:
        self.offset, self.length_bytes = offset, length_bytes


class Lines:
    """A reader for one pickle inside a file: `end` is where its bytes stop, lines have a longest length."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self.file, self.end = file, end
        self.read = file.read

    def readline(self) -> bytes:
        """One line, newline included where it is not too long."""
        return self.file.readline(KEEP_BYTES)

    def left(self) -> int:
        """Bytes up to the end."""
        return self.end - self.file.tell()


def _table() -> dict[bytes, tuple[str, Callable[[Any], Any] | None, int]]:
    """One byte -> opcode's name, reader of a fixed-length or line argument, size of the length that stands before the argument."""
    table: dict[bytes, tuple[str, Callable[[Any], Any] | None, int]] = {}
    for opcode in pickletools.opcodes:
        argument = opcode.arg
        length = _LENGTH_BYTES.get(argument.n, 0) if argument else 0
        table[opcode.code.encode("latin-1")] = (opcode.name, argument.reader if argument and not length else None, length)
    return table


_TABLE = _table()


def operations(file: BinaryIO, end: int) -> Iterator[tuple[str, Any]]:
    """Name and argument of each opcode up to STOP, from the file's position on; raises Broken, Truncated or TooComplex."""
    lines, kept_bytes, started = Lines(file, end), 0, time.monotonic()
    for count in range(OPERATIONS_LIMIT):
        code = file.read(1)
        if not code or (count % 4096 == 0 and file.tell() > end):
            raise Truncated
        if count % 65536 == 65535 and time.monotonic() - started > TIME_LIMIT_S:
            break
        if code not in _TABLE:
            raise Broken(f"no opcode {code!r}")
        name, reader, length = _TABLE[code]
        argument = _argument(name, reader, length, lines)
        if length or reader is not None:
            kept_bytes += len(argument) if isinstance(argument, (str, bytes)) else 8
            if kept_bytes > MATERIAL_LIMIT_BYTES:
                break
        yield name, argument
        if name == "STOP":
            return
    raise TooComplex


def _argument(name: str, reader: Callable[[Any], Any] | None, length: int, lines: Lines) -> Any:
    if length:
        return _sized(name, length, lines)
    if name in _PAIRS:
        return _line(lines), _line(lines)
    if reader is None:
        return None
    try:
        return reader(lines)
    except ValueError as error:
        if lines.left() <= 0:
            raise Truncated from error
        raise Broken(str(error)) from error


def _line(lines: Lines) -> str:
    line = lines.readline()
    if not line.endswith(b"\n"):
        raise Truncated if lines.left() <= 0 else Broken("endless line")
    return line[:-1].decode("utf-8", "replace")


def _sized(name: str, length: int, lines: Lines) -> Any:
    prefix = lines.read(length)
    if len(prefix) < length:
        raise Truncated
    size, left = int.from_bytes(prefix, "little"), lines.left()
    if size > left:
        raise Truncated(size - left)
    if size > KEEP_BYTES:
        blob = Blob(lines.file.tell(), size)
        lines.file.seek(size, 1)
        return blob
    data = lines.read(size)
    if name in _TEXTS:
        return data.decode("utf-8", "replace")
    if name in _LONGS:
        return int.from_bytes(data, "little", signed=True)
    return data.decode("latin-1") if name.endswith("STRING") else data

"""Reading a file of unknown make: bounded, by offset, and never more than asked for."""

from __future__ import annotations

import io
import os
import unicodedata
from typing import Any, BinaryIO, cast

KEEP_TEXT = 200
HEAD_BYTES = 4096


class Refused(Exception):
    """The file cannot be taken: `code` of the sentence in engine.words.files and its `values` (the file's name is added)."""

    def __init__(self, code: str, **values: object) -> None:
        self.code, self.values = code, values
        self.grades: dict[str, str] = {}
        """Where it was a pickle: what it wanted to import and call, as `engine.files.danger` grades it."""
        super().__init__(code)


class Broken(ValueError):
    """The bytes do not follow their format."""


class Truncated(Broken):
    """The file ends before its content does; `missing_bytes` where the format tells (at least so many)."""

    def __init__(self, missing_bytes: int | None = None) -> None:
        self.missing_bytes = missing_bytes
        super().__init__("truncated")


class TooComplex(Exception):
    """Reading on would cost more time or memory than any honest model's description needs."""


class Source:
    """An open regular file (or a stretch of one) with its size; reads by offset."""

    def __init__(self, path: str, file: BinaryIO, size_bytes: int | None = None) -> None:
        self.path, self.file = path, file
        self.size_bytes = os.fstat(file.fileno()).st_size if size_bytes is None else size_bytes
        self.head = self.read_at(0, HEAD_BYTES)

    @property
    def name(self) -> str:
        """The file's name as it can be shown."""
        return clean(os.path.basename(self.path) or self.path)

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer at the file's end."""
        self.file.seek(offset)
        return self.file.read(max(0, min(length, self.size_bytes - offset)))

    def within(self, offset: int, length: int) -> Source:
        """A stretch of this file as a file of its own, e.g. an archive that lies in an archive."""
        length = max(0, min(length, self.size_bytes - offset))
        return Source(self.path, cast("BinaryIO", io.BufferedReader(_Window(self.file, offset, length))), length)


class _Window(io.RawIOBase):
    """A stretch of an open file; the file stays open when this is closed."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        super().__init__()
        self._file, self._start, self._length, self._at = file, start, length, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move within the stretch (or beyond its end, where nothing is read)."""
        place = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence] + offset
        if place < 0:
            raise ValueError("before the beginning")
        self._at = place
        return place

    def tell(self) -> int:
        """Where it stands in the stretch."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as the stretch goes."""
        self._file.seek(self._start + self._at)
        data = self._file.read(max(0, min(len(buffer), self._length - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def clean(text: str, limit: int = KEEP_TEXT) -> str:
    """`text` from a file, fit to be shown and sent: no control, direction or surrogate characters, not endless."""
    if len(text) > limit:
        text = text[:limit] + "…"
    if text.isprintable():
        return text
    return "".join("�" if unicodedata.category(letter) in ("Cc", "Cf", "Cs") else letter for letter in text)

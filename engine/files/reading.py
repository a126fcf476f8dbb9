"""Reading a file of unknown make: bounded, by offset, and never more than asked for."""

from __future__ import annotations

import os
import unicodedata
from typing import BinaryIO

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
    """An open regular file with its size; reads by offset."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self.path, self.file = path, file
        self.size_bytes = os.fstat(file.fileno()).st_size
        self.head = self.read_at(0, HEAD_BYTES)

    @property
    def name(self) -> str:
        """The file's name as it can be shown."""
        return clean(os.path.basename(self.path) or self.path)

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer at the file's end."""
        self.file.seek(offset)
        return self.file.read(max(0, min(length, self.size_bytes - offset)))


def clean(text: str, limit: int = KEEP_TEXT) -> str:
    """`text` from a file, fit to be shown and sent: no control, direction or surrogate characters, not endless."""
    if len(text) > limit:
        text = text[:limit] + "…"
    if text.isprintable():
        return text
    return "".join("�" if unicodedata.category(letter) in ("Cc", "Cf", "Cs") else letter for letter in text)

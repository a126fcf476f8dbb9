"""The settings file: read once, changed under a lock by read-modify-write, so that two windows lose nothing of each other's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from engine import storage
from gui.models.matrix import Axes

RECENTS = 10


class Settings(msgspec.Struct, frozen=True):
    """What is remembered from one start to the next; an unknown field of a newer program is ignored."""

    schema: int = 1
    language: Literal["system", "en", "zh"] = "system"
    theme: Literal["system", "light", "dark"] = "system"
    recents: tuple[str, ...] = ()
    trusted_sha256: tuple[str, ...] = ()
    """Files that may run code while they are loaded: these exact bytes."""
    classes: dict[str, str] = {}
    """sha256 of weights -> the class that was chosen for them."""
    more_open: bool = False
    plan: str = "standard"
    axes: Axes = Axes()
    geometry: str = ""
    splitter: str = ""


class SettingsFile:
    """Settings at `path`. `problem` is the path that a broken file was put aside to, or None."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: Path | None = None
        self.value = Settings()
        try:
            with storage.locked(path):
                self.value = self._read()
        except storage.StorageError:  # a folder that cannot be written can be read; the first change says that it is not kept
            self.value = self._read_unlocked()

    def change(self, change: Callable[[Settings], Settings]) -> Settings:
        """Apply `change` to what is in the file now and write it; raises StorageError when it cannot be written."""
        with storage.locked(self.path):
            value = change(self._read())
            storage.write_atomically(self.path, msgspec.json.format(msgspec.json.encode(value), indent=1))
        self.value = value
        return value

    def _read(self) -> Settings:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Settings)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.problem = storage.put_aside(self.path)
            return Settings()
        except OSError:  # not there yet, or not ours to read: defaults hold
            return Settings()

    def _read_unlocked(self) -> Settings:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Settings)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Settings()


def with_recent(settings: Settings, path: str) -> Settings:
    """`path` becomes the newest of the recent files."""
    others = tuple(each for each in settings.recents if each != path)
    return msgspec.structs.replace(settings, recents=(path, *others)[:RECENTS])


def without_recent(settings: Settings, path: str) -> Settings:
    """`path` is no longer offered."""
    return msgspec.structs.replace(settings, recents=tuple(each for each in settings.recents if each != path))


def with_trusted(settings: Settings, sha256: str) -> Settings:
    """The file with these exact bytes may run code from now on."""
    return msgspec.structs.replace(settings, trusted_sha256=tuple(dict.fromkeys((*settings.trusted_sha256, sha256))))


def with_class(settings: Settings, sha256: str, architecture: str) -> Settings:
    """Remember the class that was chosen for these weights."""
    return msgspec.structs.replace(settings, classes={**settings.classes, sha256: architecture})

"""The settings file: read once, changed under a lock by read-modify-write, so that two windows lose nothing of each other's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from engine import storage
from engine.result import ModelInfo
from gui.models.matrix import Axes

RECENTS = 10
REMEMBERED = 500
PYTHONS = 8


class Remembered(msgspec.Struct, frozen=True):
    """What is kept of one model file."""

    inputs: tuple[str, ...] = ()
    """As `engine.inputs` writes them."""
    edited: bool = False
    """The user gave them; else they were guessed and seen to run."""
    weights_at: str = ""
    allow_missing: bool = False


class Settings(msgspec.Struct, frozen=True):
    """What is remembered from one start to the next; an unknown field of a newer program is ignored."""

    schema: int = 1
    language: Literal["system", "en", "zh"] = "system"
    theme: Literal["system", "light", "dark"] = "system"
    recents: tuple[str, ...] = ()
    trusted_sha256: tuple[str, ...] = ()
    """Files that may run code while they are loaded: these exact bytes."""
    classes: dict[str, str] = {}
    """`class_key` of weights -> the class that was chosen for them."""
    remembered: dict[str, Remembered] = {}
    """sha256 of a model -> what was chosen for it; the oldest are forgotten first."""
    python: str = ""
    """The interpreter that runs models; empty: the program's own."""
    pythons: tuple[str, ...] = ()
    """Interpreters that were chosen before, newest first."""
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


def class_key(model: ModelInfo) -> str:
    """The weights that a class is chosen for: two places of one checkpoint may hold two networks."""
    return f"{model.sha256}@{model.weights_at}" if model.weights_at else model.sha256


def with_class(settings: Settings, key: str, architecture: str) -> Settings:
    """Remember the class that was chosen for these weights; `key` is their `class_key`."""
    return msgspec.structs.replace(settings, classes={**settings.classes, key: architecture})


def with_remembered(settings: Settings, sha256: str, kept: Remembered) -> Settings:
    """Keep what was chosen for this model, as the newest."""
    others = {key: value for key, value in settings.remembered.items() if key != sha256}
    return msgspec.structs.replace(settings, remembered=dict(list({**others, sha256: kept}.items())[-REMEMBERED:]))


def with_python(settings: Settings, python: str) -> Settings:
    """Models run in this interpreter from now on (empty: the program's own), and it is offered again."""
    pythons = tuple(dict.fromkeys((python, *settings.pythons)))[:PYTHONS] if python else settings.pythons
    return msgspec.structs.replace(settings, python=python, pythons=pythons)


def without_python(settings: Settings, python: str) -> Settings:
    """An interpreter that cannot run models is no longer offered."""
    return msgspec.structs.replace(settings, pythons=tuple(each for each in settings.pythons if each != python))

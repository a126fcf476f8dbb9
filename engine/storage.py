"""Files of our own: where they lie, written whole or not at all, locked between programs, and never deleted when broken."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from engine.result import Failure
from engine.words import failure

APPLICATION = "model-dyno"
HOME_VARIABLE = "MODEL_DYNO_HOME"
"""A folder that holds everything: for portable use and for tests."""
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
LOCK_WAIT_S = 5.0


class StorageError(Exception):
    """A file that could not be written; `code` is `disk-full` or `unwritable`, `failure` has the sentences."""

    def __init__(self, path: Path, error: OSError) -> None:
        self.code = "disk-full" if error.errno in DISK_FULL else "unwritable"
        self.path = path
        values = {"path": str(path), "cause": error.strerror or type(error).__name__}
        self.failure: Failure = failure(self.code, f"save-{self.code}", values)
        self.sentence = self.failure.summary
        super().__init__(self.sentence)


def history_folder() -> Path:
    """Where runs are kept."""
    return _home("history") or _platformdirs().user_data_path(APPLICATION, appauthor=False) / "history"


def cache_folder() -> Path:
    """Where what can be made again is kept."""
    return _home("cache") or _platformdirs().user_cache_path(APPLICATION, appauthor=False)


def self_cost_path() -> Path:
    """The file of what the program itself costs on this machine."""
    return _home("self-cost.json") or _platformdirs().user_data_path(APPLICATION, appauthor=False) / "self-cost.json"


def settings_path() -> Path:
    """The file of the settings."""
    return (_home("settings") or _platformdirs().user_config_path(APPLICATION, appauthor=False)) / "settings.json"


def _platformdirs() -> Any:
    """Imported when a place is asked for: a worker of another Python asks for none, and need not have the package."""
    import platformdirs

    return platformdirs


def _home(part: str) -> Path | None:
    home = os.environ.get(HOME_VARIABLE)
    return Path(home).expanduser().absolute() / part if home else None


def write_atomically(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file whole or not at all, and durably: beside it first, then in its place. Raises StorageError and leaves nothing behind.

    A link is followed; what is no regular file (a pipe, /dev/stdout) is written directly, since nothing may take its place.
    """
    chunks = (data,) if isinstance(data, bytes) else data
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            with target.open("wb", buffering=0) as stream:
                _write_all(stream.fileno(), chunks)
        else:
            _replace(target, chunks)
    except OSError as error:
        raise StorageError(path, error) from error


def _replace(target: Path, chunks: Iterable[bytes]) -> None:
    """Write a sibling, then rename it over the target."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    # The name is cut so that a target at the file system's limit still has a valid sibling.
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(6)}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        try:
            _write_all(descriptor, chunks)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _write_all(descriptor: int, chunks: Iterable[bytes]) -> None:
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable where folders can be opened (not on Windows)."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return  # A folder one may write to but not list; the file itself is complete and synced.
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems cannot sync a folder.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create a folder of ours with its parents; raises StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(folder, error) from error


@contextlib.contextmanager
def locked(path: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold the lock that belongs to a file, against other programs and threads; raises StorageError when it is not free in time."""
    import filelock  # as above

    make_folder(path.parent)
    try:
        lock = filelock.FileLock(path.with_name(path.name + ".lock"), timeout=wait_s)
        lock.acquire()
    except filelock.Timeout as timeout:
        busy = OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        raise StorageError(path, busy) from timeout
    except OSError as error:
        raise StorageError(path, error) from error
    try:
        yield
    finally:
        lock.release()


def put_aside(path: Path) -> Path:
    """Rename a broken file to `name.broken-N`, the first free N; nothing is deleted. Where another program was faster, the path itself comes back."""
    for number in itertools.count(1):
        aside = path.with_name(f"{path.name}.broken-{number}")
        try:
            # A hard link fails where the name is taken, a rename would replace an older broken file.
            os.link(path, aside)
            path.unlink()
        except FileExistsError:
            continue
        except FileNotFoundError:
            return path
        except OSError:
            return _rename_aside(path, aside)
        return aside
    raise AssertionError("unreachable")


def _rename_aside(path: Path, aside: Path) -> Path:
    """Put aside on a file system without hard links."""
    try:
        path.rename(aside)
    except FileNotFoundError:
        return path
    except OSError as error:
        raise StorageError(path, error) from error
    return aside


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file of ours; None where there is none yet, or where it was broken and has been put aside (StorageError: could not be)."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        put_aside(path)
        return None


def write_json(path: Path, value: Any) -> None:
    """Write a value as a JSON file, indented for readers; raises StorageError."""
    make_folder(path.parent)
    write_atomically(path, msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")

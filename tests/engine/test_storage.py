"""Files are written whole or not at all, and nothing is ever lost."""

from __future__ import annotations

import errno
import multiprocessing
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import storage
from engine.storage import StorageError


def files(folder: Path) -> list[str]:
    """What lies in a folder, hidden files too."""
    return sorted(os.listdir(folder))


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """New content takes the old one's place and nothing else is left."""
    path = tmp_path / "run.json"
    storage.write_atomically(path, b"old")
    storage.write_atomically(path, [b"new ", b"content"])
    assert path.read_bytes() == b"new content"
    assert files(tmp_path) == ["run.json"]


def test_a_failure_midway_keeps_the_old_file(tmp_path: Path) -> None:
    """A disk that fills up while writing costs neither the old file nor leaves a part."""

    def chunks() -> object:
        yield b"half"
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "run.json"
    storage.write_atomically(path, b"old")
    with pytest.raises(StorageError) as caught:
        storage.write_atomically(path, chunks())  # type: ignore[arg-type]
    assert caught.value.code == "disk-full"
    assert caught.value.sentence == f"{path} was not saved: the disk is full."
    assert caught.value.failure.hint
    assert path.read_bytes() == b"old"
    assert files(tmp_path) == ["run.json"]


def test_any_exception_midway_leaves_nothing(tmp_path: Path) -> None:
    """An interrupt while writing is passed on, and the part is gone."""

    def chunks() -> object:
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        storage.write_atomically(tmp_path / "a", chunks())  # type: ignore[arg-type]
    assert files(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_device_is_disk_full() -> None:
    """The kernel's own "no space" is told as such, and the device is not replaced."""
    with pytest.raises(StorageError) as caught:
        storage.write_atomically(Path("/dev/full"), b"x")
    assert caught.value.code == "disk-full"
    assert not Path("/dev/full").is_file()


@pytest.mark.parametrize("place", ["missing/run.json", "file/run.json", "folder"])
def test_an_impossible_place_is_unwritable(tmp_path: Path, place: str) -> None:
    """A missing folder, a file as folder, a folder as file: one code, and the cause named."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError) as caught:
        storage.write_atomically(tmp_path / place, b"x")
    assert caught.value.code == "unwritable"
    assert str(tmp_path / place) in caught.value.sentence
    assert files(tmp_path) == ["file", "folder"]


def test_no_permission_is_unwritable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run as root, so the refusal comes from a fake."""

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageError) as caught:
        storage.write_atomically(tmp_path / "a", b"x")
    assert (caught.value.code, caught.value.failure.values["cause"]) == ("unwritable", "Permission denied")


def test_a_link_is_followed(tmp_path: Path) -> None:
    """Saving through a link writes its target and keeps the link."""
    (tmp_path / "real.json").write_bytes(b"old")
    (tmp_path / "link.json").symlink_to("real.json")
    storage.write_atomically(tmp_path / "link.json", b"new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_bytes() == b"new"


def test_a_long_name_is_saved(tmp_path: Path) -> None:
    """A name at the file system's limit leaves room for the sibling."""
    path = tmp_path / ("n" * 250 + ".json")
    storage.write_atomically(path, b"x")
    assert path.read_bytes() == b"x"


def test_a_pipe_is_written_not_replaced(tmp_path: Path) -> None:
    """What is no regular file stays what it is."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    storage.write_atomically(pipe, [b"a", b"b"])
    reader.join(5.0)
    assert got == [b"ab"]
    assert pipe.is_fifo()


def test_broken_files_are_numbered_never_replaced(tmp_path: Path) -> None:
    """Two broken files of one name are both kept."""
    path = tmp_path / "settings.json"
    for content in (b"first", b"second"):
        path.write_bytes(content)
        storage.put_aside(path)
    assert (tmp_path / "settings.json.broken-1").read_bytes() == b"first"
    assert (tmp_path / "settings.json.broken-2").read_bytes() == b"second"
    assert not path.exists()


def test_put_aside_by_another_program_is_no_error(tmp_path: Path) -> None:
    """Two windows may meet the same broken file."""
    assert storage.put_aside(tmp_path / "gone") == tmp_path / "gone"


def test_put_aside_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without hard links renames instead."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a").write_bytes(b"x")
    assert storage.put_aside(tmp_path / "a").read_bytes() == b"x"
    assert files(tmp_path) == ["a.broken-1"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"text"', b"\xff\xfe", b"[" * 100_000])
def test_broken_json_is_put_aside(tmp_path: Path, content: bytes) -> None:
    """A broken settings file reads as none, and lies beside with its content."""
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    assert storage.read_json(path) is None
    assert (tmp_path / "settings.json.broken-1").read_bytes() == content


@given(value=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.lists(st.text())))
def test_json_round_trip(tmp_path_factory: pytest.TempPathFactory, value: dict[str, object]) -> None:
    """What was written is read again."""
    path = tmp_path_factory.mktemp("json") / "deep" / "settings.json"
    assert storage.read_json(path) is None
    storage.write_json(path, value)
    assert storage.read_json(path) == value


def test_home_variable_moves_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One variable makes the program portable."""
    monkeypatch.setenv(storage.HOME_VARIABLE, str(tmp_path))
    places = (storage.history_folder(), storage.cache_folder(), storage.settings_path())
    assert all(place.is_relative_to(tmp_path) for place in places)
    assert len(set(places)) == 3


def test_without_the_variable_the_system_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each system keeps such files in its own places."""
    monkeypatch.delenv(storage.HOME_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    places = (storage.history_folder(), storage.cache_folder(), storage.settings_path())
    assert all("model-dyno" in place.parts for place in places)


def hold(path: Path, ready: threading.Event, leave: threading.Event) -> None:
    """Another program that holds the lock until told."""
    with storage.locked(path):
        ready.set()
        leave.wait(20.0)


def test_a_lock_keeps_another_program_out(tmp_path: Path) -> None:
    """While one program holds the lock another is refused in a sentence; afterwards it is free."""
    context = multiprocessing.get_context("fork")
    ready, leave = context.Event(), context.Event()
    holder = context.Process(target=hold, args=(tmp_path / "settings.json", ready, leave))
    holder.start()
    assert ready.wait(20.0)
    with pytest.raises(StorageError) as caught, storage.locked(tmp_path / "settings.json", wait_s=0.0):
        pass
    assert caught.value.code == "unwritable"
    leave.set()
    holder.join(20.0)
    assert holder.exitcode == 0
    with storage.locked(tmp_path / "settings.json", wait_s=0.0):
        pass


def test_no_lock_without_a_place_for_it(tmp_path: Path) -> None:
    """A folder that cannot be made is told, not raised raw."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError), storage.locked(tmp_path / "file" / "settings.json"):
        pass

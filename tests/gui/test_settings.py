"""Settings survive two windows, broken files and places that cannot be written."""

from __future__ import annotations

import os
import threading

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from engine.storage import StorageError
from gui.models.preferences import Preferences
from gui.settings import RECENTS, Settings, SettingsFile, with_class, with_recent, with_trusted, without_recent


def test_what_was_changed_is_there_next_time(tmp_path):
    """One file, whole, in a folder that did not exist."""
    path = tmp_path / "deep" / "settings.json"
    SettingsFile(path).change(lambda settings: msgspec.structs.replace(settings, theme="dark"))
    assert SettingsFile(path).value.theme == "dark"


def test_two_windows_lose_nothing_of_each_others(tmp_path):
    """Each change is made to what is in the file now."""
    path = tmp_path / "settings.json"
    first, second = SettingsFile(path), SettingsFile(path)
    first.change(lambda settings: with_trusted(settings, "a"))
    second.change(lambda settings: with_trusted(settings, "b"))
    assert SettingsFile(path).value.trusted_sha256 == ("a", "b")


def test_many_writers_at_once(tmp_path):
    """Under the lock no change is lost."""
    path = tmp_path / "settings.json"
    files = [SettingsFile(path) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda file=file, number=number: [file.change(lambda s, n=n: with_trusted(s, f"{number}-{n}")) for n in range(5)])
        for number, file in enumerate(files)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(SettingsFile(path).value.trusted_sha256) == 20


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b'{"theme": "pink"}', b"[" * 100_000, b'{"recents": 3}'])
def test_a_broken_file_is_put_aside_not_deleted(tmp_path, content):
    """Defaults hold, and the old file can be looked at."""
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    file = SettingsFile(path)
    assert file.value == Settings()
    assert file.problem is not None and file.problem.read_bytes() == content
    assert not path.exists()


def test_an_unknown_field_of_a_newer_program_is_no_fault(tmp_path):
    """Both programs may share a settings file."""
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "light", "gizmo": {"a": 1}}')
    file = SettingsFile(path)
    assert (file.value.theme, file.problem) == ("light", None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_read(tmp_path):
    """The file is read; a change raises."""
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "dark"}')
    tmp_path.chmod(0o500)
    try:
        file = SettingsFile(path)
        assert file.value.theme == "dark"
        with pytest.raises(StorageError):
            file.change(lambda settings: settings)
    finally:
        tmp_path.chmod(0o700)


def test_a_place_that_is_a_file_costs_one_note(qapp, tmp_path, qtbot):
    """Changes hold until the window closes; the user is told once."""
    (tmp_path / "config").touch()
    preferences = Preferences(SettingsFile(tmp_path / "config" / "settings.json"))
    told = []
    preferences.write_failed.connect(told.append)
    for theme in ("dark", "light"):
        preferences.change(lambda settings, theme=theme: msgspec.structs.replace(settings, theme=theme))
    assert preferences.value.theme == "light"
    assert len(told) == 1 and told[0].summary


def test_recents_are_few_newest_first_each_once():
    """The list of the menu."""
    settings = Settings()
    for number in (*range(RECENTS + 5), 3, 3):
        settings = with_recent(settings, f"/m{number}")
    assert len(settings.recents) == RECENTS
    assert settings.recents[0] == "/m3" and len(set(settings.recents)) == RECENTS
    assert "/m3" not in without_recent(settings, "/m3").recents


def test_a_class_is_kept_by_the_weights_bytes():
    """Two weights, two classes."""
    settings = with_class(with_class(Settings(), "a", "/n.py:A"), "b", "/n.py:B")
    assert settings.classes == {"a": "/n.py:A", "b": "/n.py:B"}


@given(content=st.binary(max_size=200))
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_whatever_stops_the_start(tmp_path, content):
    """Either it is settings, or it is put aside."""
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    file = SettingsFile(path)
    assert file.problem is not None or file.value == msgspec.json.decode(content, type=Settings)


def test_what_was_chosen_for_a_model_is_kept_and_the_oldest_forgotten(tmp_path):
    """Inputs, place and consent to gaps, through the file and back."""
    from gui.settings import REMEMBERED, Remembered, Settings, with_remembered

    file = SettingsFile(tmp_path / "settings.json")
    kept = Remembered(inputs=("x=f32[B,3]",), edited=True, weights_at="ema", allow_missing=True)
    file.change(lambda settings: with_remembered(settings, "a", kept))
    assert SettingsFile(file.path).value.remembered == {"a": kept}
    settings = Settings()
    for number in range(REMEMBERED + 2):
        settings = with_remembered(settings, str(number), kept)
    assert len(settings.remembered) == REMEMBERED and "0" not in settings.remembered


def test_interpreters_are_offered_newest_first(tmp_path):
    """Chosen again, one moves to the front; the program's own is no entry; one that cannot run leaves."""
    from gui.settings import Settings, with_python, without_python

    settings = with_python(with_python(with_python(Settings(), "/a"), "/b"), "/a")
    assert (settings.python, settings.pythons) == ("/a", ("/a", "/b"))
    settings = without_python(with_python(settings, ""), "/b")
    assert (settings.python, settings.pythons) == ("", ("/a",))

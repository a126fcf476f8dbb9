"""The entry's text: quoting that survives any folder, and both languages."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.commands import desktop


def test_arguments_are_quoted_as_the_standard_says():
    assert desktop.quote("/plain") == '"/plain"'
    assert desktop.quote("/with space/100%") == '"/with space/100%%"'
    assert desktop.quote('/a"b$c`d') == r'"/a\\"b\\$c\\`d"'


def test_the_entry_is_valid_and_complete(tmp_path):
    desktop.install(tmp_path)
    path = tmp_path / "applications" / "model-dyno.desktop"
    reader = configparser.ConfigParser(interpolation=None)
    reader.optionxform = str
    reader.read(path, encoding="utf-8")
    entry = reader["Desktop Entry"]
    assert entry["Exec"].endswith('main.py" %F')
    assert entry["Terminal"] == "false"
    assert entry["Comment"] != entry["Comment[zh_CN]"]
    if shutil.which("desktop-file-validate"):
        subprocess.run(["desktop-file-validate", str(path)], check=True)


def test_the_icon_is_there_in_three_sizes(tmp_path):
    desktop.install(tmp_path)
    found = sorted(path.relative_to(tmp_path / "icons" / "hicolor").parts[0] for path in tmp_path.rglob("icons/**/model-dyno.*"))
    assert found == ["128x128", "48x48", "scalable"]


def test_installing_twice_and_removing_leaves_others_alone(tmp_path):
    other = tmp_path / "applications" / "other.desktop"
    other.parent.mkdir()
    other.touch()
    desktop.install(tmp_path)
    desktop.install(tmp_path)
    assert desktop.uninstall(tmp_path) == 5
    assert desktop.uninstall(tmp_path) == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [other]


def test_a_relative_data_folder_does_not_count():
    assert desktop.data_folder({"XDG_DATA_HOME": "share"}) == Path.home() / ".local" / "share"
    assert desktop.data_folder({"XDG_DATA_HOME": "/share"}) == Path("/share")


def test_an_unwritable_place_is_a_sentence(tmp_path, monkeypatch, capsys):
    (tmp_path / "applications").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert desktop.main(["--install"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert str(tmp_path) in first
    assert "XDG_DATA_HOME" in second


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_are_told(platform, monkeypatch, capsys):
    monkeypatch.setattr(desktop.sys, "platform", platform)
    assert desktop.main(["--install"]) == 1
    assert "Linux" in capsys.readouterr().err

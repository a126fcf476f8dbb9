"""The entry: what it hands to whom, what it refuses, and that it runs nothing from the current folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

import bootstrap
import main

ROOT = Path(main.__file__).parent
HOSTILE = ("socket", "torch", "numpy", "queue", "subprocess", "tomllib", "json", "msgspec", "main", "engine", "bootstrap", "hashlib", "re", "sitecustomize")


@pytest.fixture
def arguments(monkeypatch):
    """Call the entry with arguments; its environment is ready and sys.path stays as it is."""
    monkeypatch.setattr(bootstrap, "ensure", lambda *a, **k: None)
    monkeypatch.setattr(main, "use_own_modules", lambda: None)

    def call(*given):
        monkeypatch.setattr(sys, "argv", ["main.py", *given])
        return main.main()

    return call


@pytest.fixture
def window(monkeypatch):
    """A window that only tells with what it was opened."""
    opened = []
    module = types.ModuleType("gui.app")
    module.main = lambda files: opened.append(files) or 0
    monkeypatch.setitem(sys.modules, "gui.app", module)
    return opened


def test_files_are_found_from_the_users_folder(arguments, window, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert arguments("a.pth", "sub/模型 one.pth", "/abs/c.onnx") == 0
    assert window == [[str(tmp_path / "a.pth"), str(tmp_path / "sub/模型 one.pth"), "/abs/c.onnx"]]


def test_without_arguments_the_window_opens_empty(arguments, window):
    assert arguments() == 0
    assert window == [[]]


def test_a_folder_that_is_gone_is_a_sentence(arguments, window, tmp_path, monkeypatch, capsys):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert arguments("a.pth") == 2
    assert "a.pth" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)


def test_an_unknown_option_is_refused(arguments, window, capsys):
    assert arguments("--bogus") == 2
    assert capsys.readouterr().err.splitlines() == ["--bogus is no option of main.py.", "python3 main.py --help lists what there is."]
    assert not window


@pytest.mark.parametrize("command", main.LATER)
def test_later_commands_say_so(arguments, capsys, command):
    assert arguments(command, "x") == 2
    assert command in capsys.readouterr().err.splitlines()[0]


@pytest.mark.parametrize("command", sorted(set(main.COMMANDS) - set(main.LATER)))
def test_commands_get_their_arguments(arguments, monkeypatch, command):
    module = types.ModuleType(f"engine.commands.{command}")
    module.main = lambda argv: 3 if argv == ["x", "--json", "y"] else 1
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert arguments(command, "x", "--json", "y") == 3


def test_help_names_every_command(arguments, capsys):
    assert arguments("--help") == 0
    said = capsys.readouterr().out
    assert all(command in said for command in set(main.COMMANDS) - set(main.LATER))


def test_an_old_python_is_told(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    assert arguments("doctor") == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("this is Python 3.9.2.")
    assert "python3.11" in second


def test_importing_the_entry_imports_nothing_heavy():
    """A spawned worker imports main.py again."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); before = set(sys.modules); import main; print(sorted(set(sys.modules) - before))"
    assert subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "['__future__', 'main']"


@pytest.fixture
def hostile(tmp_path):
    """A downloads folder with modules that leave a mark when they are run."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    for name in HOSTILE:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\n")
    (folder / "model.pth").write_bytes(b"")
    return folder


@pytest.mark.parametrize("python_path", [None, "", ".", ":/nonexistent"])
def test_nothing_in_the_current_folder_is_run(hostile, python_path):
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONSAFEPATH"}}
    if python_path is not None:
        environment["PYTHONPATH"] = python_path
        (hostile / "sitecustomize.py").unlink()     # Python itself runs this one, before the program's first line
    done = subprocess.run([sys.executable, str(ROOT / "main.py"), "inspect", "model.pth"], cwd=hostile, env=environment, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "model.pth" in done.stderr
    assert not (hostile.parent / "ran").exists(), (hostile.parent / "ran").read_text()


@pytest.mark.parametrize("command", ["", "--install"])
def test_from_a_hostile_folder_the_window_is_refused_without_a_display(hostile, command, tmp_path):
    dropped = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "PYTHONSAFEPATH"}
    environment = {name: value for name, value in os.environ.items() if name not in dropped} | {"XDG_DATA_HOME": str(tmp_path / "data"), "LANG": "C"}
    done = subprocess.run([sys.executable, str(ROOT / "main.py"), *command.split()], cwd=hostile, env=environment, capture_output=True, text=True)
    assert not (hostile.parent / "ran").exists()
    if command:
        assert done.returncode == 0, done.stderr
    else:
        assert done.returncode == 2
        assert done.stderr.splitlines()[0].startswith("There is no display for the window")
        assert "python3 main.py profile --demo" in done.stderr.splitlines()[1]


def test_the_entry_does_not_answer_to_a_parent_that_was_ready(monkeypatch):
    """The mark of a finished check belongs to one process."""
    environment = {**os.environ, bootstrap.CHECKED_VARIABLE: "1"}
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import bootstrap, json; seen = []; bootstrap.prepare = lambda *a, **k: seen.append(1); bootstrap.run_again = lambda *a: None; bootstrap.ensure('x'); print(json.dumps(seen))"
    assert json.loads(subprocess.run([sys.executable, "-I", "-c", code], env=environment, capture_output=True, text=True, check=True).stdout) == [1]

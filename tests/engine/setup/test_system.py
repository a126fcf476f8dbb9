"""What the system must bring, by the names of each release, and the one command that brings it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.setup import needs, system
from engine.setup.places import Places
from engine.setup.speech import SetupStopped

ROOT = Path(__file__).resolve().parents[3]
BOOKWORM = {"ID": "debian", "VERSION_ID": "12"}


@pytest.mark.parametrize(
    ("release", "name"),
    [
        (BOOKWORM, "libglib2.0-0"),
        ({"ID": "debian", "VERSION_ID": "13"}, "libglib2.0-0t64"),
        ({"ID": "debian"}, "libglib2.0-0t64"),
        ({"ID": "ubuntu", "VERSION_ID": "22.04", "ID_LIKE": "debian"}, "libglib2.0-0"),
        ({"ID": "ubuntu", "VERSION_ID": "24.04", "ID_LIKE": "debian"}, "libglib2.0-0t64"),
        ({"ID": "linuxmint", "VERSION_ID": "22", "ID_LIKE": "ubuntu debian", "UBUNTU_CODENAME": "noble"}, "libglib2.0-0t64"),
        ({"ID": "linuxmint", "VERSION_ID": "21.3", "ID_LIKE": "ubuntu debian", "UBUNTU_CODENAME": "jammy"}, "libglib2.0-0"),
    ],
)
def test_names_follow_the_release(release, name):
    assert system.has_apt(release)
    assert system.apt_names(system.WINDOW_PACKAGES, release)[0] == name


def test_fedora_has_no_apt():
    assert not system.has_apt({"ID": "fedora"})
    assert not system.has_apt({})


@pytest.fixture
def not_root(monkeypatch):
    monkeypatch.setattr(system, "is_root", lambda: False)
    monkeypatch.setattr(system, "os_release", lambda: BOOKWORM)


@pytest.fixture
def root_with_apt(monkeypatch, tmp_path):
    """Root on Debian with an apt-get that writes down how it was called."""
    calls = tmp_path / "calls"
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n[ ! -e {tmp_path}/fail ]\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(system, "is_root", lambda: True)
    monkeypatch.setattr(system, "os_release", lambda: BOOKWORM)
    return calls


def test_without_ensurepip_a_user_is_told_the_command(monkeypatch, not_root):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SetupStopped) as stopped:
        needs.bring_ensurepip()
    assert "ensurepip is missing" in stopped.value.summary
    assert re.search(r"sudo apt-get update && sudo apt-get install -y --no-install-recommends python3(\.\d+)?-venv$", stopped.value.hint)


def test_without_ensurepip_root_installs_it(monkeypatch, root_with_apt, capfd):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SetupStopped):       # the pretended apt brings nothing
        needs.bring_ensurepip()
    assert re.fullmatch(r"update\ninstall -y --no-install-recommends python3(\.\d+)?-venv\n", root_with_apt.read_text())
    assert "Installing system packages as root" in capfd.readouterr().err


def test_with_ensurepip_nothing_is_asked(not_root):
    needs.bring_ensurepip()


def test_the_systems_own_python_takes_the_plain_package():
    assert system.venv_package((3, 11), "/usr/bin/python3") == "python3-venv"
    assert system.venv_package((3, 12), "/opt/python/bin/python3.12") == "python3.12-venv"


def test_an_apt_that_fails_is_told(root_with_apt, capfd):
    (root_with_apt.parent / "fail").touch()
    with pytest.raises(SetupStopped) as stopped:
        needs.install_with_apt(["xvfb"], "setup-missing-programs", ["Xvfb"])
    assert "apt-get ended with 1" in stopped.value.summary
    assert "apt-get install" in stopped.value.hint


@pytest.fixture
def places(tmp_path):
    (tmp_path / ".venv").mkdir()
    return Places(tmp_path)


def test_missing_libraries_are_named_once_with_the_command(monkeypatch, places, not_root):
    monkeypatch.setattr(system, "missing_libraries", lambda files: ["libxcb-cursor.so.0"])
    with pytest.raises(SetupStopped) as stopped:
        needs.check_libraries(places)
    assert "libxcb-cursor.so.0" in stopped.value.summary
    assert "sudo apt-get install" in stopped.value.hint
    assert "libxcb-cursor0" in stopped.value.hint
    assert not places.window_stamp.exists()


def test_libraries_are_looked_for_once(monkeypatch, places):
    looked = []
    monkeypatch.setattr(system, "missing_libraries", lambda files: looked.append(1) or [])
    monkeypatch.setenv("DISPLAY", ":1")
    needs.check_libraries(places)
    needs.check_libraries(places)
    assert len(looked) == 1
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    needs.check_libraries(places)
    assert len(looked) == 2


def test_ldd_finds_what_is_missing(tmp_path):
    """A library that needs one that nobody has."""
    if not shutil.which("gcc"):
        pytest.skip("no C compiler to build the library with")
    (tmp_path / "a.c").write_text("int a(void) { return 1; }")
    for command in (["gcc", "-shared", "-o", "libgone.so", "a.c", "-Wl,-soname,libgone.so.7"], ["gcc", "-shared", "-o", "liblost.so", "a.c", "-Wl,--no-as-needed", "-L.", "-lgone"]):
        subprocess.run(command, cwd=tmp_path, check=True)
    (tmp_path / "libgone.so").unlink()
    assert system.missing_libraries([tmp_path / "liblost.so"]) == ["libgone.so.7"]


def test_without_a_display_the_headless_way_is_named(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SetupStopped) as stopped:
        needs.check_display()
    assert stopped.value.exit_code == 2
    assert "python3 main.py profile --demo" in stopped.value.hint


def test_a_display_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SetupStopped) as stopped:
        needs.check_display()
    assert ":4711" in stopped.value.summary


@pytest.mark.slow
@pytest.mark.skipif(not Path("/var/lib/apt/lists").is_dir() or not shutil.which("apt-get"), reason="not a Debian")
def test_the_list_is_complete_on_a_bare_machine():
    """With an empty package state, apt would bring the package of every library that Qt is linked to."""
    release = system.os_release()
    names = system.apt_names(system.WINDOW_PACKAGES, release)
    simulated = subprocess.run(["apt-get", "-o", "Dir::State::status=/dev/null", "-s", "install", "--no-install-recommends", *names], capture_output=True, text=True)
    if simulated.returncode != 0:
        pytest.skip(f"apt has no package lists here: {simulated.stderr.splitlines()[-1]}")
    brought = set(re.findall(r"^Inst (\S+)", simulated.stdout, re.MULTILINE)) | {"libc6", "libstdc++6", "libgcc-s1"}
    files = system.qt_files(Places().site_packages, {"DISPLAY": ":0"})
    assert len(files) > 4
    linked = {match for file in files for match in re.findall(r"=> (/(?:usr/)?lib/\S+)", subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=True).stdout)}
    assert any("libxcb-cursor" in path for path in linked)
    homeless = {path: owner for path in linked if (owner := _owner(path)) not in brought}
    assert not homeless


def _owner(path):
    for candidate in (str(Path(path).resolve()), path, path.removeprefix("/usr"), "/usr" + path):
        found = subprocess.run(["dpkg", "-S", candidate], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    return None

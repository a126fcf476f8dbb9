"""A start from the desktop's entry, without a terminal, on a machine where nothing is set up yet."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from tests.support.bare import Bare

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux") or not os.environ.get("DISPLAY"), reason="needs a Linux desktop"),
    pytest.mark.skipif(not shutil.which("gio") or not shutil.which("xdotool"), reason="needs gio and xdotool"),
]


@pytest.fixture
def installed(tmp_path):
    """A fresh copy, put into the menu of a user."""
    bare = Bare(tmp_path)
    done = bare.run("--install", XDG_DATA_HOME=str(tmp_path / "share"))
    assert done.returncode == 0, done.stderr
    assert not bare.venv.exists()      # the menu entry needs no environment
    return bare


def launch(bare, *files, **more):
    """What the file manager does."""
    entry = bare.root.parent / "share" / "applications" / "model-dyno.desktop"
    environment = bare.environment(XDG_DATA_HOME=str(bare.root.parent / "share"), **more)
    null = subprocess.DEVNULL
    done = subprocess.run(["gio", "launch", str(entry), *files], env=environment, cwd="/", stdin=null, stdout=null, stderr=null, start_new_session=True)
    assert done.returncode == 0


def wait_for(find, limit_s=90):
    end = time.monotonic() + limit_s
    while not (found := find()):
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.02)        # the desktop gives no sign that one could wait for
    return found


def window_named(title):
    found = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", f"^{title}$"], capture_output=True, text=True).stdout.split()
    return found[-1] if found else None


def shades(window):
    """The grey levels that the window shows, with how many pixels have them."""
    shot = subprocess.run(["import", "-silent", "-window", window, "-depth", "8", "gray:-"], capture_output=True).stdout
    return {value: shot.count(value) for value in set(shot)}


def test_closing_the_window_stops_set_up_and_the_next_start_goes_on(installed):
    launch(installed, MODEL_DYNO_SETUP_WINDOW="x11")
    window = wait_for(lambda: window_named("Model Dyno"))
    subprocess.run(["xdotool", "windowclose", window], check=True)
    wait_for(lambda: not processes_of(installed))
    assert not installed.answer.exists()
    assert not (installed.venv / "setup.stamp").exists()
    launch(installed, MODEL_DYNO_SETUP_WINDOW="x11")
    wait_for(installed.answer.exists)
    wait_for(lambda: not processes_of(installed))


@pytest.mark.parametrize("way", ["tkinter", "x11"])
def test_a_double_click_shows_set_up_and_then_opens_the_file(installed, way):
    if way == "tkinter":
        pytest.importorskip("tkinter")
    model = installed.root.parent / "模型 one $HOME.pth"
    model.touch()
    launch(installed, str(model), MODEL_DYNO_SETUP_WINDOW=way)
    window = wait_for(lambda: window_named("Model Dyno"))
    wait_for(lambda: len(drawn := shades(window)) > 1 and sum(drawn.values()) - max(drawn.values()) > 100)
    wait_for(installed.answer.exists)
    wait_for(lambda: installed.answer.stat().st_size)
    told = json.loads(installed.answer.read_text())
    assert told == {"files": [str(model)], "prefix": str(installed.venv), "safe": "1"}
    wait_for(lambda: window_named("Model Dyno") is None)


def test_a_failure_stays_on_the_screen_until_it_is_closed(installed):
    for path in installed.wheels.glob("small-*"):
        path.unlink()
    launch(installed, MODEL_DYNO_SETUP_WINDOW="x11")
    log = installed.venv / "setup.log"
    wait_for(lambda: log.exists() and "ERROR" in log.read_text())
    window = wait_for(lambda: window_named("Model Dyno"))
    assert processes_of(installed)
    subprocess.run(["xdotool", "windowclose", window], check=True)
    wait_for(lambda: not processes_of(installed))
    assert not installed.answer.exists()


def processes_of(bare):
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(str(bare.root) in word for word in process.info["cmdline"] or []):
            found.append(process)
    return found


def test_uninstall_takes_everything_away(installed):
    share = installed.root.parent / "share"
    assert (share / "applications" / "model-dyno.desktop").exists()
    done = installed.run("--uninstall", XDG_DATA_HOME=str(share))
    assert done.returncode == 0, done.stderr
    left = list(share.rglob("*model-dyno*"))
    assert left == []


def test_the_files_types_are_known_to_the_desktop(installed):
    share = installed.root.parent / "share"
    for suffix in (".pth", ".pt", ".onnx", ".safetensors", ".ckpt"):
        file = installed.root.parent / f"model{suffix}"
        file.write_bytes(b"\x80\x02")
        environment = {**os.environ, "XDG_DATA_HOME": str(share)}
        said = subprocess.run(["gio", "info", "-a", "standard::fast-content-type", str(file)], env=environment, capture_output=True, text=True, check=True).stdout
        assert "application/x-trained-model" in said

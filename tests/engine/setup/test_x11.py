"""The bare X11 client: its cookie, its refusals, and a window that really appears."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.setup import x11

needs_x = pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="no X display")


def entry(family, address, number, name, data):
    return struct.pack(">H", family) + b"".join(struct.pack(">H", len(part)) + part for part in (address, number, name, data))


def test_the_cookie_of_this_host_and_display(tmp_path, monkeypatch):
    host, magic = socket.gethostname().encode(), b"MIT-MAGIC-COOKIE-1"
    (tmp_path / "auth").write_bytes(entry(256, host, b"1", magic, b"one") + entry(256, b"elsewhere", b"2", magic, b"no") + entry(256, host, b"2", magic, b"two"))
    monkeypatch.setenv("XAUTHORITY", str(tmp_path / "auth"))
    assert x11.authority(2) == (magic, b"two")
    assert x11.authority(3) == (b"", b"")


@given(st.binary(max_size=200))
def test_any_authority_file_is_read(data):
    folder = os.environ["XDG_CACHE_HOME"]
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "auth")
    with open(path, "wb") as file:
        file.write(data)
    os.environ["XAUTHORITY"] = path
    try:
        name, cookie = x11.authority(0)
    finally:
        del os.environ["XAUTHORITY"]
    assert isinstance(name, bytes)
    assert isinstance(cookie, bytes)


@pytest.mark.parametrize("display", ["nonsense", ":x", "", ":4711", "127.0.0.1:59000"])
def test_a_display_that_cannot_be_reached_has_a_reason(display):
    with pytest.raises(x11.DisplayRefusedError) as refused:
        x11.connect(display, timeout_s=2)
    assert str(refused.value)


@needs_x
def test_a_window_appears_with_its_title_and_what_was_drawn():
    window = x11.Window(os.environ["DISPLAY"], "Bare letters", 300, 120)
    try:
        while window.event() != "expose":
            pass
        window.clear()
        window.text(20, 30, "Setting up")
        window.bar(20, 50, 200, 20, 0.5)
        name = subprocess.run(["xdotool", "getwindowname", str(window.id)], capture_output=True, text=True, check=True).stdout
        assert name == "Bare letters\n"
        colours = _shades(window.id)
        assert len(colours) == 2
        assert min(colours.values()) > 200      # letters, and half a bar
    finally:
        window.stream.close()


def _shades(window):
    if not shutil.which("import"):
        pytest.skip("ImageMagick is not here to look at the window")
    shot = subprocess.run(["import", "-silent", "-window", str(window), "-depth", "8", "gray:-"], capture_output=True, check=True).stdout
    return {value: shot.count(value) for value in set(shot)}

"""A display for the session: Xvfb on a number that it chooses itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

KEY = pytest.StashKey()


def start():
    """Start Xvfb and point DISPLAY at it; keep the user's display where there is no Xvfb."""
    if not sys.platform.startswith("linux") or shutil.which("Xvfb") is None:
        return None
    reading, writing = os.pipe()
    try:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"],
            pass_fds=[writing],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    finally:
        os.close(writing)
    with os.fdopen(reading) as answer:
        number = answer.readline().strip()
    if not number:
        server.wait()
        raise pytest.UsageError(f"Xvfb ended with {server.returncode} before it had a display")
    os.environ["DISPLAY"] = f":{number}"
    os.environ.pop("WAYLAND_DISPLAY", None)
    os.environ["QT_QPA_PLATFORM"] = "xcb"
    return server


def stop(server):
    """End Xvfb and wait for it."""
    if server is not None:
        server.terminate()
        server.wait(10)

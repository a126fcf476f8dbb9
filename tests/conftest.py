"""Fixtures for all tests: places of their own, a display, and nothing left behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support import display, leaks

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


def pytest_configure(config):
    """Give the whole session a display of its own before anything makes a QApplication, and Ctrl-C its meaning."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:       # begun in the background of a script: what tests start would ignore it too
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[display.KEY] = display.start()


def pytest_unconfigure(config):
    """Take the display away again."""
    display.stop(config.stash.get(display.KEY, None))


@pytest.fixture(autouse=True)
def places_of_its_own(tmp_path_factory, monkeypatch):
    """History, settings and caches of a test never touch the user's."""
    home = tmp_path_factory.mktemp("home")
    for name, folder in {"XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache", "XDG_STATE_HOME": "state"}.items():
        monkeypatch.setenv(name, str(home / folder))
    return home


@pytest.fixture(autouse=True)
def nothing_left_behind(request):
    """Fail a test that leaves a thread, a timer, a process or an unexpected warning in the log."""
    with leaks.watch(with_qt="qapp" in request.fixturenames) as watcher:
        yield watcher
    found = watcher.found()
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@pytest.fixture
def expect_log(nothing_left_behind):
    """Call it with a regular expression: a warning in the log that matches is expected (and must come)."""
    return nothing_left_behind.log.expect


@pytest.fixture(scope="session")
def models_folder():
    """Real model files made by other people."""
    return _shared("models")


@pytest.fixture(scope="session")
def data_folder():
    """Recorded latency series."""
    return _shared("data")


def _shared(name):
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"no folder {os.path.relpath(folder)}: it is not part of the repository")
    return folder

"""The watch over tests: each kind of leak is found, and what ended is not."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading

import pytest

from tests.support import leaks


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    monkeypatch.setattr(leaks, "PATIENCE_S", 0.05)


def test_a_thread_that_still_runs_is_found():
    go = threading.Event()
    with leaks.watch(with_qt=False) as watcher:
        thread = threading.Thread(target=go.wait, name="left over")
        thread.start()
    assert watcher.found() == ["thread 'left over' still runs"]
    go.set()
    thread.join()
    assert watcher.found() == []


def test_a_child_process_is_found():
    with leaks.watch(with_qt=False) as watcher:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (sentence,) = watcher.found()
    assert str(child.pid) in sentence
    child.communicate()
    assert watcher.found() == []


def test_the_fork_server_is_permitted():
    with leaks.watch(with_qt=False) as watcher:
        child = subprocess.Popen([sys.executable, "-c", "input()", "engine.launch", "--serve"], stdin=subprocess.PIPE)
    assert watcher.found() == []
    child.communicate()


def test_a_warning_in_the_log_is_found_unless_expected():
    with leaks.watch(with_qt=False) as watcher:
        logging.getLogger("a.b").warning("disk %s", "full")
        logging.getLogger("a.b").info("fine")
    assert watcher.found() == ["unexpected line in the log: WARNING a.b: disk full"]
    watcher.log.expect("disk full")
    assert watcher.found() == []
    watcher.log.expect("never said")
    assert watcher.found() == ["no line in the log matches 'never said'"]


@pytest.fixture(autouse=True)      # the watch of the test itself sees the line too
def outer_watch_knows(request, expect_log):
    if "warning" in request.node.name:
        expect_log("disk full")


def test_a_running_timer_is_found(qapp):
    from PySide6.QtCore import QTimer

    with leaks.watch(with_qt=True) as watcher:
        timer = QTimer()
        timer.start(1000)
    (sentence,) = watcher.found()
    assert "QTimer still runs" in sentence
    assert "test_leaks.py" in sentence
    timer.stop()
    assert watcher.found() == []


def test_a_running_qthread_is_found(qapp):
    from PySide6.QtCore import QThread

    with leaks.watch(with_qt=True) as watcher:
        thread = QThread()
        thread.start()
    assert "QThread still runs" in watcher.found()[0]
    thread.quit()
    assert thread.wait(5000)
    assert watcher.found() == []

"""The engine's thread: what waits can be taken back, what looks at a file can be ended, and a job loses no request."""

from __future__ import annotations

import threading

import pytest

from engine.job import ModelSource
from engine.workers import Interrupted

EngineThread = pytest.importorskip("engine.thread", reason="this one module of the engine needs PySide6", exc_type=ModuleNotFoundError).EngineThread

FIRST, SECOND = ModelSource("/models/first.pth", "module"), ModelSource("/models/second.pth", "module")


class Examining:
    """Stands in for `Engine.examine`: begins, and ends only when it is stopped."""

    def __init__(self, thread: EngineThread) -> None:
        self._engine = thread._engine
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.has_begun, self.has_ended = threading.Event(), threading.Event()

    def __call__(self, source, inputs=(), python=None):
        self.begun.append(source.path)
        self.has_begun.set()
        while not self._engine.flags.stop:
            self._engine.pump.turn(1.0)
        self.ended.append(source.path)
        self.has_ended.set()
        raise Interrupted


@pytest.fixture
def thread(qapp, tmp_path):
    made = EngineThread(history_folder=tmp_path)
    yield made
    made.close()


@pytest.fixture
def examining(thread):
    made = Examining(thread)
    thread._engine.examine = made
    return made


def test_an_examination_is_ended_by_its_path_and_what_waits_behind_it_begins(thread, examining):
    thread.start()
    thread.examine(FIRST)
    assert examining.has_begun.wait(5)
    examining.has_begun.clear()
    thread.examine(SECOND)
    thread.stop_looking(FIRST.path)
    assert examining.has_ended.wait(5)
    assert examining.has_begun.wait(5)
    assert examining.begun == [FIRST.path, SECOND.path]
    assert examining.ended == [FIRST.path]


def test_another_files_path_ends_nothing(thread, examining):
    thread.start()
    thread.examine(FIRST)
    assert examining.has_begun.wait(5)
    thread.stop_looking(SECOND.path)
    assert not thread._engine.flags.stop


def test_what_waits_is_taken_back_before_it_begins(thread, examining):
    thread.examine(FIRST)
    thread.examine(SECOND)
    thread.stop_looking(FIRST.path)
    thread.start()
    assert examining.has_begun.wait(5)
    assert examining.begun == [SECOND.path]


def test_without_a_path_everything_that_looks_ends_and_a_job_that_waits_stays(thread, examining):
    ran = threading.Event()
    thread._engine.run_job = lambda job, info: ran.set()
    thread.start()
    thread.examine(FIRST)
    assert examining.has_begun.wait(5)
    thread.examine(SECOND)
    thread.run_job(object(), object())
    thread.stop_looking()
    assert ran.wait(5)
    assert examining.begun == [FIRST.path]
    assert not thread._engine.flags.stop


def test_closing_ends_an_examination(thread, examining):
    thread.start()
    thread.examine(FIRST)
    assert examining.has_begun.wait(5)
    thread.close()
    assert examining.ended == [FIRST.path]
    assert not thread.isRunning()

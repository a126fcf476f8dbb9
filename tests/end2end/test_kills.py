"""`kill -9` of the program at the worst moments: a second later nothing of ours lives, and what was finished is on disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from pathlib import Path

import psutil
import pytest

from engine import history
from tests.support import jobs, nets, ringing
from tests.support.command import MARK, ROOT, Bell, begin, end_group, environment, marked, still_living

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the rules of death are Linux's")]
RINGING = Path(ringing.__file__).resolve()
LIMIT_S = 1.0


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of `nets.Linears`."""
    return jobs.save(tmp_path_factory.mktemp("weights"), nets.Linears())


@pytest.fixture
def bell(tmp_path):
    """What a model rings."""
    made = Bell(tmp_path / "bell")
    yield made
    made.close()


@pytest.fixture
def mark():
    """All processes of a test carry it; those that outlive even a failed test are ended."""
    made = uuid.uuid4().hex
    yield made
    for process in marked(made):
        process.kill()


def kill_and_watch(pid, mark, expected):
    """Kill the program; every process of the kinds `expected` was there, and none is a second later."""
    ours = marked(mark)
    lines = [" ".join(process.cmdline()) for process in ours]
    for kind in expected:
        assert any(kind in line for line in lines), f"no {kind} among {lines}"
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    left = still_living(ours, LIMIT_S)
    assert left == [], f"still there after {time.monotonic() - began:.1f} s"
    assert [process for process in marked(mark) if process.pid != pid] == [], "somebody was born in between"


@pytest.mark.parametrize("what", ["endless", "spin", "crowd"])
def test_a_killed_command_leaves_nothing(tmp_path, weights, bell, mark, what):
    """In a call into C that never returns, in a loop of Python, with threads that never end."""
    arch = f"{bell.ringing}:Ringing({str(bell.path)!r}, {what!r}, at=15)"
    process = begin(tmp_path, tmp_path / "home", weights, "--arch", arch, "--input", "f32[B,16]", "--plan", "quick", **{MARK: mark})
    try:
        bell.wait(process)
        kill_and_watch(process.pid, mark, ["main.py profile", "--serve"])
        assert process.wait(5) == -signal.SIGKILL
    finally:
        end_group(process)


def imports_torch(process):
    """Whether it is a fork server that has torch's libraries mapped; a process that ended meanwhile is none."""
    try:
        return "--serve" in " ".join(process.cmdline()) and any("libtorch" in mapped.path for mapped in process.memory_maps())
    except psutil.NoSuchProcess:
        return False


def test_a_command_killed_while_torch_is_imported_leaves_nothing(tmp_path, weights, mark):
    """The fork server is deep in C then, and cannot answer a signal."""
    process = begin(tmp_path, tmp_path / "home", weights, "--arch", f"{RINGING}:Ringing('')", "--input", "f32[B,16]", "--plan", "quick", **{MARK: mark})
    try:
        deadline = time.monotonic() + 20
        while not any(imports_torch(each) for each in marked(mark)):
            assert time.monotonic() < deadline, "torch was never begun"
        kill_and_watch(process.pid, mark, ["--serve"])
    finally:
        end_group(process)


def test_finished_outcomes_outlive_a_kill(tmp_path, weights, bell, mark):
    """Two are over, the third hangs: the history holds the two, loads, and says that the run was not finished."""
    arch = f"{bell.ringing}:Ringing({str(bell.path)!r}, 'spin', at=1, rows=4)"
    process = begin(tmp_path, tmp_path / "home", weights, "--arch", arch, "--input", "f32[B,16]", "--batch", "1,2,4", "--plan", "quick", **{MARK: mark})
    try:
        bell.wait(process)
        kill_and_watch(process.pid, mark, ["--serve"])
    finally:
        end_group(process)
    folder = tmp_path / "home" / "history"
    (path,) = folder.glob("*.json")
    run = history.load_run(path)
    assert not run.finished
    assert [(outcome.configuration.batch_size, outcome.status) for outcome in run.outcomes] == [(1, "ok"), (2, "ok")]
    assert all(outcome.samples.count > 64 for outcome in run.outcomes)
    (entry,) = history.list_runs(folder)
    assert (entry.summary.ok, entry.summary.finished) == (2, False)


WINDOW = """
import os, sys
import gui.app as app
from engine.events import FileInspected, ModelExamined
from gui.models.session import Session

apply = Session.apply
def apply_and_run(self, event):
    apply(self, event)
    if isinstance(event, FileInspected):
        self.discovery.set_class(sys.argv[2])
    if isinstance(event, ModelExamined):
        self.request_run()
Session.apply = apply_and_run
sys.exit(app.main([sys.argv[1]]))
"""


@pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="needs a display")
@pytest.mark.parametrize("what", ["endless", "spin"])
def test_a_killed_window_leaves_nothing(tmp_path, weights, bell, mark, what):
    """The same for the real window, whose engine lives in a thread."""
    arch = f"{bell.ringing}:Ringing({str(bell.path)!r}, {what!r}, at=15)"
    env = environment(tmp_path / "home", PYTHONPATH=str(ROOT), **{MARK: mark})
    command = [sys.executable, "-c", textwrap.dedent(WINDOW), str(weights), arch]
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        bell.wait(process)
        kill_and_watch(process.pid, mark, ["--serve"])
    finally:
        end_group(process)

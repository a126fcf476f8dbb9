"""Fork server and workers as the engine holds them: started, judged by pidfd, collected, and told apart from what is none."""

from __future__ import annotations

import os
import select
import signal
import sys

import psutil
import pytest

from engine import messages
from engine.failures import start_failure
from engine.process import APPLICATION_FOLDER, EngineLost, ForkServer, SpawnedWorker, can_fork, child_environment
from engine.wire import FrameReader, frame
from tests.support.command import lives

pytestmark = pytest.mark.skipif(not can_fork(), reason="no fork server on this system")


@pytest.fixture(scope="module")
def server():
    """One fork server for all."""
    made = ForkServer(sys.executable)
    assert made.wait_ready(60.0)
    yield made
    made.close()


@pytest.fixture
def worker(server):
    """A worker that is collected, whatever the test did to it."""
    made = server.spawn()
    yield made
    if made.channel.fileno() != -1:
        made.send_signal(signal.SIGKILL)
        made.collect()


def wait_exit(worker, limit_s=5.0):
    assert select.select([worker.exit_fd], [], [], limit_s)[0], "it lives"


def answer(worker, command, limit_s=30.0):
    """Ask directly, without the engine's pump."""
    worker.channel.send(frame(command))
    reader, found = FrameReader(), []
    while not found:
        assert select.select([worker.channel], [], [], limit_s)[0], "no answer"
        data = worker.channel.recv(65536)
        assert data, "it hung up"
        found = reader.feed(data)
    return found[0]


def test_a_worker_answers_and_leaves_with_zero_when_the_engine_hangs_up(worker):
    assert isinstance(answer(worker, messages.Probe()), messages.Facted)
    assert not worker.has_exited()
    worker.channel.shutdown(2)
    wait_exit(worker)
    assert worker.has_exited()
    assert worker.collect() == 0


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_is_signalled_is_dead_by_that_signal(worker, sig):
    answer(worker, messages.Probe())
    worker.send_signal(sig)
    wait_exit(worker)
    assert worker.collect() == -sig


def test_an_interrupt_is_none_of_a_workers_business(worker):
    answer(worker, messages.Probe())
    worker.send_signal(signal.SIGINT)
    assert isinstance(answer(worker, messages.Probe()), messages.Facted)


def test_a_dead_worker_keeps_its_pid_until_it_is_collected(worker):
    """So that a signal to its group can only reach its own."""
    worker.send_signal(signal.SIGKILL)
    wait_exit(worker)
    assert psutil.Process(worker.pid).status() == psutil.STATUS_ZOMBIE
    worker.send_signal(signal.SIGKILL)      # nothing happens, nothing is raised
    worker.collect()
    assert not psutil.pid_exists(worker.pid)


def test_workers_are_separate_and_bring_no_descriptors_of_each_other(server):
    workers = [server.spawn() for _ in range(3)]
    for each in workers:
        answer(each, messages.Probe())
    assert len({os.getsid(each.pid) for each in workers}) == 3
    for each in workers:
        assert sorted(int(name) for name in os.listdir(f"/proc/{each.pid}/fd"))[:4] == [0, 1, 2, 3]
        assert os.readlink(f"/proc/{each.pid}/fd/0") == os.devnull
    for each in workers:
        each.channel.shutdown(2)
        wait_exit(each)
        assert each.collect() == 0


def test_engine_side_descriptors_are_freed(server):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        made = server.spawn()
        made.send_signal(signal.SIGKILL)
        wait_exit(made)
        made.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_killed_server_takes_its_workers_along_and_nobody_knows_their_codes():
    server = ForkServer(sys.executable)
    assert server.wait_ready(60.0)
    worker = server.spawn()
    os.kill(server.pid, signal.SIGKILL)
    wait_exit(worker)
    assert worker.collect() is None
    assert not server.is_alive()
    with pytest.raises(EngineLost):
        server.spawn()
    server.close()


def test_closing_ends_server_and_workers():
    server = ForkServer(sys.executable)
    assert server.wait_ready(60.0)
    worker = server.spawn()
    processes = [psutil.Process(server.pid), psutil.Process(worker.pid)]
    server.close()
    wait_exit(worker)
    assert [process for process in processes if lives(process)] == []
    worker.collect()


@pytest.mark.parametrize(("python", "words"), [("/bin/true", "/bin/true"), ("/bin/cat", "invalid option"), ("/nowhere/python", "/nowhere/python")])
def test_what_is_no_python_is_told_by_name(python, words):
    with pytest.raises(EngineLost, match=words) as met:
        server = ForkServer(python)
        try:
            server.wait_ready(10.0)
        finally:
            server.close()
    failure = start_failure(python, str(met.value))
    assert (failure.code, failure.say) == ("engine-lost", "engine-failed")
    assert python in failure.summary


def test_what_lacks_a_package_is_told_with_the_package():
    said = "Traceback (most recent call last):\n  File ...\nModuleNotFoundError: No module named 'torch._C'\n"
    failure = start_failure("/opt/python", said)
    assert failure.summary == "/opt/python lacks the package torch, which running a model takes."
    assert failure.details["log"] == said


def test_a_spawned_worker_lives_by_the_same_rules():
    """Where there is no fork server, a plain new process is the worker."""
    worker = SpawnedWorker(sys.executable)
    try:
        assert isinstance(answer(worker, messages.Probe(), 60.0), messages.Facted)
        assert os.getsid(worker.pid) == worker.pid
        worker.send_signal(signal.SIGTERM)
        wait_exit(worker)
        assert worker.has_exited()
    finally:
        worker.send_signal(signal.SIGKILL)
        code = worker.collect()
    assert code == -signal.SIGTERM


def test_a_spawned_worker_of_no_python_is_engine_lost():
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(EngineLost, match="/nowhere/python"):
        SpawnedWorker("/nowhere/python")
    assert len(os.listdir("/proc/self/fd")) == before


def test_children_import_from_the_application_and_never_from_the_current_folder(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "relative", "/somewhere"]))
    monkeypatch.setenv("PYTHONSTARTUP", "/somewhere/startup.py")
    found = child_environment()
    assert found["PYTHONSAFEPATH"] == "1"
    assert found["PYTHONPATH"].split(os.pathsep) == [str(APPLICATION_FOLDER), "/somewhere"]
    assert "PYTHONSTARTUP" not in found

"""How a worker comes to life: standard library only, own session, no foreign descriptors, dead with its parent."""

from __future__ import annotations

import ast
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from engine import launch
from tests.support.command import still_living

ROOT = Path(launch.__file__).resolve().parents[1]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the rules of death are Linux's")


def test_it_needs_nothing_but_python():
    """Any interpreter can begin here, with whatever packages it has; so can what confines a worker."""
    for path in (Path(launch.__file__), *(ROOT / "engine" / "confinement").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
        ours = {name for name in imported if name == "engine.confinement" or name.startswith("engine.confinement.")}
        assert {name.partition(".")[0] for name in imported - ours} <= sys.stdlib_module_names, path.name
    done = subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import engine.launch; print(sorted(sys.modules))"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert not {"torch", "msgspec", "numpy"} & set(ast.literal_eval(done.stdout))


@pytest.fixture
def serve():
    """A fork server that preloads next to nothing, and the engine's end of its control socket."""
    started = []

    def start(preload=("json",)):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = f"import sys; from engine import launch; launch.PRELOAD = {tuple(preload)!r}; launch.main(sys.argv[1:])"
        process = subprocess.Popen([sys.executable, "-c", code, "--serve", str(theirs.fileno())], pass_fds=[theirs.fileno()], cwd=ROOT, start_new_session=True,
                                   env={**os.environ, "PYTHONPATH": str(ROOT)})
        theirs.close()
        started.append((process, ours))
        return process, ours

    yield start
    for process, ours in started:
        ours.close()
        process.wait(10)


def heard(control):
    """The next answer and its descriptors."""
    assert select.select([control], [], [], 20)[0], "no answer"
    data, descriptors, _, _ = socket.recv_fds(control, 65536, 4)
    return json.loads(data), descriptors


def spawn(control):
    """A worker: pid, pidfd, our end of its channel, its log."""
    ours, theirs = socket.socketpair()
    read, write = os.pipe()
    socket.send_fds(control, [b'{"spawn": 1}'], [theirs.fileno(), write])
    theirs.close()
    os.close(write)
    answer, (pidfd,) = heard(control)
    return answer["pid"], pidfd, ours, read


def read_all(descriptor):
    parts = []
    while data := os.read(descriptor, 65536):
        parts.append(data)
    os.close(descriptor)
    return b"".join(parts).decode()


@LINUX
def test_the_server_says_what_it_loaded(serve):
    process, control = serve(("json", "wave"))
    assert heard(control)[0] == {"ready": ["json", "wave"], "pid": process.pid}


@LINUX
def test_a_preload_that_fails_is_said_and_ends_the_server(serve):
    """Not swallowed: without torch there is no worker."""
    process, control = serve(("no_such_module_anywhere",))
    answer, _ = heard(control)
    assert "No module named 'no_such_module_anywhere'" in answer["failed"]
    assert process.wait(10) == 0


@LINUX
def test_the_server_ends_when_the_engine_hangs_up(serve):
    process, control = serve()
    heard(control)
    control.close()
    assert process.wait(5) == 0


@LINUX
def test_an_interrupt_does_not_end_the_server(serve):
    process, control = serve()
    heard(control)
    process.send_signal(signal.SIGINT)
    control.send(b'{"reap": 1}')
    assert heard(control)[0] == {"reaped": 1, "code": None}


SLEEPER = """
import os, sys, time
def obey(channel):
    print(os.getsid(0) == os.getpid(), sorted(os.listdir("/proc/self/fd"))[:4], sys.stdin.read() == "", flush=True)
    if os.fork() == 0:
        time.sleep(1000)
    channel.send(b"!")
    channel.recv(1)
"""


@LINUX
@pytest.mark.parametrize("how", ["hang up", "SIGTERM", "SIGKILL of the worker"])
def test_a_worker_and_what_it_bred_end_with_the_server(serve, tmp_path, monkeypatch, how):
    """A worker that forked: when the server leaves, its whole group does; when it dies itself, the code is told and the zombie waits."""
    package = tmp_path / "engine" / "worker"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").write_text("")
    (package / "loop.py").write_text(SLEEPER)
    (package.parent / "launch.py").write_text(Path(launch.__file__).read_text(encoding="utf-8"))
    shutil.copytree(ROOT / "engine" / "confinement", package.parent / "confinement")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    process, control = serve(("json",))
    heard(control)
    pid, pidfd, channel, log = spawn(control)
    assert channel.recv(1) == b"!"
    ours = [psutil.Process(pid), *psutil.Process(pid).children()]
    assert len(ours) == 2
    if how == "SIGKILL of the worker":
        os.kill(pid, signal.SIGKILL)
        assert select.select([pidfd], [], [], 5)[0]
        assert ours[0].status() == psutil.STATUS_ZOMBIE
        os.killpg(pid, signal.SIGKILL)      # the zombie holds the group's number: this reaches its own and nobody else
        control.send(json.dumps({"reap": pid}).encode())
        assert heard(control)[0] == {"reaped": pid, "code": -9}
    elif how == "SIGTERM":
        process.terminate()
    else:
        control.close()
    assert still_living(ours, 1.0) == []
    os.close(pidfd)
    channel.close()
    assert read_all(log) == "True ['0', '1', '2', '3'] True\n"


@LINUX
def test_a_worker_whose_code_raises_leaves_its_traceback_in_the_log_and_exits_with_one(serve):
    _, control = serve(())      # the worker itself imports its loop then
    heard(control)
    pid, pidfd, channel, log = spawn(control)
    channel.send(b"\x00\x00\x00\x01\xc1")       # a command that is none
    assert select.select([pidfd], [], [], 30)[0]
    control.send(json.dumps({"reap": pid}).encode())
    assert heard(control)[0]["code"] == 1
    assert "Traceback" in read_all(log)
    os.close(pidfd)
    channel.close()


@LINUX
def test_a_process_dies_with_the_parent_that_it_names(tmp_path):
    """After kill -9 of the parent the kernel ends the child."""
    code = "import os, sys, time; from engine.launch import die_with_parent; die_with_parent(os.getppid()); print(os.getpid(), flush=True); time.sleep(1000)"
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path,
    )
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert still_living([child], 1.0) == []


def test_without_the_kernels_help_a_thread_watches_the_parent(tmp_path):
    """As on systems that have no PR_SET_PDEATHSIG."""
    code = (
        "import ctypes, os, sys, time\nfrom engine import launch\nlaunch.ctypes.CDLL = lambda *a, **k: (_ for _ in ()).throw(OSError('none here'))\n"
        "launch.die_with_parent(os.getppid())\nprint(os.getpid(), flush=True)\ntime.sleep(1000)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path,
    )
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert still_living([child], 1.0) == []

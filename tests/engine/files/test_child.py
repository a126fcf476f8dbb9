"""The child that looks into a file: same answer, bounded, and it can be ended at any time."""

from __future__ import annotations

import os
import select
import selectors
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from engine.files import InspectionProcess, inspect_file, inspect_in_child
from engine.files import child as child_module
from tests.support import model_files as make


@pytest.fixture
def model(tmp_path):
    """A good file."""
    path = tmp_path / "模型 one.onnx"
    path.write_bytes(make.onnx(inputs=(make.onnx_input("x", (None, 3, "?", 7)),), initializers=(make.onnx_tensor("w", (2,)),)))
    return str(path)


@pytest.fixture
def stuck(tmp_path, monkeypatch):
    """Makes every child one that never ends by itself; gives the file to look into."""
    waiting = tmp_path / "waiting.py"
    waiting.write_text("import signal\nprint('{', end='', flush=True)\nwhile True:\n    signal.pause()\n")
    _start_instead(monkeypatch, [sys.executable, str(waiting)])
    return str(tmp_path / "m.pth")


def _start_instead(monkeypatch, command):
    start = child_module.subprocess.Popen
    monkeypatch.setattr(child_module.subprocess, "Popen", lambda arguments, **options: start(command, **options))


def test_same_answer_as_here(model):
    """Nothing is lost on the way, not even the type of an input."""
    assert inspect_in_child(model) == inspect_file(model)
    assert inspect_in_child(model + "x") == inspect_file(model + "x")


def test_a_name_that_is_no_unicode(tmp_path):
    """Any name that the file system has is taken."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.pth")
    with open(path, "wb") as file:
        file.write(make.zipped(make.state_dict()))
    found = inspect_in_child(path)
    assert (found.path, found.info.path, found.info.values) == (path, path, 125)
    assert inspect_in_child(path + "\0").refusal.code == "file-missing"


def test_polled_from_a_selector(model):
    """The supervisor's loop: wait for the file, poll, never block."""
    process = InspectionProcess(model)
    with selectors.DefaultSelector() as selector:
        selector.register(process, selectors.EVENT_READ)
        while (found := process.poll()) is None:
            selector.select(max(0.0, process.deadline - time.monotonic()))
    assert found.info.kind == "onnx"
    assert process.poll() is found
    assert process.result() is found


def test_relative_paths_are_taken_from_here(model, monkeypatch):
    """The child works in another folder."""
    monkeypatch.chdir(os.path.dirname(model))
    assert inspect_in_child(os.path.basename(model)).info.kind == "onnx"


def test_hostile_modules_beside_the_file_are_not_imported(tmp_path, monkeypatch, model):
    """A `socket.py` or `msgspec.py` in the current folder, or on PYTHONPATH, is not touched."""
    for name in ("socket", "torch", "numpy", "queue", "msgspec", "zipfile", "pickletools"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'touched')!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert inspect_in_child(model).info.kind == "onnx"
    assert not (tmp_path / "touched").exists()


def test_deadline(stuck):
    """What takes too long is ended and refused."""
    process = InspectionProcess(stuck, timeout_s=0.3)
    pid = process._process.pid
    found = process.result()
    assert (found.refusal.code, found.refusal.values["seconds"]) == ("file-inspection-timeout", "0.3")
    assert not psutil.pid_exists(pid)


def test_killed_from_another_thread(stuck):
    """A caller who waits gets its refusal at once."""
    process = InspectionProcess(stuck, timeout_s=60)
    select.select([process], [], [], 20)
    pid = process._process.pid
    killer = threading.Thread(target=process.kill)
    started = time.monotonic()
    killer.start()
    found = process.result()
    killer.join()
    assert found.refusal.code == "file-inspection-cancelled"
    assert time.monotonic() - started < 5
    assert not psutil.pid_exists(pid)
    process.kill()
    assert process.result() is found


@pytest.mark.parametrize(("script", "reason"), [
    ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"), ("raise SystemExit(3)", "exit 3"), ("raise ValueError('out of order')", "ValueError: out of order"),
    ("print('{\"path\": 3}')", "exit 0"), ("print('x' * 10_000_000)", "SIGKILL")])
def test_a_child_that_fails_is_a_refusal(monkeypatch, tmp_path, script, reason):
    """A crash, an exit, an exception, an answer of another shape, an endless answer."""
    _start_instead(monkeypatch, [sys.executable, "-c", script])
    refusal = inspect_in_child(str(tmp_path / "m.pth")).refusal
    assert refusal.code == "file-inspection-died"
    assert reason in refusal.values["reason"]


def test_limits_hold_in_the_child(tmp_path):
    """It may use 1 GiB of address space, and dies with its parent; nothing of a crash is written to the disk."""
    text = ("import engine.files.__main__ as m, resource, sys\nm.limit(7)\n"
            "print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CORE)[0], resource.getrlimit(resource.RLIMIT_CPU)[0])")
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=child_module.APPLICATION_FOLDER, timeout=20)
    assert done.stdout.split() == [str(1 << 30), "0", "7"]


def test_child_dies_with_its_parent(tmp_path):
    """SIGKILL for the asker leaves nobody behind, even while the child reads a file that never ends."""
    text = ("import sys, subprocess\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import engine.files.__main__ as m, signal; m.limit(60); print(1, flush=True); signal.pause()'],"
            " stdout=subprocess.PIPE)\nchild.stdout.readline()\nprint(child.pid, flush=True)\nchild.wait()")
    parent = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, cwd=child_module.APPLICATION_FOLDER)
    grandchild = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert psutil.wait_procs([grandchild], timeout=5)[1] == []


def test_child_imports_neither_torch_nor_qt(model):
    """The reader stays small: it answers in a fraction of a second."""
    text = f"import sys\nfrom engine.files.__main__ import main\nmain([{model!r}, '20'])\nprint()\nprint(sorted(set(sys.modules) & {{'torch', 'PySide6', 'onnx', 'pickle'}}))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=child_module.APPLICATION_FOLDER, timeout=20)
    assert set(done.stdout.strip().splitlines()[-1].strip("[]").replace("'", "").split(", ")) <= {"", "pickle"}


def test_large_files_get_the_time_that_their_hash_takes(tmp_path, stuck):
    """A file of 5 GB (of which the disk holds nothing) may take a hundred seconds more; a small one none; a folder what its files take."""
    large = tmp_path / "large.pth"
    with large.open("wb") as file:
        file.truncate(5_000_000_000)
    for path, seconds in ((large, 120), (tmp_path, 120), (tmp_path / "none.pth", 20)):
        process = InspectionProcess(str(path))
        assert process.timeout_s == seconds
        process.kill()

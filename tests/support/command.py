"""The real command line as a process of its own, in a home of its own."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
MARK = "MODEL_DYNO_TEST_MARK"
LIMIT_S = 60


def environment(home: Path, **more: str) -> dict[str, str]:
    """What set-up leaves to the program, with places of its own."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONUNBUFFERED")}
    return kept | {"PYTHONSAFEPATH": "1", "MODEL_DYNO_HOME": str(home), **more}


def profile(folder: Path, home: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """`python3 main.py profile ...` from `folder`, to its end."""
    return command(folder, home, "profile", *arguments, **more)


def command(folder: Path, home: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """`python3 main.py ...` from `folder`, to its end."""
    words = [sys.executable, str(ROOT / "main.py"), *map(str, arguments)]
    return subprocess.run(words, cwd=folder, env=environment(home, **more), capture_output=True, text=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL)


def begin(folder: Path, home: Path, *arguments: object, word: str = "profile", **more: str) -> subprocess.Popen[str]:
    """The same, under way, as the leader of a process group of its own (as a shell's job is)."""
    words = [sys.executable, str(ROOT / "main.py"), word, *map(str, arguments)]
    return subprocess.Popen(
        words, cwd=folder, env=environment(home, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, start_new_session=True
    )


def two_lines(stderr: str) -> tuple[str, str]:
    """What is wrong, and what to do; nothing else may stand on standard error."""
    lines = stderr.splitlines()
    assert len(lines) == 2, stderr
    assert all(line.strip() for line in lines), stderr
    assert "Traceback" not in stderr
    assert "\x1b" not in stderr
    return lines[0], lines[1]


class Bell:
    """A named pipe that a model under test rings from inside its worker: waiting without sleeping.

    A confined worker may write nowhere, but it may read what lies beside its class file. So the pipe is full, and who empties it has rung.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        # Open for both ends, so that it never reads as closed before the first ring.
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(self._fd, bytes(4096))
        self.line = f"open({str(path)!r}, 'rb', 0).read(1 << 20)\n"
        """What a class file says to ring."""

    @property
    def ringing(self) -> Path:
        """A copy of tests/support/ringing.py beside the pipe."""
        return Path(shutil.copy(Path(__file__).with_name("ringing.py"), self.path.parent))

    def wait(self, process: subprocess.Popen[str], limit_s: float = 30.0) -> None:
        """Return when it was rung; fails when nobody rings, or when the process ends instead, with what it said."""
        handle = os.pidfd_open(process.pid)
        try:
            over, rung, _ = select.select([handle], [self._fd], [], limit_s)
        finally:
            os.close(handle)
        if not rung:
            end_group(process)
        assert rung, f"nobody rang: exit code {process.returncode} after at most {limit_s:g} s{' as it ended' if over else ''}"

    def close(self) -> None:
        """Free the pipe."""
        os.close(self._fd)


def marked(mark: str) -> list[psutil.Process]:
    """All processes that carry the mark in their environment, however they came to be."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def lives(process: psutil.Process) -> bool:
    """Whether a process still does anything: a zombie that nobody collects does not."""
    try:
        return process.is_running() and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False


def still_living(processes: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    """Those that outlive `within_s`; empty as soon as none lives."""
    deadline = time.monotonic() + within_s
    while living := [process for process in processes if lives(process)]:
        if time.monotonic() >= deadline:
            return living
        time.sleep(0.01)
    return []


def end_group(process: subprocess.Popen[str]) -> None:
    """After a test, pass or fail: nothing of the command is left. What it said goes to pytest's record."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdout, process.stderr):
        if stream is not None and not stream.closed:
            print(stream.read())
            stream.close()
    process.wait()

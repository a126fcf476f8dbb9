"""Looking into a file from a process of its own, so that no file can hang, bloat or crash the asker."""

from __future__ import annotations

import math
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec

from engine.events import FileInspected
from engine.files.reading import clean
from engine.job import InputSpec
from engine.process import APPLICATION_FOLDER, child_environment
from engine.result import ModelInfo
from engine.words import failure

_ANSWER_LIMIT_BYTES = 4 << 20
_CHUNK_BYTES = 1 << 16
_SLOW_DISK_BYTES = 50_000_000
"""What a slow disk gives in a second."""


class InspectionProcess:
    """One inspection under way. `poll` never blocks: call it when `fileno` is readable and when `deadline` has passed.

    `near` are Python files and folders, besides the file's own, in which classes for bare weights are looked for; `at` is the place in a checkpoint.
    On Linux the child dies with the thread that made this object: make it in one that lives as long.
    """

    def __init__(self, path: str, timeout_s: float = 20.0, near: tuple[str, ...] = (), at: str | None = None) -> None:
        self.path, self.timeout_s = path, timeout_s + _hashing_s(path)
        self.deadline = time.monotonic() + self.timeout_s
        """On the clock of `time.monotonic`."""
        self._lock = threading.Lock()
        self._answer = bytearray()
        self._inspected: FileInspected | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in _end
        # numpy comes along with the events; a thread for each of many cores would not fit into the child's memory limit.
        environment = {**child_environment(), "PYTHONPATH": os.pathsep.join(_own_paths()), "OPENBLAS_NUM_THREADS": "1"}
        more = [os.path.abspath(each) for each in near] + ([f"--at={at}"] if at else [])
        target = os.path.abspath(path.replace("\0", "\ufffd"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "engine.files", target, str(math.ceil(self.timeout_s)), *more], cwd=APPLICATION_FOLDER, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors, start_new_session=True)
        assert self._process.stdout is not None
        self._pipe = self._process.stdout
        os.set_blocking(self._pipe.fileno(), False)

    def fileno(self) -> int:
        """For a selector: readable when there is something to `poll`. Valid until the result is there."""
        return self._pipe.fileno()

    def poll(self) -> FileInspected | None:
        """The result, or None while it is under way. Ends the process when the deadline has passed."""
        with self._lock:
            if self._inspected is None and self._read():
                self._end(self._judge())
            elif self._inspected is None and time.monotonic() >= self.deadline:
                self._process.kill()
                self._end(_refusal(self.path, "file-inspection-timeout", seconds=f"{self.timeout_s:g}"))
            return self._inspected

    def result(self) -> FileInspected:
        """The result; waits for it, at most until the deadline."""
        while (inspected := self.poll()) is None:
            try:
                select.select([self], [], [], max(0.0, self.deadline - time.monotonic()))
            except ValueError:
                # Another thread has ended it between poll and select: its file is closed and the result is there.
                continue
        return inspected

    def kill(self) -> None:
        """End it now, from any thread; the result is then a refusal (unless it was there before)."""
        with self._lock:
            if self._inspected is None:
                self._process.kill()
                self._end(_refusal(self.path, "file-inspection-cancelled"))

    def _read(self) -> bool:
        """Take what has come; whether that was all of it."""
        while len(self._answer) <= _ANSWER_LIMIT_BYTES:
            try:
                chunk = os.read(self._pipe.fileno(), _CHUNK_BYTES)
            except BlockingIOError:
                return False
            if not chunk:
                return True
            self._answer += chunk
        return True

    def _judge(self) -> FileInspected:
        try:
            return _decode(self.path, bytes(self._answer))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return self._died()

    def _died(self) -> FileInspected:
        """What to say when the process ended without a whole answer: its signal, exit code or last words."""
        try:
            code = self._process.wait(1.0 if len(self._answer) <= _ANSWER_LIMIT_BYTES else 0.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if code == -signal.SIGXCPU or (code == -signal.SIGKILL and time.monotonic() >= self.deadline):
            return _refusal(self.path, "file-inspection-timeout", seconds=f"{self.timeout_s:g}")
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 2000))
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        reason = signal.Signals(-code).name if code < 0 else lines[-1] if lines else f"exit {code}"
        return _refusal(self.path, "file-inspection-died", reason=clean(reason))

    def _end(self, inspected: FileInspected) -> None:
        """Keep the result, and leave neither process nor open file behind."""
        self._inspected = inspected
        if self._process.poll() is None:
            # The answer is whole, or it was killed: nothing that it still does is wanted.
            self._process.kill()
        self._process.wait()
        self._pipe.close()
        self._errors.close()


def inspect_in_child(path: str, timeout_s: float = 20.0) -> FileInspected:
    """As `inspect_file`, in a process of its own under limits of time and memory; waits for the answer."""
    return InspectionProcess(path, timeout_s).result()


def _hashing_s(path: str) -> int:
    """Seconds more for a large file or folder: its hash reads all of it, from a slow disk perhaps."""
    try:
        files = [entry.stat().st_size for entry in os.scandir(path)] if os.path.isdir(path) else [os.stat(path).st_size]
    except (OSError, ValueError):
        return 0        # what is wrong with the path is for the child to say
    return sum(files) // _SLOW_DISK_BYTES


def _own_paths() -> list[str]:
    """The application's folder, and where this process' own packages lie if that is no part of its Python: never the user's PYTHONPATH."""
    packages = Path(msgspec.__file__).resolve().parents[1]
    ours = [] if packages.is_relative_to(Path(sys.prefix).resolve()) else [str(packages)]
    return [str(APPLICATION_FOLDER), *ours]


def _decode(path: str, answer: bytes) -> FileInspected:
    inspected = msgspec.json.decode(answer, type=FileInspected)
    info: ModelInfo | None = inspected.info and msgspec.structs.replace(inspected.info, path=path)
    inputs = None if inspected.inputs is None else msgspec.convert(inspected.inputs, tuple[InputSpec, ...])
    guessed = msgspec.convert(inspected.guessed, tuple[InputSpec, ...])
    return msgspec.structs.replace(inspected, path=path, info=info, inputs=inputs, guessed=guessed)


def _refusal(path: str, code: str, **values: object) -> FileInspected:
    shown = {"name": clean(os.path.basename(path.rstrip("/")) or path), **values}
    return FileInspected(path=path, refusal=failure(code, code, shown))

"""What a test must not leave behind: threads, Qt timers and threads, child processes, warnings in the log."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import threading
import time
import traceback
import weakref
from dataclasses import dataclass, field

import psutil

PATIENCE_S = 2.0
"""How long something that is already ending may take to end."""


class LogWatch(logging.Handler):
    """Keeps what was logged at WARNING and above."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []
        self._expected = []

    def emit(self, record):
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")

    def expect(self, pattern):
        """A line that matches is expected, and must come."""
        self._expected.append(re.compile(pattern))

    def found(self):
        surplus = [f"unexpected line in the log: {line}" for line in self.lines if not any(p.search(line) for p in self._expected)]
        missing = [f"no line in the log matches {p.pattern!r}" for p in self._expected if not any(p.search(line) for line in self.lines)]
        return surplus + missing


class QtWatch:
    """Remembers each QTimer and QThread that is started, and from where."""

    def __init__(self):
        self._started = []
        self._patched = []

    def open(self):
        from PySide6.QtCore import QThread, QTimer

        for kind in (QTimer, QThread):
            self._patch(kind)

    def _patch(self, kind):
        original = kind.start

        def start(instance, *arguments, **named):
            self._started.append((weakref.ref(instance), kind.__name__, _origin()))
            return original(instance, *arguments, **named)

        kind.start = start
        self._patched.append((kind, original))

    def close(self):
        for kind, original in self._patched:
            kind.start = original

    def found(self):
        return list(dict.fromkeys(f"{name} still runs; it was started at {where}" for reference, name, where in self._started if _is_active(reference())))


def _is_active(instance):
    import shiboken6

    if instance is None or not shiboken6.isValid(instance):
        return False
    return instance.isActive() if hasattr(instance, "isActive") else instance.isRunning()


def _origin():
    frame = traceback.extract_stack(limit=4)[-3]
    return f"{frame.filename}:{frame.lineno} {frame.line}"


@dataclass
class Watcher:
    """The state before a test, and what differs after it."""

    log: LogWatch = field(default_factory=LogWatch)
    qt: QtWatch | None = None
    threads: frozenset = field(default_factory=lambda: frozenset(threading.enumerate()))
    processes: frozenset = field(default_factory=lambda: frozenset(_children()))

    def found(self):
        """One sentence for each thing left behind."""
        return self._left_processes() + self._left_threads() + (self.qt.found() if self.qt else []) + self.log.found()

    def _left_threads(self):
        end = time.monotonic() + PATIENCE_S
        left = [thread for thread in threading.enumerate() if thread not in self.threads]
        for thread in left:
            if not isinstance(thread, threading._DummyThread):     # made by Qt: it has no end that Python sees
                thread.join(max(0.0, end - time.monotonic()))
        return [f"thread {t.name!r} still runs" for t in left if t.is_alive() and not isinstance(t, threading._DummyThread)]

    def _left_processes(self):
        new = [process for process in _children() if process not in self.processes and not _is_permitted(process)]
        _, left = psutil.wait_procs(new, timeout=PATIENCE_S)
        return [f"process {_say(process)} was left" for process in left]


def _children():
    """All processes below this one; from the kernel's own lists, because psutil reads about every process of the machine, twice a test."""
    if not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
        return psutil.Process().children(recursive=True)
    found, new = [], [os.getpid()]
    while new:
        new = [child for pid in new for child in _listed(pid)]
        for pid in new:
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(pid))
    return found


def _listed(pid):
    """The children of each thread."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return []
    listed = []
    for thread in threads:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as stream:
            listed += map(int, stream.read().split())
    return listed


def _is_permitted(process):
    """The session's fork server and multiprocessing's resource tracker live until the session ends."""
    line = _command(process)
    return ("engine.launch" in line and "--serve" in line) or "multiprocessing.resource_tracker" in line


def _command(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _say(process):
    try:
        return f"{process.pid} ({process.status()}): {_command(process) or process.name()}"
    except psutil.Error:
        return str(process.pid)


@contextlib.contextmanager
def watch(with_qt):
    """Watch from here on; `found()` of what is yielded tells what is left."""
    watcher = Watcher(qt=QtWatch() if with_qt or "PySide6.QtCore" in sys.modules else None)
    logging.getLogger().addHandler(watcher.log)
    if watcher.qt:
        watcher.qt.open()
    try:
        yield watcher
    finally:
        if watcher.qt:
            watcher.qt.close()
        logging.getLogger().removeHandler(watcher.log)

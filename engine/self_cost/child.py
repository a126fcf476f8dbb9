"""A round in a process of its own, as its starter sees it: heard line by line, ended with everything that it started."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from engine.failures import last_line
from engine.process import APPLICATION_FOLDER, child_environment
from engine.result import Failure
from engine.self_cost.rounds import Round, RoundSpec
from engine.setup.needs import check_display
from engine.setup.speech import SetupStopped
from engine.storage import HOME_VARIABLE
from engine.words import failure
from engine.workers import ConfigurationEnded

MODULE = "gui.self_cost"
START_S, STRETCH_S = 180.0, 60.0
"""Longest silence: until the first stretch, and of a stretch beyond its own length."""
LEAVE_S = 10.0
SHOWN = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "QT_QPA_PLATFORM", "QT_SCALE_FACTOR")
"""What a window needs of the environment, beyond what every child gets."""


class RoundProcess:
    """Measures rounds, each in a window process of its own; `home` is a folder for its settings, history and caches."""

    def __init__(self, spec: RoundSpec, home: Path, hear: Callable[[int], None], command: tuple[str, ...] = (sys.executable, "-m", MODULE)) -> None:
        self._spec, self._home, self._hear, self._command = spec, home, hear, command

    def take(self) -> Round:
        """One round; raises ConfigurationEnded with what went wrong. Nothing that it started lives afterwards."""
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                [*self._command, msgspec.json.encode(self._spec).decode()], cwd=APPLICATION_FOLDER, env=self._environment(), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=said, start_new_session=True,
            )
            cause = ""
            try:
                done = self._listen(process)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(LEAVE_S)
            except TimeoutError as silent:
                done, cause = None, str(silent)
            finally:
                end(process)
            if done is None:
                said.seek(0)
                raise ConfigurationEnded(_failed(process, said.read(), cause))
            return done

    def _environment(self) -> dict[str, str]:
        """Its own places; Qt draws into memory where no display answers."""
        shown = {name: os.environ[name] for name in SHOWN if name in os.environ}
        try:
            check_display()
        except SetupStopped:
            shown["QT_QPA_PLATFORM"] = "offscreen"
        return child_environment() | shown | {HOME_VARIABLE: str(self._home)}

    def _listen(self, process: subprocess.Popen[bytes]) -> Round | None:
        """Its lines until the round has come; None when it ended without one, TimeoutError when it fell silent."""
        assert process.stdout is not None
        descriptor, rest, patience = process.stdout.fileno(), b"", START_S
        deadline = time.monotonic() + patience
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while selector.select(max(0.0, deadline - time.monotonic())):
                if not (data := os.read(descriptor, 65536)):
                    return None
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    told = _understood(line)
                    if isinstance(told, Round):
                        return told
                    if told is not None:
                        patience = self._spec.seconds + STRETCH_S
                        deadline = time.monotonic() + patience
                        self._hear(told)
        raise TimeoutError(f"no word for {patience:g} s")


def _understood(line: bytes) -> Round | int | None:
    """A round, the number of the stretch that begins, or None for what a library printed."""
    try:
        told: Any = json.loads(line)
        if isinstance(told, dict) and "round" in told:
            return msgspec.convert(told["round"], Round)
        return int(told["stretch"]) if isinstance(told, dict) and "stretch" in told else None
    except (ValueError, TypeError, RecursionError):     # msgspec's ValidationError is a ValueError
        return None


def end(process: subprocess.Popen[bytes]) -> None:
    """Whatever is left of the round: its group is killed; its fork server and workers end with it, since the kernel ends them with their parent."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _failed(process: subprocess.Popen[bytes], said: bytes, cause: str) -> Failure:
    text = said.decode("utf-8", errors="replace").strip()
    cause = cause or last_line(text) or f"exit code {process.returncode}"
    return failure("failed", "self-cost-round-failed", {"error": cause[:300]}, {"log": text[-8000:], "exit_code": process.returncode})

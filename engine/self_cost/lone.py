"""The lone Python process from outside: starts it, asks for a stretch, waits while the caller lives on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.inputs import parse_input
from engine.process import APPLICATION_FOLDER, child_environment
from engine.self_cost.rounds import RoundSpec

SCRIPT = APPLICATION_FOLDER / "engine" / "worker" / "lone.py"
"""Started as a file, so that nothing of the program is imported with it."""


class LoneError(Exception):
    """The lone process ended without an answer."""


class Lone:
    """One lone process with its model."""

    def __init__(self, spec: RoundSpec, python: str = sys.executable) -> None:
        shape = [1 if size == "B" else size for size in parse_input(spec.input).shape]
        told = json.dumps(msgspec.to_builtins(spec) | {"shape": shape})
        self._process = subprocess.Popen(
            [python, str(SCRIPT), told], cwd=Path(SCRIPT).parent, env=child_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def wait_ready(self) -> None:
        """Until torch and the model are loaded."""
        if self._line() != "ready":
            raise LoneError("the lone process did not start")

    def ask(self, command: str, meanwhile: Callable[[Callable[[], bool]], None]) -> float:
        """Send `loop SECONDS WARM_UP_S` or `timer SECONDS` and let `meanwhile` wait until the answer is there: median in ns."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        answers: list[str] = []
        reader = threading.Thread(target=lambda: answers.append(self._line()), name="lone-answer")
        reader.start()
        try:
            meanwhile(lambda: bool(answers))
        finally:
            if not answers:
                self._process.kill()
            reader.join()
        if not answers[0]:
            raise LoneError("the lone process ended in the middle of a stretch")
        return float(json.loads(answers[0])[0])

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()

    def kill(self) -> None:
        """End it wherever it is."""
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

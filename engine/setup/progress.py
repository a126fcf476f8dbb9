"""Where set-up's progress is shown: the terminal, or a window of its own where there is none."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import Protocol

from engine.setup.places import ROOT
from engine.setup.speech import use_latin_letters
from engine.setup.system import has_display

BAR_CELLS = 24


class Progress(Protocol):
    """Somebody who is told how far set-up is."""

    def say(self, sentence: str) -> None:
        """Something worth keeping in sight."""

    def step(self, sentence: str, fraction: float | None) -> None:
        """What is being done now, and how much of all is done (0..1, None when unknown)."""

    def fail(self, summary: str, hint: str) -> None:
        """The end, and what to do about it."""

    def close(self) -> None:
        """Set-up is over."""


class TerminalProgress:
    """Lines on standard error; on a terminal the last one is a bar."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._shown = ""
        self._shown_fraction = -1.0

    def say(self, sentence: str) -> None:
        """Print a line of its own."""
        self._clear()
        self._write(sentence + "\n")

    def step(self, sentence: str, fraction: float | None) -> None:
        """Redraw the bar; where nothing can be redrawn, print a line for each twentieth of the way."""
        if self._is_terminal:
            self._clear()
            self._shown = self._bar(sentence, fraction)
            self._write(self._shown)
        elif fraction is None or fraction - self._shown_fraction >= 0.05:
            self._shown_fraction = -1.0 if fraction is None else fraction
            self._write(f"  {sentence}\n")

    def fail(self, summary: str, hint: str) -> None:
        """Print both lines."""
        self._clear()
        self._write(f"{summary}\n{hint}\n")

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._clear()

    def _bar(self, sentence: str, fraction: float | None) -> str:
        done = "" if fraction is None else "[" + ("#" * int(fraction * BAR_CELLS)).ljust(BAR_CELLS, ".") + f"] {fraction:4.0%} "
        return (done + sentence)[: os.get_terminal_size(sys.stderr.fileno()).columns - 1]

    def _clear(self) -> None:
        if self._is_terminal and self._shown:
            self._write("\r\x1b[K")
            self._shown = ""

    def _write(self, text: str) -> None:
        if sys.stderr is not None:      # a start without a console on Windows has none
            sys.stderr.write(text)
            sys.stderr.flush()


class WindowProgress:
    """A small window in a process of its own; closing it stops set-up, which the next start resumes."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONSAFEPATH": "1"}
        self._child = subprocess.Popen(
            [sys.executable, str(ROOT / "engine" / "setup" / "window.py")], stdin=subprocess.PIPE, text=True, encoding="utf-8", env=environment, cwd=ROOT,
        )

    def say(self, sentence: str) -> None:
        """Show it as the headline."""
        self._send(say=sentence)

    def step(self, sentence: str, fraction: float | None) -> None:
        """Show it under the bar."""
        self._send(step=sentence, fraction=fraction)

    def fail(self, summary: str, hint: str) -> None:
        """Show both and stay until the user has closed the window."""
        with contextlib.suppress(KeyboardInterrupt):
            self._send(fail=f"{summary}\n\n{hint}")
        self.close()

    def close(self) -> None:
        """End the window."""
        with contextlib.suppress(BrokenPipeError):
            if self._child.stdin is not None:
                self._child.stdin.close()
        self._child.wait()

    def _send(self, **message: object) -> None:
        if self._child.poll() is not None:
            raise KeyboardInterrupt     # the user closed the window
        try:
            assert self._child.stdin is not None
            self._child.stdin.write(json.dumps(message) + "\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise KeyboardInterrupt from None


class LazyProgress:
    """Opens nothing until there is something to tell: most starts have nothing."""

    def __init__(self, *, wants_window: bool) -> None:
        self._wants_window = wants_window
        self._real: Progress | None = None

    def _teller(self) -> Progress:
        if self._real is None:
            self._real = choose(wants_window=self._wants_window)
        return self._real

    def say(self, sentence: str) -> None:
        """Hand it on."""
        self._teller().say(sentence)

    def step(self, sentence: str, fraction: float | None) -> None:
        """Hand it on."""
        self._teller().step(sentence, fraction)

    def fail(self, summary: str, hint: str) -> None:
        """Hand it on."""
        self._teller().fail(summary, hint)

    def close(self) -> None:
        """Close what was opened."""
        if self._real is not None:
            self._real.close()


def choose(*, wants_window: bool) -> Progress:
    """The window where nobody reads a terminal but somebody sits before a display."""
    reads_a_terminal = any(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr))
    if not wants_window or reads_a_terminal or not has_display(os.environ):
        return TerminalProgress()
    if find_spec("tkinter") is None and not shutil.which("zenity") and not shutil.which("kdialog"):
        use_latin_letters()
    return WindowProgress()

"""A person at the real window: mouse and keyboard through the X server, eyes through tests.support.eyes."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 20.0


def xdotool(*words: object) -> None:
    """One or more acts of mouse and keyboard."""
    subprocess.run(["xdotool", *map(str, words)], check=True, capture_output=True)


def until(question: Callable[[], Any], what: str, wait_s: float = WAIT_S) -> Any:
    """The first true answer; fails when none comes in time."""
    deadline = time.monotonic() + wait_s
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {wait_s:g} s in vain for {what}")
        time.sleep(0.05)
    return answer


def environment(home: Path) -> dict[str, str]:
    """As the program's own start sets it, with places of the test's own."""
    return {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": str(ROOT), "MODEL_DYNO_HOME": str(home), "LC_ALL": "C.UTF-8", "LANGUAGE": "en"}


class Desk:
    """The program's window, seen and used from outside."""

    def __init__(self, process: subprocess.Popen[bytes], line: socket.socket) -> None:
        self.process, self._line = process, line
        self._stream = line.makefile("rw")

    def ask(self, what: str, **values: Any) -> Any:
        """A question to the eyes."""
        self._stream.write(json.dumps({"ask": what, **values}) + "\n")
        self._stream.flush()
        answer = self._stream.readline()
        if not answer:
            raise AssertionError(f"the window is gone (exit code {self.process.poll()})")
        found = json.loads(answer)
        assert "answer" in found, found.get("error")
        return found["answer"]

    def widget(self, name: str) -> dict[str, Any]:
        """A widget, once it can be seen."""
        return until(lambda: self.ask("widget", name=name), f"widget {name}")

    def click(self, name: str, wait_s: float = WAIT_S) -> None:
        """Press a widget in its middle, once it is there and enabled."""
        until(lambda: (found := self.ask("widget", name=name)) and found["enabled"], f"{name} enabled", wait_s)
        found = self.widget(name)
        xdotool("mousemove", found["x"] + found["w"] // 2, found["y"] + found["h"] // 2, "click", 1)

    def click_row(self, name: str, row: int) -> None:
        """Press a row of a list."""
        place = until(lambda: self.ask("row_place", name=name, row=row), f"row {row} of {name}")
        xdotool("mousemove", place["x"], place["y"], "click", 1)

    def scroll_down(self, name: str) -> None:
        """Turn the wheel, at the left edge of a widget, to the end."""
        place = self.widget(name)
        xdotool("mousemove", place["x"] + 4, place["y"] + place["h"] // 2, "click", "--repeat", 30, "--delay", 5, 5)

    def picture(self, path: Path, name: str | None = None) -> bytes:
        """A screenshot of the screen or of one widget, kept as a PNG."""
        crop = []
        if name:
            found = self.widget(name)
            crop = ["-crop", f"{found['w']}x{found['h']}+{found['x']}+{found['y']}"]
        subprocess.run(["import", "-window", "root", *crop, "+repage", str(path)], check=True, capture_output=True)
        return path.read_bytes()

    def drag(self, files: Path | list[Path], home: Path, arrived: Callable[[], Any], onto: str = "mainWindow") -> None:
        """Drag files from another program's window onto this one (the middle of a widget), and wait until they have `arrived`."""
        files = [files] if isinstance(files, Path) else files
        window = self.widget(onto)
        x, y = 1450, 900
        source = subprocess.Popen(
            [sys.executable, "-m", "tests.support.drag_source", str(x), str(y), *map(str, files)], cwd=ROOT, env=environment(home), stdout=subprocess.PIPE
        )
        try:
            assert source.stdout is not None
            assert source.stdout.readline() == b"ready\n"
            target = (window["x"] + window["w"] // 2, window["y"] + window["h"] // 2)
            # The X server sends the source its events in order; steps, because a drag begins with a move and enters a window with another.
            xdotool("mousemove", x + 40, y + 30, "sleep", 0.3, "mousedown", 1, "sleep", 0.2, "mousemove", x + 20, y + 10, "sleep", 0.2)
            for step in range(1, 9):
                xdotool("mousemove", x + (target[0] - x) * step // 8, y + (target[1] - y) * step // 8, "sleep", 0.05)
            xdotool("mousemove_relative", 3, 3, "sleep", 0.3, "mouseup", 1)
            until(arrived, f"{files[0].name} to arrive", 10)
        finally:
            source.kill()
            source.communicate()


@contextlib.contextmanager
def desk(home: Path, *files: str) -> Iterator[Desk]:
    """The real program in a window of its own; on leaving it is closed, if it is not yet."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.eyes", str(theirs.fileno()), *files], cwd=ROOT, env=environment(home), pass_fds=[theirs.fileno()],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    theirs.close()
    try:
        with ours:
            ours.settimeout(WAIT_S)
            yield Desk(process, ours)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

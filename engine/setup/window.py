"""The window of set-up, a process of its own that is told by lines on standard input: tkinter, else zenity or kdialog, else bare X11."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import selectors
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))     # started by its path, with no folder on the search path

from engine.setup import x11
from engine.setup.speech import say

VARIABLE = "MODEL_DYNO_SETUP_WINDOW"
"""`tkinter`, `zenity`, `kdialog` or `x11`: take this one; for tests."""
TITLE = "Model Dyno"
WIDTH, HEIGHT, MARGIN, LINE = 560, 190, 24, 16
COLUMNS = (WIDTH - 2 * MARGIN) // 6


@dataclass
class State:
    """What the window shows."""

    headline: str = ""
    step: str = ""
    fraction: float | None = None
    failure: str = ""

    def take(self, line: str) -> None:
        """Change by one message."""
        message = json.loads(line)
        self.headline = message.get("say", self.headline)
        self.step = message.get("step", self.step)
        self.fraction = message.get("fraction", self.fraction)
        self.failure = message.get("fail", self.failure)


def show_tkinter() -> None:
    """A window as other programs have it."""
    import tkinter as tk
    from tkinter import ttk

    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    window = tk.Tk(className="model-dyno")
    window.title(TITLE)
    window.minsize(WIDTH, HEIGHT)
    window.geometry(f"+{(window.winfo_screenwidth() - WIDTH) // 2}+{(window.winfo_screenheight() - HEIGHT) // 3}")
    headline = ttk.Label(window, wraplength=WIDTH - 2 * MARGIN)
    bar = ttk.Progressbar(window, maximum=1.0)
    step = ttk.Label(window, wraplength=WIDTH - 2 * MARGIN)
    for part in (headline, bar, step):
        part.pack(fill="x", padx=MARGIN, pady=12)
    state = State()

    def look() -> None:
        while not lines.empty():
            line = lines.get()
            if line is None:
                if not state.failure:
                    window.destroy()
                    return
                break
            state.take(line)
        headline.config(text=state.failure or state.headline)
        step.config(text="" if state.failure else state.step)
        bar.config(value=state.fraction or 0.0)
        window.after(100, look)

    threading.Thread(target=_read_into, args=(lines.put,), daemon=True).start()
    look()
    window.mainloop()


def _read_into(put: Callable[[str | None], None]) -> None:
    for line in sys.stdin:
        put(line)
    put(None)


def show_zenity() -> None:
    """GNOME's own dialogue."""
    command = ["zenity", "--progress", f"--title={TITLE}", f"--width={WIDTH}", "--auto-close", "--text="]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, encoding="utf-8") as dialogue:
        assert dialogue.stdin is not None
        state = State()
        with contextlib.suppress(BrokenPipeError):
            for line in sys.stdin:
                state.take(line)
                percent = int((state.fraction or 0.0) * 99)     # at 100 it closes itself
                print(f"# {state.headline}\\n{state.step}\n{percent}", file=dialogue.stdin, flush=True)
                if dialogue.poll() is not None or state.failure:
                    break
        dialogue.terminate()
    if state.failure:
        subprocess.run(["zenity", "--error", f"--title={TITLE}", f"--width={WIDTH}", "--no-markup", f"--text={state.failure}"], check=False)


def show_kdialog() -> None:
    """KDE's own dialogue: one sentence, as it can be changed only over D-Bus."""
    first = State()
    first.take(sys.stdin.readline())
    with subprocess.Popen(["kdialog", "--title", TITLE, "--msgbox", first.headline]) as dialogue:
        for line in sys.stdin:
            first.take(line)
            if dialogue.poll() is not None or first.failure:
                break
        dialogue.terminate()
    if first.failure:
        subprocess.run(["kdialog", "--title", TITLE, "--error", first.failure], check=False)


def show_x11() -> None:
    """Plain letters and a bar on any X display, English because its built-in font has no other letters."""
    window = x11.Window(os.environ["DISPLAY"], TITLE, WIDTH, HEIGHT)
    state = State()
    chooser = selectors.DefaultSelector()
    chooser.register(window.stream, selectors.EVENT_READ)
    chooser.register(sys.stdin.fileno(), selectors.EVENT_READ)
    pending = b""
    while True:
        for key, _ in chooser.select():
            if key.fileobj is window.stream:
                if window.event() == "close":
                    return
            elif data := os.read(sys.stdin.fileno(), 65536):
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    state.take(line.decode())
            elif state.failure:
                chooser.unregister(sys.stdin.fileno())      # stays until it is closed
            else:
                return
        draw(window, state)


def draw(window: x11.Window, state: State) -> None:
    """Put the state on the window."""
    window.clear()
    y = MARGIN + LINE
    for paragraph in (state.failure or state.headline).splitlines():
        for line in textwrap.wrap(paragraph, COLUMNS) or [""]:
            window.text(MARGIN, y, line)
            y += LINE
    if not state.failure:
        window.bar(MARGIN, y + 8, WIDTH - 2 * MARGIN, 18, state.fraction or 0.0)
        window.text(MARGIN, y + 8 + 18 + 2 * LINE, state.step[:COLUMNS])


def ways() -> Iterator[Callable[[], None]]:
    """What this machine may have to show a window, best first."""
    forced = os.environ.get(VARIABLE)
    if forced in (None, "tkinter"):
        yield show_tkinter
    if forced in (None, "zenity") and shutil.which("zenity"):
        yield show_zenity
    if forced in (None, "kdialog") and shutil.which("kdialog"):
        yield show_kdialog
    if forced in (None, "x11") and os.environ.get("DISPLAY"):
        yield show_x11


def main() -> int:
    """Show what can be shown; without any way, swallow the messages so that set-up goes on."""
    for way in ways():
        try:
            way()
            return 0
        except Exception as error:  # noqa: BLE001 - no tkinter, no display for it, a broken Tcl: the next way may work
            print(say("setup-window-failed", way=way.__name__.removeprefix("show_"), reason=error), file=sys.stderr)
    state = State()
    for line in sys.stdin:
        state.take(line)
    if state.failure:
        print(state.failure, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

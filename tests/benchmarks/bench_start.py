"""From the start of the process to the painted window, seen from outside: `python -m tests.benchmarks.bench_start [starts]`.

The screen of Xvfb lies in a file; it is read every few ms. Painted is the first moment at which 99.5 % of the window's pixels are those of the picture
that stands when the window has come to rest for half a second; a picture before that (an empty window, half a window) does not count. Torch must be nowhere in
the process that owns the window, also after the engine has told what the machine can do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks import rig

BAR_S = 1.5
WIDTH, HEIGHT = 1600, 1000
QUIET_S, LIMIT_S = 0.5, 20.0
EQUAL_SHARE = 0.995


class Screen:
    """An Xvfb whose picture is a file in memory."""

    def __init__(self, folder):
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp", "-noreset", "-fbdir", folder]
        self._server = subprocess.Popen(command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as answer:
            self.display = f":{answer.readline().strip()}"
        path = Path(folder, "Xvfb_screen0")
        # An XWD file: header, colours, then 4 bytes a pixel to the end.
        self._pixels = np.memmap(path, "<u4", "r", offset=path.stat().st_size - 4 * WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)

    def picture(self):
        """Every second pixel of every second line, as it is now."""
        return np.array(self._pixels[::2, ::2] & 0xFFFFFF)

    def close(self):
        """End it."""
        self._server.terminate()
        self._server.wait(10)


def maps_of(pid):
    """What is mapped into a process."""
    return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def one_start(screen, home):
    """Seconds from the start of the process to the first pixel and to the painted window, and whether torch is mapped."""
    environment = {**os.environ, "DISPLAY": screen.display, "QT_QPA_PLATFORM": "xcb", "MODEL_DYNO_HOME": home}
    environment.pop("PYTHONPATH", None)
    empty = screen.picture()
    seen, changed = [], time.perf_counter()
    began = time.perf_counter()
    process = subprocess.Popen([sys._base_executable, str(rig.ROOT / "main.py")], env=environment, cwd=home, start_new_session=True)
    try:
        while time.perf_counter() - began < LIMIT_S:
            now = time.perf_counter() - began
            picture = screen.picture()
            if not seen or not np.array_equal(picture, seen[-1][1]):
                seen.append((now, picture))
                changed = time.perf_counter()
            if len(seen) > 1 and time.perf_counter() - changed > QUIET_S:
                break
            time.sleep(0.002)
        first_s, painted_s = judge(seen, empty)
        rig_wait(lambda: children_with_torch(process.pid), 30)
        time.sleep(0.5)  # the engine's first answers have arrived
        has_torch = "torch" in maps_of(process.pid).replace(str(rig.ROOT), "")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    return first_s, painted_s, has_torch


def judge(seen, empty):
    """When anything was drawn, and when nearly all of it was as it stayed."""
    last = seen[-1][1]
    window = last != empty
    if window.sum() < 100_000:
        raise RuntimeError("no window was seen")
    first_s = next(at for at, picture in seen if not np.array_equal(picture, empty))
    painted_s = next(at for at, picture in seen if (picture[window] == last[window]).mean() >= EQUAL_SHARE)
    return first_s, painted_s


def children_with_torch(pid):
    """Whether the fork server has loaded torch, so that the window has its engine."""
    import psutil

    return any("libtorch" in maps_of(child.pid) for child in psutil.Process(pid).children(recursive=True))


def rig_wait(condition, seconds):
    """Until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(condition.__doc__ or "too late")
        time.sleep(0.05)


def main(starts=7):
    """Start the program several times; the first start warms the disk and is not counted."""
    print(rig.machine())
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
        screen = Screen(folder)
        try:
            results = [one_start(screen, home) for _ in range(starts + 1)][1:]
        finally:
            screen.close()
    first, painted, torch = (np.array(column) for column in zip(*results, strict=True))
    rig.say(
        "window painted", f"at most {BAR_S} s, torch in no start", median_s=round(float(np.median(painted)), 2), worst_s=round(float(painted.max()), 2),
        first_pixel_s=round(float(np.median(first)), 2), starts=starts, torch_mapped=bool(torch.any()),
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

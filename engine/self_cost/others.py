"""What programs that are not ours took of the machine while a round ran."""

from __future__ import annotations

import os
import socket
import struct

import psutil


class Others:
    """Processor time between two looks, less that of a process, all its descendants, and the display server that shows our window."""

    def __init__(self, top: int) -> None:
        self._top = psutil.Process(top)
        self._display = _display_server()
        self._before = self._now()

    def share(self) -> float:
        """0..1 of the whole machine since the last look; time that a host stole from this virtual machine counts, too."""
        before, self._before = self._before, self._now()
        return max(0.0, (self._before[1] - before[1]) / (self._before[0] - before[0]))

    def _now(self) -> tuple[float, float]:
        machine = psutil.cpu_times()._asdict()
        total = sum(value for name, value in machine.items() if not name.startswith("guest"))
        return total, total - machine["idle"] - machine.get("iowait", 0.0) - self._own()

    def _own(self) -> float:
        ours = [self._top, *self._top.children(recursive=True)]
        if self._display is not None and self._display.pid not in {process.pid for process in ours}:
            ours.append(self._display)
        return sum(_spent(process) for process in ours)


def _spent(process: psutil.Process) -> float:
    """Of a process and of those of its children that were collected."""
    try:
        times = process.cpu_times()
    except psutil.Error:  # it ended between the list and the question
        return 0.0
    return float(times.user + times.system + getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0))


def _display_server() -> psutil.Process | None:
    """Whoever listens at the other end of the display's socket; None where that cannot be told (no display, another machine's)."""
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        return None
    for path in _sockets():
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1.0)
                line.connect(path)
                pid = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))[0]
            return psutil.Process(pid) if pid > 0 else None
        except (OSError, AttributeError, psutil.Error):
            continue
    return None


def _sockets() -> list[str]:
    """Where a Wayland or X server of this machine would listen."""
    wayland, folder, display = os.environ.get("WAYLAND_DISPLAY"), os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("DISPLAY", "")
    paths = [os.path.join(folder, wayland)] if wayland and folder else []
    number = display[1:].partition(".")[0]
    return [*paths, f"/tmp/.X11-unix/X{number}"] if display.startswith(":") and number.isdigit() else paths  # noqa: S108 - X's own place

"""What the system itself must bring: Qt's libraries, a display, Python's own venv module."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

WINDOW_PACKAGES = (
    "libglib2.0-0", "libegl1", "libgl1", "libxkbcommon-x11-0", "libxcb-cursor0", "libxcb-icccm4", "libxcb-keysyms1", "libxcb-shape0", "libxcb-xkb1",
    "libxcb-render-util0", "libxcb-image0", "libdbus-1-3", "libfontconfig1", "fonts-dejavu-core", "fonts-wqy-microhei",
)
TEST_PACKAGES = ("xvfb", "xdotool", "chromium")
TEST_PROGRAMS = ("Xvfb", "xdotool", "chromium")
RENAMED = {"libglib2.0-0": "libglib2.0-0t64"}
"""Names since the move to 64-bit time: Debian 13, Ubuntu 24.04."""
FIRST_RENAMED = {"debian": 13.0, "ubuntu": 24.04}


def os_release() -> dict[str, str]:
    """What system this is; empty where it does not say."""
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def has_apt(release: Mapping[str, str]) -> bool:
    """Whether this is Debian or one of its children."""
    return bool({"debian", "ubuntu"} & {release.get("ID", ""), *release.get("ID_LIKE", "").split()})


def apt_names(packages: Iterable[str], release: Mapping[str, str]) -> list[str]:
    """The packages by the names that this release has for them."""
    renamed = RENAMED if _is_after_renaming(release) else {}
    return [renamed.get(name, name) for name in packages]


def _is_after_renaming(release: Mapping[str, str]) -> bool:
    if release.get("UBUNTU_CODENAME") and release.get("ID") != "ubuntu":        # a child such as Mint has a numbering of its own
        return release["UBUNTU_CODENAME"] >= "noble"
    first = FIRST_RENAMED.get(release.get("ID", "debian"), FIRST_RENAMED["debian"])
    version = re.match(r"\d+(\.\d+)?", release.get("VERSION_ID", ""))
    return version is None or float(version[0]) >= first      # testing and unstable have no number


def apt_command(packages: Sequence[str], *, is_root: bool) -> str:
    """The one line that brings the packages."""
    sudo = "" if is_root else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends {' '.join(packages)}"


def is_root() -> bool:
    """Whether this process may install packages itself."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def venv_package(version: tuple[int, int], executable: str) -> str:
    """The package with Python's venv and ensurepip: `python3-venv` for the system's own Python."""
    is_default = os.path.realpath(executable) == os.path.realpath("/usr/bin/python3")
    return "python3-venv" if is_default else f"python{version[0]}.{version[1]}-venv"


def has_ensurepip() -> bool:
    """Debian's Python comes without it."""
    try:
        import ensurepip  # noqa: F401 - only whether it can be had
    except ImportError:
        return False
    return True


def missing_libraries(files: Iterable[Path]) -> list[str]:
    """The shared libraries that the dynamic linker does not find for these files."""
    if not sys.platform.startswith("linux") or shutil.which("ldd") is None:
        return []
    missing = {}
    for file in files:
        said = subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
        missing.update(dict.fromkeys(re.findall(r"^\s*(\S+) => not found", said.stdout, re.MULTILINE)))
    return sorted(missing)


def qt_files(site_packages: Path, environment: Mapping[str, str]) -> list[Path]:
    """Qt's modules that the window imports, and the plug-in for the display that is there."""
    folder = site_packages / "PySide6"
    plugins = folder / "Qt" / "plugins"
    wanted = [*folder.glob("Qt*.so"), *plugins.glob("xcbglintegrations/*.so")]
    wanted = [file for file in wanted if file.name.split(".")[0] in {"QtCore", "QtGui", "QtWidgets", "QtSvg", "QtDBus"} or "xcb" in file.name]
    only_wayland = environment.get("WAYLAND_DISPLAY") and not environment.get("DISPLAY")
    return [*wanted, plugins / "platforms" / ("libqwayland.so" if only_wayland else "libqxcb.so")]


def has_display(environment: Mapping[str, str]) -> bool:
    """Whether a window could appear (Windows and macOS always have somewhere)."""
    if not sys.platform.startswith("linux"):
        return True
    forced = environment.get("QT_QPA_PLATFORM", "").split(":")[0]
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")) or forced in {"offscreen", "minimal", "vnc", "linuxfb", "eglfs"}

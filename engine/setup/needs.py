"""What the window and the tests need of the system, found out and, as root on Debian, brought."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from engine.setup.places import Places


def check_display() -> None:
    """Stop with code 2 where no window can appear."""
    from engine.setup import system
    from engine.setup.speech import SetupStopped, say

    if not system.has_display(os.environ):
        raise SetupStopped("setup-no-display", exit_code=2, reason=say("display-unset"))
    display = os.environ.get("DISPLAY")
    if not sys.platform.startswith("linux") or not display or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("QT_QPA_PLATFORM", "xcb") != "xcb":
        return
    from engine.setup import x11

    try:
        x11.connect(display)[0].close()
    except x11.DisplayRefusedError as error:
        raise SetupStopped("setup-no-display", exit_code=2, reason=say("display-refused", display=display, reason=error)) from error


def check_libraries(places: Places) -> None:
    """Find the libraries that Qt misses, once for each environment and kind of display."""
    if places.window_stamp.exists() and places.window_stamp.read_text(encoding="utf-8") == _display_kind():
        return
    from engine.setup import system
    from engine.setup.speech import SetupStopped

    files = system.qt_files(places.site_packages, os.environ)
    if missing := system.missing_libraries(files):
        if not system.has_apt(system.os_release()):
            raise SetupStopped("setup-missing-libraries-elsewhere", names=", ".join(missing))
        install_with_apt(system.WINDOW_PACKAGES, "setup-missing-libraries", missing)
        if missing := system.missing_libraries(files):
            raise SetupStopped("setup-missing-libraries-elsewhere", names=", ".join(missing))
    if os.access(places.venv, os.W_OK):
        places.window_stamp.write_text(_display_kind(), encoding="utf-8")


def _display_kind() -> str:
    return "wayland" if os.environ.get("WAYLAND_DISPLAY") and not os.environ.get("DISPLAY") else "x11"


def check_test_programs() -> None:
    """Bring the X server, the hand and the browser of the tests."""
    import shutil

    from engine.setup import system

    if sys.platform.startswith("linux") and (missing := [name for name in system.TEST_PROGRAMS if not shutil.which(name)]):
        install_with_apt([*system.TEST_PACKAGES, *system.WINDOW_PACKAGES], "setup-missing-programs", missing)


def bring_ensurepip() -> None:
    """Debian's Python cannot make a virtual environment until a package of its own is there."""
    from engine.setup import system
    from engine.setup.speech import SetupStopped

    if system.has_ensurepip():
        return
    package = system.venv_package(sys.version_info[:2], sys.executable)
    install_with_apt([package], "setup-no-ensurepip", ["ensurepip"])
    if not system.has_ensurepip():
        raise SetupStopped("setup-no-ensurepip", executable=sys.executable, command=system.apt_command([package], is_root=True))


def install_with_apt(packages: Sequence[str], code: str, missing: Sequence[str]) -> None:
    """Run the one command as root on Debian; else stop by saying it. `code` is the sentence for what is `missing`."""
    import shutil
    import subprocess

    from engine.setup import system
    from engine.setup.speech import SetupStopped, say

    release = system.os_release()
    names = system.apt_names(packages, release)
    command = system.apt_command(names, is_root=system.is_root())
    if not system.is_root() or not system.has_apt(release) or not shutil.which("apt-get"):
        raise SetupStopped(code, names=", ".join(missing), command=command, executable=sys.executable)
    print(say("setup-apt", command=command), file=sys.stderr, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    ended = 0
    for line in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", *names]):
        ended = subprocess.run(line, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), env=environment).returncode
    if ended != 0:      # of the installation: an update may fail in part and yet suffice
        raise SetupStopped("setup-apt-failed", reason=f"apt-get ended with {ended}", command=command)

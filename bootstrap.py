"""Makes the environment that the program runs in: standard library only, used by main.py and by tests/__main__.py."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.setup.places import Places

if TYPE_CHECKING:
    from engine.setup.progress import Progress

KEPT_PATH_VARIABLE = "MODEL_DYNO_PYTHONPATH"
"""What PYTHONPATH was at the start: it may name the user's model code, and must not reach our own imports."""
CHECKED_VARIABLE = "MODEL_DYNO_CHECKED"
"""The process that was found ready just before it became the environment's interpreter."""


def ensure(entry: str, *, extras: Sequence[str] = (), window: bool = False, tests: bool = False, places: Places | None = None) -> None:
    """Come back only inside a complete environment: set up what is missing, then run `entry` again with its interpreter."""
    places = places or Places()
    if os.environ.pop(CHECKED_VARIABLE, None) != str(os.getpid()):
        prepare(places, extras, window=window, tests=tests)
    clean_environment()
    if not places.is_inside():
        run_again(places, entry)


def clean_environment() -> None:
    """For every child process: no module from the current folder, none from the user's own path."""
    os.environ["PYTHONSAFEPATH"] = "1"
    os.environ.pop("PYTHONHOME", None)
    if path := os.environ.pop("PYTHONPATH", None):
        os.environ[KEPT_PATH_VARIABLE] = path


def run_again(places: Places, entry: str) -> None:
    """Replace this process by the environment's interpreter; Windows cannot, there it waits for it."""
    command = [str(places.python), entry, *sys.argv[1:]]
    if os.name == "nt":
        import subprocess

        sys.exit(subprocess.run(command, check=False).returncode)
    os.environ[CHECKED_VARIABLE] = str(os.getpid())
    os.execv(command[0], command)  # noqa: S606 - the same program again, no shell


def prepare(places: Places, extras: Sequence[str] = (), *, window: bool = False, tests: bool = False) -> None:
    """Check what is needed and set up what is missing; a failure is two lines where the user looks, and the exit code."""
    ready = places.is_ready(extras)
    if ready and not window and not tests:
        return
    from engine.setup import needs, progress
    from engine.setup.speech import SetupStopped, say

    teller = progress.LazyProgress(wants_window=window)
    try:
        if window:
            needs.check_display()
        if not ready:
            set_up(places, extras, teller)
        if tests:
            needs.check_test_programs()
        if window or tests:
            needs.check_libraries(places)
        teller.close()
    except SetupStopped as stopped:
        teller.fail(stopped.summary, stopped.hint)
        sys.exit(stopped.exit_code)
    except KeyboardInterrupt:
        teller.fail(say("setup-interrupted"), say("setup-interrupted.hint"))
        sys.exit(130)


def set_up(places: Places, extras: Sequence[str], teller: Progress) -> None:
    """Make or complete the environment, alone; the stamp is written last."""
    from engine.setup import lock
    from engine.setup.speech import SetupStopped, say

    first = "setup-begin" if not places.venv.exists() else "setup-update" if places.stamp.exists() else "setup-resume"
    try:
        with lock.held(places.lock, waiting=lambda: teller.say(say("setup-waiting"))) as descriptor:
            if not places.is_ready(extras):     # whoever was before us may have done it
                teller.say(say(first, folder=places.venv))
                _fill(places, {*extras, *places.extras()}, teller, descriptor)
    except OSError as error:
        code = "setup-disk-full" if error.errno == errno.ENOSPC else "setup-unwritable"
        raise SetupStopped(code, folder=places.venv, reason=error.strerror or error) from error


def _fill(places: Places, extras: set[str], teller: Progress, descriptor: int) -> None:
    from engine.setup.environment import Work

    work = Work(places, teller, descriptor)
    places.stamp.unlink(missing_ok=True)
    places.window_stamp.unlink(missing_ok=True)
    work.make_environment()
    work.install(extras)
    work.check_torch()
    places.write_stamp(extras)

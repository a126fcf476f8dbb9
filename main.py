"""Entry: the window, or a command; sets up its own environment first."""

from __future__ import annotations

import os
import sys

COMMANDS = ("profile", "inspect", "compare", "report", "doctor", "tune", "serve-test")
LATER = ("tune", "serve-test")


def main() -> int:
    """Take the arguments apart and hand over; everything else is imported when it is needed."""
    use_own_modules()
    if sys.version_info < (3, 11):  # noqa: UP036 - it may well be started by an older one
        return _refuse("setup-old-python", 1, version=".".join(map(str, sys.version_info[:3])))
    arguments = sys.argv[1:]
    if arguments and arguments[0] in COMMANDS:
        return _command(arguments[0], arguments[1:])
    if "--help" in arguments or "-h" in arguments:
        from engine.setup.speech import say

        print(say("main-help"))
        return 0
    if arguments in (["--install"], ["--uninstall"]):
        from engine.commands import desktop

        return desktop.main(arguments)
    return _window(arguments)


def use_own_modules() -> None:
    """Import from our own folder and Python's, never from the current folder or the user's PYTHONPATH."""
    here = os.path.dirname(os.path.realpath(__file__))
    foreign = {os.path.realpath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep)}
    sys.path[:] = [here, *(path for path in sys.path if path and os.path.realpath(path) not in {here, *foreign})]


def _command(name: str, arguments: list[str]) -> int:
    if name in LATER:
        return _refuse("main-later", 2, command=name)
    import bootstrap

    bootstrap.ensure(os.path.realpath(__file__))
    import importlib

    return int(importlib.import_module(f"engine.commands.{name}").main(arguments))


def _window(files: list[str]) -> int:
    if unknown := next((argument for argument in files if argument.startswith("-") and not os.path.exists(argument)), None):
        return _refuse("main-unknown-option", 2, option=unknown)
    try:
        files = [os.path.abspath(file) for file in files]
    except FileNotFoundError:
        return _refuse("main-no-folder", 2, file=files[0])
    import bootstrap

    bootstrap.ensure(os.path.realpath(__file__), window=True)
    from gui.app import main as window_main

    return int(window_main(files))


def _refuse(code: str, exit_code: int, **values: str) -> int:
    from engine.setup.speech import say

    print(f"{say(code, **values)}\n{say(code + '.hint', **values)}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())

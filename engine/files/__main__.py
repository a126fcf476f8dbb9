"""`python -m engine.files PATH SECONDS NEAR...`: looks into one file under limits and writes the answer to standard output."""

from __future__ import annotations

import os
import sys

MEMORY_BYTES = 1 << 30
AT = "--at="
"""Before the place in a checkpoint; the paths in NEAR are absolute, so none of them begins so."""


def limit(seconds: int) -> None:
    """Bound this process's memory and time, and let it die with its parent; where the system has no such limits, go without."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    if sys.platform == "linux":
        _die_with_parent()


def _die_with_parent() -> None:
    import ctypes
    import signal

    parent = os.getppid()
    set_death_signal = 1
    ctypes.CDLL(None, use_errno=True).prctl(set_death_signal, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def main(arguments: list[str]) -> int:
    """Inspect the file and write the `FileInspected` as JSON, without the path (it may be no Unicode; the asker knows it)."""
    path, seconds, near = arguments[0], int(arguments[1]), tuple(each for each in arguments[2:] if not each.startswith(AT))
    at = next((each.removeprefix(AT) for each in arguments[2:] if each.startswith(AT)), None)
    limit(seconds)
    import gc

    import msgspec

    from engine.files.inspection import inspect_file

    # Millions of small values are made and none is thrown away: looking for garbage would take longer than all the rest.
    gc.disable()
    answer = inspect_file(path, near=near, at=at)
    answer = msgspec.structs.replace(answer, path="", info=answer.info and msgspec.structs.replace(answer.info, path=""))
    sys.stdout.buffer.write(msgspec.json.encode(answer))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

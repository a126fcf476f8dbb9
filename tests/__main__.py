"""`python3 -m tests`: sets up with the test tools, then checks and tests; with arguments, runs pytest with them."""

from __future__ import annotations

import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
WITHOUT_QT = ["-p", "tests.support.without_qt", "-p", "no:pytest-qt", "-m", "not gpu and not bench and not slow", "-q", "tests/engine"]
CHECKS = (
    ("ruff", ["-m", "ruff", "check", "."]),
    ("mypy --strict", ["-m", "mypy"]),
    ("import rules", ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]),
    ("engine tests without PySide6", ["-m", "pytest", *WITHOUT_QT]),
)


def main() -> int:
    """Everything, or pytest alone; the exit code is the truth."""
    import bootstrap

    bootstrap.ensure(os.path.realpath(__file__), extras=["tests"], tests=True)
    os.environ["PYTHONUNBUFFERED"] = "1"
    if arguments := sys.argv[1:]:
        return _run(["-m", "pytest", *arguments])
    failed = [name for name, command in CHECKS if _check(name, command) != 0]
    print(f"== before the tests: {'FAILED: ' + ', '.join(failed) if failed else 'all checks ok'}", flush=True)
    code = _run(["-m", "pytest", "--durations=15"])     # last, so that its closing line is the last one
    return code or int(bool(failed))


def _check(name: str, command: list[str]) -> int:
    """Run one tool and say how it went."""
    print(f"== {name}", flush=True)
    begun = time.monotonic()
    code = _run(command)
    print(f"== {name}: {'ok' if code == 0 else f'FAILED with {code}'} after {time.monotonic() - begun:.0f} s", flush=True)
    return code


def _run(command: list[str]) -> int:
    # the program's own children must get the safe path from the program, not from the run of its tests
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.path.insert(0, ROOT)
    sys.exit(main())

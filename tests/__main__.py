"""`python3 -m tests`: sets up with the test tools, then checks and tests; with arguments, runs pytest with them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
NEEDS_QT = "tests/engine/test_thread.py"
CHECKS = (
    ("ruff", ["-m", "ruff", "check", "."]),
    ("mypy --strict", ["-m", "mypy"]),
    ("import rules", ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]),
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
    with tempfile.TemporaryDirectory() as folder:
        codes = [_check(name, ["-m", "pytest", "--durations=15", f"--junit-xml={folder}/{number}.xml", *arguments]) for number, (name, arguments) in enumerate(_parts())]
        print(_summary([ET.parse(path).getroot()[0].attrib for path in sorted(Path(folder).glob("*.xml"))]), flush=True)
    return int(any(codes) or bool(failed))


def _parts() -> list[tuple[str, list[str]]]:
    """Every test once: the engine's where Qt cannot be imported, then all others."""
    others = [f"tests/{path.name}" for path in sorted(Path(ROOT, "tests").iterdir()) if _holds_tests(path) and path.name != "engine"]
    without_qt = ["-p", "tests.support.without_qt", "-p", "no:pytest-qt"]
    return [("engine tests without PySide6", [*without_qt, "tests/engine", f"--ignore={NEEDS_QT}"]), ("all other tests", [*others, NEEDS_QT])]


def _holds_tests(path: Path) -> bool:
    return path.name.startswith("test_") if path.is_file() else any(path.rglob("test_*.py"))


def _summary(suites: list[dict[str, str]]) -> str:
    """All parts in one line, as pytest words it."""
    total = {name: sum(int(suite[name]) for suite in suites) for name in ("tests", "failures", "errors", "skipped")}
    seconds = sum(float(suite["time"]) for suite in suites)
    counts = {"failed": total["failures"], "passed": total["tests"] - total["failures"] - total["errors"] - total["skipped"], "skipped": total["skipped"], "error": total["errors"]}
    words = ", ".join(f"{count} {word}" for word, count in counts.items() if count or word == "passed")
    return f"========== {words} in {seconds:.2f}s (0:{int(seconds) // 60:02d}:{int(seconds) % 60:02d}) =========="


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

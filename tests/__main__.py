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
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        codes = _side_by_side({
            name: ["-m", "pytest", "--durations=15", f"--junit-xml={folder}/{number}.xml", *arguments] for number, (name, arguments) in enumerate(_parts())
        })
        suites = [ET.parse(path).getroot()[0].attrib for path in sorted(Path(folder).glob("*.xml"))]
        print(_summary(suites, time.monotonic() - begun), flush=True)
    return int(any(codes) or bool(failed))


def _side_by_side(commands: dict[str, list[str]]) -> list[int]:
    """Run all at once, since tests wait more than they compute: the first speaks as it goes, the others when they are over."""
    with tempfile.TemporaryDirectory() as folder:
        runs: list[tuple[str, subprocess.Popen[bytes], Path | None]] = []
        for number, (name, command) in enumerate(commands.items()):
            said = Path(folder, f"{number}.log") if number else None
            with open(said or os.devnull, "wb") as stream:
                runs.append((name, subprocess.Popen([sys.executable, *command], cwd=ROOT, env=_environment(), stdout=stream if said else None, stderr=stream if said else None), said))
        print(f"== side by side: {', '.join(commands)}; the words of the first come as they are said", flush=True)
        try:
            return [_ended(*run) for run in runs]
        finally:
            for _, process, _ in runs:
                if process.poll() is None:
                    process.terminate()
                    process.wait()


def _ended(name: str, process: subprocess.Popen[bytes], said: Path | None) -> int:
    """Wait for one, and say what it said and how it went."""
    begun = time.monotonic()
    code = process.wait()
    if said is not None:
        print(f"== {name}", flush=True)
        sys.stdout.buffer.write(said.read_bytes())
    print(f"== {name}: {'ok' if code == 0 else f'FAILED with {code}'} after {time.monotonic() - begun:.0f} s more", flush=True)
    return code


def _parts() -> list[tuple[str, list[str]]]:
    """Every test once: the engine's where Qt cannot be imported, then all others."""
    others = [f"tests/{path.name}" for path in sorted(Path(ROOT, "tests").iterdir()) if _holds_tests(path) and path.name != "engine"]
    without_qt = ["-p", "tests.support.without_qt", "-p", "no:pytest-qt"]
    return [("engine tests without PySide6", [*without_qt, "tests/engine", f"--ignore={NEEDS_QT}"]), ("all other tests", [*others, NEEDS_QT])]


def _holds_tests(path: Path) -> bool:
    return path.name.startswith("test_") if path.is_file() else any(path.rglob("test_*.py"))


def _summary(suites: list[dict[str, str]], seconds: float) -> str:
    """All parts in one line, as pytest words it; `seconds` on the clock."""
    total = {name: sum(int(suite[name]) for suite in suites) for name in ("tests", "failures", "errors", "skipped")}
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


def _environment() -> dict[str, str]:
    # the program's own children must get the safe path from the program, not from the run of its tests
    return {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}


def _run(command: list[str]) -> int:
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=_environment(), check=False).returncode


if __name__ == "__main__":
    sys.path.insert(0, ROOT)
    sys.exit(main())

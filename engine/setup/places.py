"""Where set-up keeps things: the virtual environment beside main.py, its stamp, lock and log."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Places:
    """The paths of one copy of the program."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.pyproject = root / "pyproject.toml"
        self.constraints = root / "constraints.txt"
        self.stamp = self.venv / "setup.stamp"
        self.window_stamp = self.venv / "window.stamp"
        self.lock = self.venv / "setup.lock"
        self.log = self.venv / "setup.log"

    @property
    def python(self) -> Path:
        """The environment's interpreter, where this system's venv puts it."""
        return self.venv / "Scripts" / "python.exe" if os.name == "nt" else self.venv / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where the environment's packages lie (of the newest Python in it, should there be two)."""
        if os.name == "nt":
            return self.venv / "Lib" / "site-packages"
        found = sorted(self.venv.glob("lib/python3.*/site-packages"), key=lambda path: int(path.parent.name.rpartition(".")[2]))
        return found[-1] if found else self.venv / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"

    def is_inside(self) -> bool:
        """Whether this very process runs in the environment."""
        return os.path.realpath(sys.prefix) == os.path.realpath(self.venv)

    def wanted(self) -> str:
        """What the environment must have been made from: a digest of pyproject and constraints."""
        return hashlib.sha256(self.pyproject.read_bytes() + b"\0" + self.constraints.read_bytes()).hexdigest()

    def is_ready(self, extras: Iterable[str] = ()) -> bool:
        """Whether the last set-up was finished, for these files, these extras and the interpreter that is there."""
        return self._digest_stamped() == self.wanted() and set(extras) <= self.extras() and self.has_working_python()

    def has_working_python(self) -> bool:
        """Whether the interpreter exists and is still the version that the environment was made with."""
        if not self.python.exists():
            return False
        named = re.search(r"python(3\.\d+)", Path(os.path.realpath(self.python)).name)
        return named is None or named[1] == self.version()

    def version(self) -> str | None:
        """The environment's Python, as `3.11`, from its own file."""
        try:
            found = re.search(r"^version(?:_info)?\s*=\s*(3\.\d+)", (self.venv / "pyvenv.cfg").read_text(encoding="utf-8"), re.MULTILINE)
        except OSError:
            return None
        return found[1] if found else None

    def extras(self) -> set[str]:
        """The optional groups that are installed."""
        return set(self._stamped()[1:])

    def write_stamp(self, extras: Iterable[str]) -> None:
        """The last act of set-up."""
        beside = self.stamp.with_suffix(".new")
        beside.write_text("\n".join([self.wanted(), *sorted(extras)]) + "\n", encoding="utf-8")
        beside.replace(self.stamp)

    def _digest_stamped(self) -> str | None:
        return next(iter(self._stamped()), None)

    def _stamped(self) -> list[str]:
        try:
            return self.stamp.read_text(encoding="utf-8").split()
        except OSError:
            return []

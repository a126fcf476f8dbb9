"""How far pip is: a fraction of all bytes and files, read from its lines and from the folder that it fills."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from engine.setup.installer import Package
from engine.setup.speech import say, say_bytes

FETCHING_SHARE = 0.6
"""Of the bar; the rest is unpacking."""


class Fetching:
    """Turns the lines of one installation into (sentence, fraction)."""

    def __init__(self, packages: Sequence[Package], site_packages: Path) -> None:
        self._packages = {package.file_name: package for package in packages}
        self._site_packages = site_packages
        self._total_bytes = sum(package.size_bytes or 0 for package in packages) or 1
        self._before_bytes = 0
        self._current: Package | None = None
        self._within_bytes = 0
        self._is_unpacking = False

    def hear(self, line: str) -> tuple[str, float] | None:
        """What to show after this line; None when nothing changed."""
        if progress := re.match(r"Progress (\d+) of \d+", line):
            self._within_bytes = int(progress[1])
        elif line.startswith("Installing collected packages"):
            self._is_unpacking = True
        elif not self._starts_file(line) and line:
            return None
        return self._unpacking() if self._is_unpacking else self._fetching()

    def _starts_file(self, line: str) -> bool:
        package = next((self._packages[word] for word in re.split(r"[\s/]+", line) if word in self._packages), None)
        if package is None or package is self._current or not line.lstrip().startswith(("Downloading", "Using cached", "Processing")):
            return False
        self._before_bytes += (self._current.size_bytes or 0) if self._current else 0
        self._current, self._within_bytes = package, 0
        return True

    def _fetching(self) -> tuple[str, float] | None:
        if self._current is None:
            return None
        size = "" if self._current.size_bytes is None else f" ({say_bytes(self._current.size_bytes)})"
        done = min(self._before_bytes + self._within_bytes, self._total_bytes) / self._total_bytes
        return say("setup-fetching", package=f"{self._current.name} {self._current.version}{size}"), FETCHING_SHARE * done

    def _unpacking(self) -> tuple[str, float]:
        count = sum((info / "RECORD").exists() for info in self._site_packages.glob("*.dist-info"))
        done = min(count, len(self._packages))
        return say("setup-unpacking", done=done, count=len(self._packages)), FETCHING_SHARE + (1 - FETCHING_SHARE) * done / max(len(self._packages), 1)

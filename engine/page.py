"""Making the page in a process of its own, so that it never holds the one that measures or draws."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.process import APPLICATION_FOLDER, child_environment


def write_report_in_child(run_path: Path, out: Path, language: str) -> subprocess.Popen[bytes]:
    """The `report` command in a process of its own, so that making a page never holds this one."""
    return subprocess.Popen(
        [sys.executable, "-m", "engine.commands.report", str(run_path), "-o", str(out), "--language", language],
        cwd=APPLICATION_FOLDER, env=child_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )

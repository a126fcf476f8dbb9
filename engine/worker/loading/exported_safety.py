"""Exported programs are text and tensors, but torch evaluates some of that text and calls what it names: what does more than compute is found before."""

from __future__ import annotations

from pathlib import Path

from engine.files.archive import open_archive
from engine.files.danger import grades
from engine.files.exported import reached
from engine.files.reading import Broken, Source


def what_runs_code(path: Path) -> dict[str, str]:
    """By name and grade all that could do more than compute, the worst first: what inspecting the file says too. Raises what reading a damaged file raises."""
    with path.open("rb") as file, open_archive(Source(str(path), file)) as archive:
        if archive.ambiguous:
            raise Broken("two entries of one name")
        return grades(reached(archive).names)

"""Packages that an interrupted installation left half there are taken off, so that pip installs them again."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path


def remove_broken(site_packages: Path) -> list[str]:
    """Forget each package whose files are not all there; returns their names."""
    for leftover in site_packages.glob("~*"):       # pip's own name for what it was replacing
        _remove(leftover)
    broken = [info for info in sorted(site_packages.glob("*.dist-info")) if not _is_whole(info)]
    for info in broken:
        _remove(info)
    return [info.name.partition("-")[0] for info in broken]


def _is_whole(info: Path) -> bool:
    record = info / "RECORD"        # written last
    if not record.is_file() or not (info / "METADATA").is_file():
        return False
    with record.open(newline="", encoding="utf-8") as file:
        return all(_is_there(info.parent / row[0], row[2]) for row in csv.reader(file) if len(row) == 3 and not row[0].endswith(".pyc"))


def _is_there(path: Path, size: str) -> bool:
    if not size:        # the record itself; compiled files are made anew by Python
        return True
    try:
        return path.stat().st_size == int(size)
    except OSError:
        return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()

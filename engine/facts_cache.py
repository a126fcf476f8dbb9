"""Facts about the machine, remembered as long as interpreter, packages and driver stay the same."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
from pathlib import Path

import msgspec

from engine import storage
from engine.capabilities import Facts
from engine.version import VERSION

_PACKAGES = ("torch", "numpy", "onnxruntime", "onnxruntime-gpu")
_LAYOUT = "with confinement, on a GPU too"
"""Facts that were remembered before they held this are asked again; so they are under another kernel, which may confine more or less."""


def read(interpreter: str) -> Facts | None:
    """The facts found last time, or None when anything that they depend on has changed (or nobody could tell)."""
    path = _path(interpreter)
    try:
        return None if path is None else msgspec.json.decode(path.read_bytes(), type=Facts)
    except (OSError, msgspec.MsgspecError):
        return None


def write(interpreter: str, facts: Facts) -> None:
    """Remember; a cache that cannot be written costs a probe next time and nothing else. A GPU that failed may work again: that is asked each time."""
    path = _path(interpreter)
    if path is None or facts.cuda_error is not None:
        return
    try:
        storage.make_folder(storage.cache_folder())
        storage.write_atomically(path, msgspec.json.encode(facts))
    except storage.StorageError:
        return


def _path(interpreter: str) -> Path | None:
    """Where facts about this interpreter on this machine lie; None where its packages cannot be seen, so that nobody would notice a change."""
    versions = _versions(interpreter)
    if not versions:
        return None
    key = "\n".join([VERSION, _LAYOUT, platform.release(), interpreter, *versions, _driver(), os.environ.get("CUDA_VISIBLE_DEVICES", "all"), *_machine()])
    return storage.cache_folder() / f"facts-{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def _versions(interpreter: str) -> list[str]:
    """Versions of what the facts come from; another interpreter's are not ours to read, so its folder's time stands for them."""
    import sys

    if interpreter != sys.executable:
        # Debian's own Python also takes packages from /usr/local and from the user's folder.
        folders = (Path(interpreter).parent.parent, Path("/usr/local"), Path.home() / ".local")
        site = sorted({path for folder in folders for name in ("site", "dist") for path in folder.glob(f"lib/python*/{name}-packages")})
        return [f"{path}:{path.stat().st_mtime_ns}" for path in site]
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _machine() -> list[str]:
    """What tells machines apart that share a home folder, and the cores that this program may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [platform.node(), platform.machine(), f"{os.cpu_count()} cores, {usable} usable"]


def _driver() -> str:
    """The NVIDIA driver and the device files that are there, without loading any library."""
    try:
        driver = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8", errors="replace").splitlines()[0]
    except OSError:
        driver = "none"
    return driver + " ".join(sorted(path.name for path in Path("/dev").glob("nvidia[0-9]*")))

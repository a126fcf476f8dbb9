"""Facts about the machine, remembered as long as interpreter, packages and driver stay the same."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from pathlib import Path

import msgspec

from engine import storage
from engine.capabilities import Facts
from engine.version import VERSION

_PACKAGES = ("torch", "numpy", "onnxruntime", "onnxruntime-gpu")


def read(interpreter: str) -> Facts | None:
    """The facts found last time, or None when anything that they depend on has changed."""
    try:
        return msgspec.json.decode(_path(interpreter).read_bytes(), type=Facts)
    except (OSError, msgspec.MsgspecError):
        return None


def write(interpreter: str, facts: Facts) -> None:
    """Remember; a cache that cannot be written costs a probe next time and nothing else."""
    try:
        storage.make_folder(storage.cache_folder())
        storage.write_atomically(_path(interpreter), msgspec.json.encode(facts))
    except storage.StorageError:
        return


def _path(interpreter: str) -> Path:
    key = "\n".join([VERSION, interpreter, *_versions(interpreter), _driver(), os.environ.get("CUDA_VISIBLE_DEVICES", "all")])
    return storage.cache_folder() / f"facts-{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def _versions(interpreter: str) -> list[str]:
    """Versions of what the facts come from; another interpreter's are not ours to read, so its folder's time stands for them."""
    import sys

    if interpreter != sys.executable:
        site = sorted(Path(interpreter).parent.parent.glob("lib/python*/site-packages"))
        return [f"{path}:{path.stat().st_mtime_ns}" for path in site]
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _driver() -> str:
    """The NVIDIA driver and the device files that are there, without loading any library."""
    try:
        driver = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8", errors="replace").splitlines()[0]
    except OSError:
        driver = "none"
    return driver + " ".join(sorted(path.name for path in Path("/dev").glob("nvidia[0-9]*")))

"""Which build of torch this machine should have, and which one it has."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import runpy
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

INDEX_VARIABLE = "MODEL_DYNO_TORCH_INDEX"
"""An index (or a mirror of one) to take torch from; `default` means pip's own."""
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
WINDOWS_CUDA_INDEX = "https://download.pytorch.org/whl/cu126"
ANSWER_LIMIT_S = 5.0


@dataclass(frozen=True)
class Choice:
    """Where torch comes from."""

    index: str | None = None
    """An index beside pip's own; None means pip's own alone."""
    is_explicit: bool = False
    """The user named it, so its size is his own affair."""

    @property
    def label(self) -> str | None:
        """The local version that the index is named for, e.g. `cpu` or `cu126`: it pins the build."""
        last = (self.index or "").rstrip("/").rpartition("/")[2]
        return last if re.fullmatch(r"cpu|xpu|cu\d+|rocm[\d.]+", last) else None


def choose(platform: str, gpus: int, environment: Mapping[str, str], answers: Callable[[str], bool]) -> Choice:
    """CPU build without an NVIDIA driver, CUDA build with one; an index that does not answer is passed over."""
    if named := environment.get(INDEX_VARIABLE, "").strip():
        return Choice(None if named == "default" else named, is_explicit=True)
    wanted = {("linux", False): CPU_INDEX, ("win32", True): WINDOWS_CUDA_INDEX}.get((platform, gpus > 0))
    return Choice(wanted if wanted and answers(wanted) else None)


def answers(index: str, limit_s: float = ANSWER_LIMIT_S) -> bool:
    """Whether the index has a page for torch and gives it within the limit, name look-up included."""
    found: list[bool] = []

    def ask() -> None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{index.rstrip('/')}/torch/", timeout=limit_s) as page:  # noqa: S310 - an index is the user's own choice
            found.append(page.status == 200)

    asker = threading.Thread(target=ask, daemon=True)
    asker.start()
    asker.join(limit_s)
    return found == [True]


def count_driver_gpus() -> int:
    """How many GPUs the NVIDIA driver knows; 0 without a driver."""
    name = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
    try:
        nvml = ctypes.CDLL(name)
    except OSError:
        return 0
    if nvml.nvmlInit_v2() != 0:
        return 0
    count = ctypes.c_uint(0)
    code = nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
    nvml.nvmlShutdown()
    return count.value if code == 0 else 0


def installed_build(site_packages: Path) -> tuple[str, str | None] | None:
    """(version, CUDA version or None) of the installed torch, read from its version.py without importing it."""
    file = site_packages / "torch" / "version.py"
    if not file.is_file():
        return None
    values = runpy.run_path(str(file))
    return str(values["__version__"]), values.get("cuda")


def is_gpu_package(name: str) -> bool:
    """Whether a package is there only for CUDA (`nvidia-ml-py` reads the driver and weighs nothing)."""
    plain = re.sub(r"[-_.]+", "-", name).lower()
    return plain.startswith(("nvidia-", "cuda-")) and plain != "nvidia-ml-py"


def choose_here(gpus: int) -> Choice:
    """The choice for this very machine."""
    return choose(sys.platform, gpus, os.environ, answers)

"""The environment of child processes: what Python, torch and the driver need, and nothing that could be a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAMES = frozenset(
    "PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR TEMP TMP VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV LD_LIBRARY_PATH LD_PRELOAD DYLD_LIBRARY_PATH "
    "SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT USERPROFILE APPDATA LOCALAPPDATA PROGRAMDATA NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE "
    "HF_HOME HF_HUB_OFFLINE HF_HUB_CACHE TRANSFORMERS_OFFLINE COLUMNS LINES NO_COLOR".split()
)
PREFIXES = (
    "LC_", "CUDA_", "CUDNN_", "CUBLAS_", "NVIDIA_", "NCCL_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "NUMEXPR_", "VECLIB_", "DNNL_", "ONEDNN_",
    "TORCH", "PYTORCH_", "ATEN_", "TRITON_", "ORT_", "MALLOC_", "GLIBC_TUNABLES", "XDG_", "PYTHON", "MODEL_DYNO_", "HIP_", "ROCR_", "HSA_", "MIOPEN_",
)
_SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|PRIVATE|AUTH|_KEY$")


def may_pass(name: str) -> bool:
    """Whether a variable of this name goes on to child processes."""
    upper = name.upper()
    return (upper in NAMES or upper.startswith(PREFIXES)) and not _SECRET.search(upper)


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Those variables that a child needs."""
    return {name: value for name, value in environment.items() if may_pass(name)}

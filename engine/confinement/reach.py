"""What a confined worker may reach beside the files of its model: Python, libraries, the program, devices."""

from __future__ import annotations

import glob
import itertools
import os
import sys

SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin", "/opt", "/proc", "/sys", "/nix/store", "/gnu/store", "/snap", "/run/opengl-driver",
    "/dev/random", "/dev/urandom", "/dev/zero",
    # Of /etc what libraries look up; it also holds keys and passwords.
    *(f"/etc/{name}" for name in (
        "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld.so.preload", "localtime", "timezone", "passwd", "group", "nsswitch.conf", "os-release", "lsb-release",
        "debian_version", "alternatives", "fonts", "OpenCL", "nvidia", "vulkan", "mime.types", "machine-id", "host.conf", "hosts", "locale.alias", "magic",
        "ssl/certs", "ssl/openssl.cnf", "pki/tls/certs", "python3", "gai.conf", "protocols", "services", "cufile.json",
    )),
)
THREADS = "/proc/self/task"
_DEVICES = ("/dev/null", "/dev/full")
_GPU_DEVICES = ("/dev/nvidia*", "/dev/nvidia-caps/*", "/dev/kfd", "/dev/dri/*", "/dev/dxg")
_VARIABLES = ("LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_PATH", "CONDA_PREFIX", "MODEL_DYNO_MSGSPEC")
_MOST_NAMES = 10_000


def pythons_own() -> tuple[str, ...]:
    """Where this interpreter and its packages lie, and libraries that the environment names."""
    named = [path for variable in _VARIABLES for path in os.environ.get(variable, "").split(os.pathsep)]
    application = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    found = [application, sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, *sys.path, *named]
    return tuple(dict.fromkeys(os.path.realpath(path) for path in found if os.path.isabs(path)))


def devices(gpu: bool) -> tuple[str, ...]:
    """Devices that may be written to."""
    return (*_DEVICES, *(path for pattern in _GPU_DEVICES for path in sorted(glob.glob(pattern)))) if gpu else _DEVICES


def opened(paths: tuple[str, ...], home: str | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What of `paths` is readable, and the folders whose names may be listed: of the home folder, or one above it, only the Python code in it."""
    home = os.path.realpath(home or os.path.expanduser("~"))
    read: list[str] = []
    names: list[str] = []
    for path in (os.path.realpath(each) for each in paths):
        if os.path.isdir(path) and (home + "/").startswith(path.rstrip("/") + "/"):
            read += _code_in(path)
            names.append(path)
        else:
            read.append(path)
    return tuple(read), tuple(names)


def _code_in(folder: str) -> list[str]:
    """Python files and packages that lie openly in a folder."""
    try:
        with os.scandir(folder) as entries:
            found = [entry.path for entry in itertools.islice(entries, _MOST_NAMES) if not entry.name.startswith(".")]
    except OSError:
        return []
    return [path for path in found if path.endswith(".py") or os.path.isfile(os.path.join(path, "__init__.py"))]

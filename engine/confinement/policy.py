"""Which model needs confining, and what its worker may still reach."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:       # the worker's end of this package knows no msgspec
    from engine.job import InputSpec, ModelSource

PROTECTIONS = ("network", "write", "read", "processes", "signals", "memory", "environment")
"""Codes of what can be promised: no network; writes only to a scratch folder; reads only Python, libraries and the files named; no other process seen or
started; none signalled or traced; memory bounded; an environment without secrets."""

LAYERS = ("all", "no-namespaces", "limits")
"""How much of the confinement a worker gets, the strongest first: a GPU's driver may not live with all of it."""
RUNS_CODE = ("module", "torchscript", "exported-program", "huggingface")
"""Kinds of file that are programs themselves; bare weights and ONNX are data until a class comes along."""
USERS_PATH_VARIABLE = "MODEL_DYNO_PYTHONPATH"
_RESERVE_SHARE, _RESERVE_BYTES = 0.06, 768 * 1024 * 1024
_MOST_LINKS = 1000


@dataclasses.dataclass(frozen=True)
class Policy:
    """What one confined worker may reach; paths are absolute."""

    read: tuple[str, ...] = ()
    """Files and folders beside Python's own that may be read."""
    cuda: bool = False
    """It will use CUDA: devices stay reachable and address space is not bounded."""
    data_bytes: int | None = None
    """Bound on private memory (RLIMIT_DATA); None where there is none to be set."""
    layers: str = "all"
    """Of LAYERS."""

    def on_the_wire(self) -> dict[str, Any]:
        """As plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_wire(cls, values: dict[str, Any]) -> Policy:
        """Of plain values."""
        return cls(tuple(values["read"]), bool(values["cuda"]), values["data_bytes"], values["layers"])


def policy_for(source: ModelSource, inputs: tuple[InputSpec, ...] = (), also: tuple[str, ...] = (), device: str = "cpu") -> Policy | None:
    """How the worker for `source` is confined; None where loading and running it runs no code but the program's and torch's.

    `also` are architecture specs whose files are read besides.
    """
    specs = [spec for spec in (source.architecture, *also) if spec]
    if source.kind == "onnx" or not (source.trusted or specs or source.kind in RUNS_CODE):
        return None
    cuda = not device.startswith("cpu")
    read = [*_model_files(source), *_class_folders(specs), *data_files(inputs), *_users_folders()]
    return Policy(tuple(dict.fromkeys(map(os.path.abspath, read))), cuda, None if cuda else memory_bound())


def _model_files(source: ModelSource) -> list[str]:
    """The file, or the folder and wherever its links lead (a cache of downloads keeps the files themselves elsewhere)."""
    if not os.path.isdir(source.path):
        return [source.path]
    led: set[str] = set()
    for number, (folder, _, names) in enumerate(os.walk(source.path)):
        led |= {os.path.dirname(os.path.realpath(os.path.join(folder, name))) for name in names[:_MOST_LINKS] if os.path.islink(os.path.join(folder, name))}
        if number >= _MOST_LINKS:
            break
    return [source.path, *sorted(led)[:_MOST_LINKS]]


def _class_folders(specs: Iterable[str]) -> list[str]:
    """Folders of class files; an installed module lies where Python's own packages do."""
    from engine.architecture import ArchitectureError, parse_architecture

    found = []
    for spec in specs:
        try:
            architecture = parse_architecture(spec)
        except ArchitectureError:       # the worker will say so
            continue
        if architecture.is_file:
            found.append(os.path.dirname(architecture.where))
    return found


def data_files(inputs: Iterable[InputSpec]) -> list[str]:
    """Files that inputs are read from, those inside containers too."""
    found = []
    for spec in inputs:
        if spec.data_path:
            found.append(os.path.expanduser(spec.data_path))
        found += data_files(spec.parts)
    return found


def _users_folders() -> list[str]:
    return [folder for folder in os.environ.get(USERS_PATH_VARIABLE, "").split(os.pathsep) if os.path.isabs(folder)]


def memory_bound() -> int | None:
    """Most of the memory that is free now: what stays is what keeps the machine usable. None where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as stream:
            values = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in stream)}
        total, free = values["MemTotal"], values["MemAvailable"]
    except (OSError, KeyError, ValueError, IndexError):
        return None
    return max(free - max(int(_RESERVE_SHARE * total), _RESERVE_BYTES), free // 2)


def sentence_codes(held: Iterable[str]) -> tuple[str, ...]:
    """Codes of engine.words, one sentence for each protection: `confined-network` where it holds, else `unconfined-network`."""
    present = set(held)
    return tuple(("confined-" if name in present else "unconfined-") + name for name in PROTECTIONS)

"""Errors that the user's classes raise, explained where the cause is known: a package that is absent, a statement left out, an object from another version."""

from __future__ import annotations

import re
from pathlib import Path
from types import TracebackType
from typing import Any

from torch import nn

from engine.worker.errors import WorkerError
from engine.worker.loading.definitions import LEFT_OUT, TRIED

_LACKS = re.compile(r"'(?P<type>[\w.]+)' object has no attribute '(?P<name>\w+)'")


def explained(error: BaseException, where: str | None = None, phase: str = "load") -> WorkerError | None:
    """The error with its own sentence, or None; `phase` `forward` makes it the forward's. `where` names the file (else the traceback does)."""
    if isinstance(error, WorkerError):
        return error
    code = "forward-raised" if phase == "forward" else "load-failed"
    if isinstance(error, ModuleNotFoundError):
        return WorkerError(code, "class-import-missing", where=where or Path(_last_file(error.__traceback__)).name, package=_package(error))
    if isinstance(error, NameError):
        return _unset_name(error, code)
    return None


def _package(error: ModuleNotFoundError) -> str:
    return (error.name or str(error)).partition(".")[0][:100]


def _unset_name(error: NameError, code: str) -> WorkerError | None:
    """A name that a statement of the class file would have set, had it been executed; or that an import in a `try` would have."""
    file = _last_file(error.__traceback__)
    if (line := LEFT_OUT.get(file, {}).get(str(error.name))) is not None:
        return WorkerError(code, "name-left-out", name=error.name, line=line, file=Path(file).name)
    if (module := TRIED.get(file, {}).get(str(error.name))) is not None:
        return WorkerError(code, "class-import-missing", where=Path(file).name, package=module.partition(".")[0])
    return None


def _last_file(trace: TracebackType | None) -> str:
    file = ""
    while trace is not None:
        file, trace = trace.tb_frame.f_code.co_filename, trace.tb_next
    return file


def outdated(error: BaseException, phase: str = "load") -> WorkerError | None:
    """A whole module's part lacks what its class uses now: it was saved with another version of that class."""
    found = _LACKS.search(str(error)) if isinstance(error, AttributeError) else None
    if found is None:
        return None
    owner: Any = getattr(error, "obj", None)
    if owner is not None and not isinstance(owner, nn.Module):
        return None
    kind = type(owner) if owner is not None else None
    name = f"{kind.__module__}.{kind.__qualname__}" if kind is not None else found["type"]
    code = "forward-raised" if phase == "forward" else "load-failed"
    return WorkerError(code, "object-outdated", type=name, name=found["name"])


def cause(error: BaseException, kind: str, phase: str) -> WorkerError | None:
    """What is known of an error that a model of this kind of file raised in `phase`."""
    return explained(error, phase=phase) or (outdated(error, phase) if kind == "module" else None)

"""What is this file? Asks the readers in order of how sure the first bytes make them, and words the answer."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from engine.events import FileInspected
from engine.files.answer import accepted, refusal_of
from engine.files.findings import Findings, taken_from
from engine.files.folders import read_folder
from engine.files.foreign import refuse_foreign, refuse_tensorflow, refuse_text
from engine.files.legacy import is_legacy, read_legacy
from engine.files.onnx import looks_like_onnx, read_onnx
from engine.files.plain import looks_like_pickle, refuse_pickled, refuse_squeezed
from engine.files.reading import Broken, Refused, Source, TooComplex, Truncated, clean
from engine.files.safetensors import is_safetensors, read_safetensors
from engine.files.tensors import TensorEntry
from engine.files.zipped import read_zip

T = TypeVar("T")
# What the readers of zip entries raise over damaged ones; everything of ours is a Refused, Broken or TooComplex.
_DAMAGE = (Broken, ValueError, zlib.error, EOFError, NotImplementedError, RuntimeError, OverflowError, LookupError, OSError)


def inspect_file(path: str, *, with_hash: bool = True, near: tuple[str, ...] = (), at: str | None = None) -> FileInspected:
    """What the file at `path` is, or why it is refused. Runs nothing of it; `with_hash=False` leaves `sha256` empty (saves 0.7 s per GB).

    `at` is the place in a checkpoint that the answer is about; one that is not there is passed over, and `info.weights_at` tells.
    """
    try:
        findings, files = _recognise(path)
        return accepted(path, taken_from(findings, at), files, near, with_hash=with_hash)
    except Refused as refused:
        return refusal_of(path, refused)


def tensor_index(path: str) -> list[TensorEntry]:
    """The tensors of a file by name (of a checkpoint: those at `weights_at`); raises Refused."""
    return _recognise(path)[0].entries


def _recognise(path: str) -> tuple[Findings, list[Path]]:
    """Findings and the files that they are about; every failure is a Refused."""
    mode = _guarded(path, lambda: os.stat(path).st_mode)
    if stat.S_ISDIR(mode):
        return _guarded(path, lambda: _read_safely(lambda: read_folder(path)))
    if not stat.S_ISREG(mode):
        raise Refused("file-special")
    # Not to wait for a writer, should the file be exchanged for a pipe meanwhile.
    descriptor = _guarded(path, lambda: os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)))
    with open(descriptor, "rb") as file:
        return _read_safely(lambda: _read(Source(path, file))), [Path(path)]


def _guarded(path: str, action: Callable[[], T]) -> T:
    try:
        return action()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Refused("file-missing") from error
    except PermissionError as error:
        raise Refused("file-unreadable") from error
    except (OSError, ValueError) as error:
        raise Refused("file-not-opened", reason=clean(getattr(error, "strerror", None) or str(error))) from error


def _read_safely(action: Callable[[], T]) -> T:
    try:
        return action()
    except (TooComplex, MemoryError, RecursionError) as error:
        raise Refused("file-too-complex") from error
    except Truncated as error:
        if error.missing_bytes is None:
            raise Refused("file-truncated") from error
        raise Refused("file-truncated-by", missing=f"{error.missing_bytes:,}") from error
    except _DAMAGE as error:
        raise Refused("file-damaged", reason=clean(str(error) or type(error).__name__)) from error


def _read(source: Source) -> Findings:
    head = source.head
    if source.size_bytes == 0:
        raise Refused("file-empty")
    if head[:4] == b"PK\x03\x04":
        return read_zip(source)
    if head[:2] == b"PK" and head[2:4] in (b"\x05\x06", b"\x07\x08"):
        raise Refused("file-archive")
    refuse_foreign(source)
    if is_legacy(head):
        return read_legacy(source)
    if is_safetensors(head):
        return read_safetensors(source)
    if head[4:8] in (b"ET12", b"ET13"):
        return _flatbuffer("executorch", "ExecuTorch")
    if head[4:8] == b"PTMF":
        return _flatbuffer("torchscript", "PyTorch Mobile")
    if looks_like_pickle(head):
        refuse_pickled(source)
    refuse_squeezed(source)
    refuse_text(source)
    return _read_protobuf(source)


def _flatbuffer(kind: str, name: str) -> Findings:
    findings = Findings(kind)
    findings.note("note-recognised-only", kind=name)
    return findings


def _read_protobuf(source: Source) -> Findings:
    if looks_like_onnx(source.head):
        try:
            return read_onnx(source)
        except Truncated:
            raise
        except Broken as error:
            if source.path.lower().endswith(".onnx"):
                raise
            refuse_tensorflow(source)
            raise Refused("file-unknown") from error
    refuse_tensorflow(source)
    raise Refused("file-unknown")

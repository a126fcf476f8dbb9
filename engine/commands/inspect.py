"""`inspect FILE`: what the file is, without running it and without torch."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from engine.events import FileInspected
from engine.files import inspect_in_child
from engine.files.reading import clean
from engine.job import InputSpec
from engine.result import Failure, ModelInfo
from engine.storage import StorageError, write_atomically
from engine.words import failure

REFUSED, UNWRITTEN = 2, 5
_KNOWN_LATER: tuple[Any, ...] = ()
"""Architectures that fit: nobody looks for them yet, so the list is always empty (docs/contract.md, `candidates`)."""


class _Parser(argparse.ArgumentParser):
    """Complains in two lines, as every command does."""

    def error(self, message: str) -> NoReturn:
        complain(failure("usage", "inspect-usage", {"problem": message}))
        sys.exit(REFUSED)


def main(argv: list[str]) -> int:
    """Print what FILE is; 0 when it is a model, 2 when it is refused, 5 when the JSON could not be written."""
    parser = _Parser(prog="main.py inspect", description="What a model file is: nothing of it is run.")
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--json", metavar="PATH", help="write the same as JSON")
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    inspected = inspect_in_child(options.file)
    if inspected.refusal is not None or inspected.info is None:
        complain(inspected.refusal)
        return REFUSED
    print("\n".join(_lines(inspected, inspected.info)))
    return 0 if options.json is None else _write(options.json, as_json(inspected))


def complain(refusal: Failure | None) -> None:
    """Two lines on standard error: what is wrong, what to do."""
    if refusal is not None:
        print(_printable(refusal.summary), _printable(refusal.hint), sep="\n", file=sys.stderr)


def as_json(inspected: FileInspected) -> bytes:
    """The answer in the contract's form."""
    # A file name may hold bytes that are no Unicode, and JSON cannot.
    info = inspected.info and msgspec.structs.replace(inspected.info, path=inspected.path.encode("utf-8", "replace").decode())
    content = {"model": info, "inputs": inspected.inputs, "candidates": _KNOWN_LATER, "requires_trust": inspected.requires_trust,
               "unsafe_globals": inspected.unsafe_globals, "danger": inspected.danger, "grades": inspected.grades, "notes": inspected.notes,
               "weights_places": inspected.weights_places}
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def _write(path: str, content: bytes) -> int:
    try:
        write_atomically(Path(path), content)
    except StorageError as error:
        complain(error.failure)
        return UNWRITTEN
    return 0


def _lines(inspected: FileInspected, info: ModelInfo) -> list[str]:
    rows = [("file", clean(info.path, 4096)), ("kind", info.kind), ("class", info.architecture), ("weights at", info.weights_at), ("tensors", _count(info.tensors)),
            ("values", _values(info)), ("parameters", _count(info.parameters)), ("buffers", _count(info.buffers)),
            ("weights", _size(info.weights_bytes)), ("on disk", _size(info.file_bytes)), ("saved on", ", ".join(info.saved_on) or None),
            ("sha256", info.sha256), ("inputs", _inputs(inspected.inputs)), ("loading", _loading(inspected))]
    rows += [("note", note.sentence) for note in inspected.notes]
    return [_printable(f"{title:<11}{text}") for title, text in rows if text]


def _printable(text: str) -> str:
    """`text` as this terminal can show it."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _count(number: int | None) -> str | None:
    return None if number is None else f"{number:,}"


def _size(number: int | None) -> str | None:
    return None if number is None else f"{number:,} bytes"


def _values(info: ModelInfo) -> str | None:
    if info.values is None:
        return None
    return f"{info.values:,} ({', '.join(f'{count:,} {dtype}' for dtype, count in info.dtypes.items())})"


def _inputs(inputs: tuple[InputSpec, ...] | None) -> str:
    if not inputs:
        return "none declared"
    return "; ".join(f"{spec.name}: {spec.dtype} [{', '.join(map(str, spec.shape))}]" for spec in inputs)


def _loading(inspected: FileInspected) -> str:
    if not inspected.requires_trust:
        return "runs no code of the file's"
    names = ", ".join(f"{name} ({grade})" for name, grade in list(inspected.grades.items())[:12])
    more = f" and {len(inspected.grades) - 12} more" if len(inspected.grades) > 12 else ""
    return f"runs code of the file's: needs --trust. It calls: {names or 'nothing outside torch'}{more}"

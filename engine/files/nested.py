"""Files of torch.save inside other files: in an exported program, in a package, in a plain pickle's storages."""

from __future__ import annotations

import io
import zipfile
from typing import BinaryIO

from engine.files.archive import open_archive
from engine.files.machine import Names, describe
from engine.files.nodes import Call, Global, Node, Program, walk
from engine.files.opcodes import Blob
from engine.files.reading import Broken, Source, TooComplex

PICKLE_LIMIT_BYTES = 256 << 20
MAGIC = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
_LOADER = "torch.storage._load_from_bytes"
_STORAGES_LIMIT = 100_000


def saved_program(part: Source, seen: Names | None = None) -> Program:
    """The object that torch.load would make of `part`; `seen` gathers every name on the way, also when Broken is raised."""
    names: Names = {} if seen is None else seen
    if part.head.startswith(b"PK"):
        file, end = _pickle_of(part)
    else:
        file, end = part.file, part.size_bytes
        file.seek(0)
    for _ in range(3 if MAGIC in part.head[:16] else 0):
        describe(file, end, names)
    program = describe(file, end, names)
    return Program(program.root, list(names), program.plain)


def _pickle_of(part: Source) -> tuple[BinaryIO, int]:
    try:
        with open_archive(part) as archive:
            data = archive.read("data.pkl", PICKLE_LIMIT_BYTES)
    except zipfile.BadZipFile as error:
        raise Broken("an archive inside is damaged") from error
    return io.BytesIO(data), len(data)


def saved_names(part: Source) -> Names:
    """Every name that loading `part` would import; what is damaged further on has run up to there, so it counts up to there."""
    seen: Names = {}
    try:
        saved_program(part, seen)
    except Broken:
        return seen
    return seen


def open_storages(source: Source, root: Node) -> Names:
    """In a plain pickle each storage is a file of torch.save in a string: put what it holds in the place of that string, give the names in all of them."""
    seen: Names = {}
    for count, call in enumerate(_loaders(root)):
        if count > _STORAGES_LIMIT:
            raise TooComplex
        content = call.arguments[0] if isinstance(call.arguments, tuple) and call.arguments else None
        if isinstance(content, Blob):
            part = source.within(content.offset, content.length_bytes)
        elif isinstance(content, (bytes, str)):
            data = content if isinstance(content, bytes) else content.encode("latin-1", "replace")
            part = Source(source.path, io.BytesIO(data), len(data))
        else:
            continue
        call.arguments = (saved_program(part, seen).root,)
    return seen


def _loaders(root: Node) -> list[Call]:
    return [node for node in walk(root) if isinstance(node, Call) and isinstance(node.function, Global) and node.function.qualified == _LOADER]

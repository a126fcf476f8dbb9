"""torch.save's format before 1.6: a row of pickles, then the raw storages."""

from __future__ import annotations

from engine.files.findings import Findings, from_program
from engine.files.machine import describe
from engine.files.nested import MAGIC
from engine.files.nodes import Program
from engine.files.reading import Broken, Source, Truncated
from engine.files.tensors import all_storages

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C


def is_legacy(head: bytes) -> bool:
    """Whether a file begins with torch's own number in a pickle."""
    return MAGIC in head[:16]


def read_legacy(source: Source) -> Findings:
    """What an unzipped torch file is; raises Refused, Broken, Truncated, TooComplex."""
    source.file.seek(0)
    programs = [describe(source.file, source.size_bytes) for _ in range(3)]
    if programs[0].root != MAGIC_NUMBER:
        raise Broken("torch's number stands in another place")
    program = describe(source.file, source.size_bytes)
    findings = from_program(program)
    findings.globals = [*(name for one in programs for name in one.globals), *program.globals]
    _check_storages(source, program)
    return findings


def _check_storages(source: Source, program: Program) -> None:
    """Raises Truncated with the missing bytes when the storages do not all lie in the file."""
    keys = describe(source.file, source.size_bytes).root
    start = source.file.tell()
    storages = all_storages(program.root)
    if not isinstance(keys, list):
        raise Broken("no list of storages")
    needed = sum(8 + storages[str(key)].size_bytes for key in keys if isinstance(key, (str, int)) and str(key) in storages)
    if needed > source.size_bytes - start:
        raise Truncated(needed - (source.size_bytes - start))

"""Models that are zip archives: torch.save, TorchScript, exported programs, packages; other archives are refused by name."""

from __future__ import annotations

import io
import zipfile

from engine.files import scripted
from engine.files.archive import Archive, open_archive
from engine.files.exported import read_exported
from engine.files.findings import Findings, from_program
from engine.files.machine import describe
from engine.files.packaged import read_package
from engine.files.reading import Broken, Refused, Source, Truncated, clean
from engine.files.tensors import all_storages

PICKLE_LIMIT_BYTES, _ENTRIES_LIMIT = 256 << 20, 100_000
_MODEL_ENDINGS = (".pth", ".pt", ".bin", ".ckpt", ".safetensors", ".onnx", ".pt2", ".jit")


def read_zip(source: Source) -> Findings:
    """What a zip archive is; raises Refused, Broken, Truncated, TooComplex."""
    try:
        archive = open_archive(source)
    except zipfile.BadZipFile as error:
        raise Truncated(_missing_bytes(source)) from error
    with archive:
        findings = _read(archive)
        if archive.ambiguous:
            raise Broken("two entries of one name")
        return findings


def _read(archive: Archive) -> Findings:
    names = archive.names
    if ".data/extern_modules" in names:
        return read_package(archive)
    if "archive_format" in names or "serialized_exported_program.json" in names or "models/model.json" in names:
        return _exported(archive)
    if "data.pkl" in names and ("constants.pkl" in names or any(name.startswith("code/") for name in names)):
        return scripted.read_torchscript(archive)
    if "data.pkl" in names:
        return _saved(archive)
    raise _other_archive(archive)


def _saved(archive: Archive) -> Findings:
    data = archive.read("data.pkl", PICKLE_LIMIT_BYTES)
    program = describe(io.BytesIO(data), len(data))
    findings = from_program(program)
    for storage in all_storages(program.root).values():
        size = archive.sizes.get(f"data/{storage.key}")
        if size is not None and size < storage.size_bytes:
            raise Broken(f"storage {storage.key} has {size} of {storage.size_bytes} bytes")
        if size is None and storage.size_bytes:
            raise Broken(f"storage {storage.key} is not in the archive")
    return findings


def _exported(archive: Archive) -> Findings:
    if any(name.startswith("data/aotinductor/") for name in archive.names) and "models/model.json" not in archive.names:
        findings = Findings("aotinductor", runs_code=True)
        findings.note("note-recognised-only", kind="AOTInductor")
        return findings
    return read_exported(archive)


def _other_archive(archive: Archive) -> Refused:
    names = archive.names
    if "model.weights.h5" in names or {"metadata.json", "config.json"} <= set(names):
        return Refused("file-other-library", library="Keras")
    if names and all(name.endswith(".npy") for name in names):
        return Refused("file-numpy")
    inside = [name for name in archive.full_names if name.lower().endswith(_MODEL_ENDINGS)]
    if inside:
        return Refused("file-archive-with", inside=clean(", ".join(inside[:5])))
    return Refused("file-archive")


def _missing_bytes(source: Source) -> int | None:
    """How much of an archive without its end is missing at least: what the entry that was cut promises, or what torch's pickle still asks for."""
    cut = _missing_of_entry(source)
    header = source.read_at(0, 30)
    start = 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    if not source.read_at(30, 512).split(b"\x00")[0][: start - 30].split(b"FB")[0].endswith(b"/data.pkl"):
        return cut
    source.file.seek(start)
    try:
        program = describe(source.file, source.size_bytes)
        storages = all_storages(program.root)
    except Broken:
        return cut
    needed = sum(storage.size_bytes for storage in storages.values())
    left = source.size_bytes - source.file.tell()
    return max(needed - left, cut or 0) if needed > left else cut


def _missing_of_entry(source: Source) -> int | None:
    """What is missing of the last entry, when the headers say how long each one is (streamed archives do not)."""
    offset = 0
    for _ in range(_ENTRIES_LIMIT):
        header = source.read_at(offset, 30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            return None
        length = int.from_bytes(header[18:22], "little")
        if length == 0xFFFFFFFF or (header[6] & 8 and not length):
            return None
        offset += 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little") + length
        if header[6] & 8:
            offset += 16
        if offset > source.size_bytes:
            return offset - source.size_bytes
    return None

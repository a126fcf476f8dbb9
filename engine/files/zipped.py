"""Models that are zip archives: torch.save, TorchScript, exported programs, packages; other archives are refused by name."""

from __future__ import annotations

import io
import zipfile

from engine.files import scripted
from engine.files.archive import Archive, open_archive
from engine.files.findings import Findings, from_program
from engine.files.legacy import all_storages
from engine.files.machine import describe
from engine.files.nodes import Program
from engine.files.reading import Broken, Refused, Source, Truncated, clean

PICKLE_LIMIT_BYTES = 256 << 20
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
        return _package(archive)
    if "archive_format" in names or "serialized_exported_program.json" in names or "models/model.json" in names:
        return _exported(archive)
    if "data.pkl" in names and ("constants.pkl" in names or any(name.startswith("code/") for name in names)):
        return scripted.read_torchscript(archive)
    if "data.pkl" in names:
        return _saved(archive)
    raise _other_archive(archive)


def program_of(archive: Archive, name: str = "data.pkl") -> Program:
    """The described pickle of one entry."""
    data = archive.read(name, PICKLE_LIMIT_BYTES)
    return describe(io.BytesIO(data), len(data))


def _saved(archive: Archive) -> Findings:
    program = program_of(archive)
    findings = from_program(program)
    for storage in all_storages(program.root).values():
        size = archive.sizes.get(f"data/{storage.key}")
        if size is not None and size < storage.size_bytes:
            raise Broken(f"storage {storage.key} has {size} of {storage.size_bytes} bytes")
        if size is None and storage.size_bytes:
            raise Broken(f"storage {storage.key} is not in the archive")
    return findings


def _package(archive: Archive) -> Findings:
    findings = Findings("torch-package", runs_code=True)
    storages = [size for name, size in archive.sizes.items() if name.startswith(".data/") and name.endswith(".storage")]
    findings.weights_bytes = sum(storages)
    findings.note("note-recognised-only", kind="torch.package")
    return findings


def _exported(archive: Archive) -> Findings:
    if any(name.startswith("data/aotinductor/") for name in archive.names) and "models/model.json" not in archive.names:
        findings = Findings("aotinductor", runs_code=True)
        findings.note("note-recognised-only", kind="AOTInductor")
        return findings
    findings = Findings("exported-program")
    scripted.add_exported_weights(archive, findings)
    findings.note("note-recognised-only", kind="torch.export (.pt2)")
    return findings


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
    """How much of a torch archive without its end is missing at least: its pickle comes first and names what follows."""
    header = source.read_at(0, 30)
    start = 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    if not source.read_at(30, 512).split(b"\x00")[0][: start - 30].split(b"FB")[0].endswith(b"/data.pkl"):
        return None
    source.file.seek(start)
    try:
        program = describe(source.file, source.size_bytes)
        storages = all_storages(program.root)
    except Broken:
        return None
    needed = sum(storage.size_bytes for storage in storages.values())
    left = source.size_bytes - source.file.tell()
    return needed - left if needed > left else None

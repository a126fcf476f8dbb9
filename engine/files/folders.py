"""Folders: a Hugging Face model, or one to choose a file from."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec

from engine.files.findings import Findings, from_program
from engine.files.nested import saved_program
from engine.files.reading import Broken, Refused, Source, clean
from engine.files.safetensors import is_safetensors, read_safetensors
from engine.files.settings import settings_of_json
from engine.files.tensors import all_storages

_ENDINGS = (".pth", ".pt", ".bin", ".ckpt", ".safetensors", ".onnx", ".pt2", ".jit")
_ENTRIES_LIMIT, _JSON_LIMIT_BYTES = 10_000, 32 << 20
_WHOLE = ("model.safetensors", "pytorch_model.bin")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_BESIDE = re.compile(r"(training_args|optimizer|scheduler|rng_state.*|scaler|random_states.*|trainer_state)\.(bin|pt|pth)$", re.IGNORECASE)
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.(safetensors|bin)$")


def read_folder(path: str) -> tuple[Findings, list[Path]]:
    """A Hugging Face folder's findings and the files that make it up; raises Refused for any other folder."""
    names = sorted(entry.name for entry, _ in zip(os.scandir(path), range(_ENTRIES_LIMIT), strict=False))
    models = [name for name in names if name.lower().endswith(_ENDINGS)]
    config = read_config(Path(path))
    index = next((name for name in _INDEXES if name in names), None)
    if config is not None and (models or index):
        return _hugging_face(Path(path), config, _files_of(Path(path), names, models))
    if "saved_model.pb" in names:
        raise Refused("file-other-library", library="TensorFlow SavedModel")
    if "data.pkl" in names and "version" in names:
        raise Refused("file-folder-unpacked")
    if index is not None or any(_SHARD.search(name) for name in models):
        raise Refused("file-folder-shards")
    if models:
        raise Refused("file-folder-with", inside=clean(", ".join(models[:5])))
    raise Refused("file-folder")


def read_config(folder: Path) -> dict[str, Any] | None:
    """The folder's config.json where it describes a network, else None."""
    try:
        with (folder / "config.json").open("rb") as file:
            config = msgspec.json.decode(file.read(1 << 20), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return config if config.get("architectures") or config.get("model_type") else None


def _files_of(folder: Path, names: list[str], models: list[str]) -> list[Path]:
    """The weights that from_pretrained would take: one safetensors file or all that its index names, else the same of .bin."""
    for whole, index in zip(_WHOLE, _INDEXES, strict=True):
        if whole in names:
            return [folder / whole]
        if index in names:
            return _indexed(folder, index)
    safe = [name for name in models if name.endswith(".safetensors")]
    return [folder / name for name in safe or [name for name in models if not _BESIDE.match(name)] or models]


def _indexed(folder: Path, index: str) -> list[Path]:
    try:
        with (folder / index).open("rb") as file:
            listed = msgspec.json.decode(file.read(_JSON_LIMIT_BYTES), type=dict[str, Any]).get("weight_map")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Broken(f"{index} is no JSON") from error
    parts = sorted({part for part in listed.values() if isinstance(part, str)}) if isinstance(listed, dict) else []
    if not parts or any(os.path.basename(part) != part or "\0" in part for part in parts):
        raise Broken(f"{index} names no files beside it")
    missing = [part for part in parts if not (folder / part).is_file()]
    if missing:
        raise Refused("file-shards-missing", missing=clean(", ".join(missing[:5])), count=len(missing), total=len(parts))
    return [folder / part for part in parts]


def _hugging_face(folder: Path, config: dict[str, Any], files: list[Path]) -> tuple[Findings, list[Path]]:
    classes = config.get("architectures")
    name = classes[0] if isinstance(classes, list) and classes else config.get("model_type")
    findings = Findings("huggingface", architecture=clean(str(name or "?")), config=settings_of_json(config))
    for file in files:
        _add_part(findings, file)
    return findings, [folder / "config.json", *files]


def _add_part(findings: Findings, path: Path) -> None:
    """Add one file of weights; each part has storages of its own."""
    with path.open("rb") as file:
        part = _read_part(Source(str(path), file), path.name)
    prefix = f"{path.name} "
    findings.entries += [msgspec.structs.replace(entry, storage=prefix + entry.storage) for entry in part.entries]
    findings.weights_bytes = (findings.weights_bytes or 0) + (part.weights_bytes or 0)
    findings.globals += part.globals
    findings.runs_code |= part.runs_code
    for dtype, count in part.dtypes.items():
        findings.dtypes[dtype] = findings.dtypes.get(dtype, 0) + count


def _read_part(source: Source, name: str) -> Findings:
    if is_safetensors(source.head):
        return read_safetensors(source)
    if name.endswith(".safetensors"):
        raise Broken(f"{name} is no safetensors file")
    program = saved_program(source)
    part = from_program(program)
    needed = sum(storage.size_bytes for storage in all_storages(program.root).values())
    if needed > source.size_bytes:
        raise Broken(f"{name} is cut short")
    return part


def is_part(path: str) -> tuple[int, int] | None:
    """Number and count of a file that is one of several parts of a model, by its name."""
    match = _SHARD.search(os.path.basename(path))
    return (int(match[1]), int(match[2])) if match else None

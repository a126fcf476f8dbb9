"""Folders: a Hugging Face model, or one to choose a file from."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from engine.files.findings import Findings
from engine.files.reading import Broken, Refused, Source, clean
from engine.files.safetensors import is_safetensors, read_safetensors

_ENDINGS = (".pth", ".pt", ".bin", ".ckpt", ".safetensors", ".onnx", ".pt2", ".jit")
_ENTRIES_LIMIT = 10_000


class _Config(msgspec.Struct):
    """What is read of config.json."""

    architectures: list[str] | None = None
    model_type: str | None = None


def read_folder(path: str) -> tuple[Findings, list[Path]]:
    """A Hugging Face folder's findings and the files that make it up; raises Refused for any other folder."""
    names = sorted(entry.name for entry, _ in zip(os.scandir(path), range(_ENTRIES_LIMIT), strict=False))
    models = [name for name in names if name.lower().endswith(_ENDINGS)]
    config = _config(Path(path, "config.json"))
    if config is not None and models:
        return _hugging_face(Path(path), config, models)
    if "saved_model.pb" in names:
        raise Refused("file-other-library", library="TensorFlow SavedModel")
    if "data.pkl" in names and "version" in names:
        raise Refused("file-folder-unpacked")
    if models:
        raise Refused("file-folder-with", inside=clean(", ".join(models[:5])))
    raise Refused("file-folder")


def _config(path: Path) -> _Config | None:
    try:
        with path.open("rb") as file:
            config = msgspec.json.decode(file.read(1 << 20), type=_Config)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return config if config.architectures or config.model_type else None


def _hugging_face(folder: Path, config: _Config, names: list[str]) -> tuple[Findings, list[Path]]:
    findings = Findings("huggingface", architecture=clean((config.architectures or [config.model_type or "?"])[0]))
    safe = [name for name in names if name.endswith(".safetensors")]
    files = [folder / name for name in safe or names]
    for file in files if safe else ():
        _add_shard(findings, file)
    findings.weights_bytes = findings.weights_bytes if safe else sum(file.stat().st_size for file in files)
    findings.runs_code = not safe
    findings.note("note-recognised-only", kind="Hugging Face")
    return findings, [folder / "config.json", *files]


def _add_shard(findings: Findings, path: Path) -> None:
    with path.open("rb") as file:
        source = Source(str(path), file)
        if not is_safetensors(source.head):
            raise Broken(f"{path.name} is no safetensors file")
        shard = read_safetensors(source)
    findings.entries += shard.entries
    findings.weights_bytes = (findings.weights_bytes or 0) + (shard.weights_bytes or 0)
    for dtype, count in shard.dtypes.items():
        findings.dtypes[dtype] = findings.dtypes.get(dtype, 0) + count

"""Hugging Face folders: transformers builds the class that config.json names and reads the weights; nothing is fetched, no code of the folder's is run."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

import torch

from engine.candidates import Fit
from engine.job import ModelSource
from engine.worker.errors import WorkerError, is_out_of_memory, last_line
from engine.worker.loading import LoadedModel, Stopwatch
from engine.worker.loading.weights import mismatch, notes_of

_NAMED = 20


def load(source: ModelSource, device: torch.device, watch: Stopwatch) -> LoadedModel:
    """The class in `architectures`, else what transformers' AutoModel makes of the configuration."""
    folder = Path(source.path)
    safe = any(folder.glob("*.safetensors"))
    if not safe and not source.trusted:
        raise WorkerError("needs-trust", "needs-trust", file=folder.name)
    named = _named_class(folder)
    transformers = _transformers(folder)
    maker = getattr(transformers, named, None) or transformers.AutoModel
    with watch.reading():
        module, info = _read(maker, folder, safe, source, named or "AutoModel")
    measured = _fit(module, info)
    if not measured.perfect and not source.allow_missing:
        raise mismatch(measured, type(module).__name__, measured.keys)
    return LoadedModel(module, folder, source.kind, type(module).__name__, fit=measured, notes=notes_of(measured))


def _named_class(folder: Path) -> str:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        names = config.get("architectures") or [""]
        return str(names[0])
    except (OSError, ValueError, AttributeError, LookupError, TypeError) as error:
        raise WorkerError("load-failed", "folder-config-unreadable", file=folder.name, error=last_line(error)) from error


def _transformers(folder: Path) -> Any:
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
    try:
        return importlib.import_module("transformers")
    except ModuleNotFoundError as error:
        raise WorkerError("load-failed", "transformers-missing", file=folder.name, package=(error.name or "transformers").partition(".")[0]) from error
    except ImportError as error:
        raise WorkerError("load-failed", "transformers-broken", file=folder.name, error=last_line(error)) from error


def _read(maker: Any, folder: Path, safe: bool, source: ModelSource, named: str) -> tuple[Any, dict[str, Any]]:
    try:
        module, info = maker.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False, use_safetensors=safe, output_loading_info=True,
            ignore_mismatched_sizes=source.allow_missing, torch_dtype=torch.float32,
        )
    except Exception as error:
        if is_out_of_memory(error):
            raise
        code = "folder-needs-code" if "trust_remote_code" in str(error) or "custom code" in str(error) else "folder-refused"
        raise WorkerError("load-failed", code, file=folder.name, name=named, error=last_line(error)) from error
    return module, info


def _fit(module: torch.nn.Module, info: dict[str, Any]) -> Fit:
    """What transformers itself reports, as a `Fit`."""
    missing, unexpected = sorted(info.get("missing_keys", ())), sorted(info.get("unexpected_keys", ()))
    differing = sorted(f"{each[0]} {list(each[1])} (class: {list(each[2])})" for each in info.get("mismatched_keys", ()))
    own = len(module.state_dict())
    missing = [key for key in missing if key not in {each.partition(" ")[0] for each in differing}]
    return Fit(
        matching=own - len(missing) - len(differing), keys=own + len(unexpected), missing=tuple(missing[:_NAMED]), unexpected=tuple(unexpected[:_NAMED]),
        differing=tuple(differing[:_NAMED]), missing_count=len(missing), unexpected_count=len(unexpected), differing_count=len(differing),
    )

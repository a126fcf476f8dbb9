"""A class of transformers from the config.json beside the weights; nothing is fetched, no code but the library's is run."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from engine.architecture import Architecture
from engine.worker.loading.classes import import_module


def build(config_path: str, name: str) -> Any:
    """The class called `name` with fresh weights, sized by the configuration; raises what transformers raises."""
    transformers = import_module(Architecture("transformers", name))
    folder = str(Path(config_path).parent)
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    maker = getattr(transformers, name, None)
    if maker is None:
        raise ImportError(f"transformers {getattr(importlib.import_module('transformers'), '__version__', '?')} has no class {name}")
    return maker.from_config(config) if name.startswith("AutoModel") else maker(config)

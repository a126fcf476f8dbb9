"""Whether a measured model may be loaded again without asking: only what the user agreed to in this program, never what a run's file claims."""

from __future__ import annotations

from pathlib import Path

from engine import storage
from engine.demo import demo_source
from engine.result import ModelInfo
from gui.settings import Settings


def may_load_again(model: ModelInfo, run_path: str | None, settings: Settings) -> bool:
    """Whether the user agreed to the code that loading `model` runs: the file's own, and its class's (naming it was consent, where this program kept the run)."""
    is_own = run_path is not None and Path(run_path).parent == storage.history_folder()
    return _agrees_to_file(model, settings) and (is_own or _agrees_to_class(model, settings))


def _agrees_to_file(model: ModelInfo, settings: Settings) -> bool:
    return not model.trusted or model.sha256 in settings.trusted_sha256 or _is_demo(model)


def _agrees_to_class(model: ModelInfo, settings: Settings) -> bool:
    # Without a colon it is a name to read, which nobody imports.
    return ":" not in (model.architecture or "") or settings.classes.get(model.sha256) == model.architecture or _is_demo(model)


def _is_demo(model: ModelInfo) -> bool:
    path, architecture, _ = demo_source()
    return (model.path, model.architecture) == (path, architecture)

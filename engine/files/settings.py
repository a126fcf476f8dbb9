"""Plain values that lie beside the weights: hyper parameters, arguments, a model's own configuration."""

from __future__ import annotations

import math
from typing import Any

from engine.files.nodes import Call, Mapping, Node
from engine.files.reading import clean
from engine.files.weights import fields, is_module

ENTRIES_LIMIT, LIST_LIMIT, TEXT_LIMIT = 200, 16, 200
GROUPS = ("hyper_parameters", "hparams", "hyperparameters", "model_args", "model_config", "model_kwargs", "init_args", "kwargs", "config", "cfg", "args",
          "opt", "opts", "options", "params", "settings")
"""Names under which trainers keep what the model was built with; the most telling first."""
_DEPTH, _LARGEST = 4, 1 << 62


def settings_of(root: Node) -> dict[str, Any]:
    """What a checkpoint says about itself, by the last part of each name; groups that describe the model come before loose values."""
    found: dict[str, Any] = {}
    if is_module(root):
        return found
    parts = fields(root)
    for name in (*GROUPS, "arch"):
        if name in parts and isinstance(parts[name], (Mapping, Call)):
            _collect(parts[name], found, 0)
    _collect(root, found, _DEPTH)
    return found


def settings_of_json(content: Any) -> dict[str, Any]:
    """The same of a decoded JSON object, a config.json for instance."""
    found: dict[str, Any] = {}
    if isinstance(content, dict):
        _add_all(content.items(), found, 0)
    return found


def _collect(node: Node, found: dict[str, Any], depth: int) -> None:
    if not is_module(node):
        _add_all(fields(node).items(), found, depth)


def _add_all(pairs: Any, found: dict[str, Any], depth: int) -> None:
    """Plain values first, then what lies in groups below them; a name that was seen keeps its first value."""
    deeper = []
    for name, value in pairs:
        if not isinstance(name, str) or len(found) >= ENTRIES_LIMIT:
            continue
        plain, is_plain = _plain(value)
        if is_plain:
            found.setdefault(clean(name.rsplit(".", 1)[-1], 80), plain)
        elif depth < _DEPTH:
            deeper.append(value)
    for value in deeper:
        if isinstance(value, dict):
            _add_all(value.items(), found, depth + 1)
        else:
            _collect(value, found, depth + 1)


def _plain(value: Any) -> tuple[Any, bool]:
    """The value as it may be shown, and whether it is a plain one: a number, a short text, or a short list of these."""
    if value is None or isinstance(value, (bool, float)):
        return value, value is not None and (isinstance(value, bool) or math.isfinite(value))      # JSON has no other numbers
    if isinstance(value, int):
        return value, -_LARGEST < value < _LARGEST
    if isinstance(value, str):
        return clean(value, TEXT_LIMIT), True
    if isinstance(value, (list, tuple)) and 0 < len(value) <= LIST_LIMIT:
        inner = [_plain(each) for each in value if not isinstance(each, (list, tuple))]
        return [each for each, _ in inner], len(inner) == len(value) and all(is_plain for _, is_plain in inner)
    return None, False

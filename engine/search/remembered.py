"""Pairs that the user chose before: the fingerprint of keys and shapes, and the class that runs them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine import storage
from engine.architecture import ArchitectureError, parse_architecture
from engine.result import Failure

PAIRS_LIMIT = 1000
"""The oldest pairs are forgotten first."""
_SIZE_LIMIT_BYTES = 4 << 20


def pairs_path() -> Path:
    """The file of the pairs, beside the settings."""
    return storage.settings_path().with_name("classes.json")


def recall(fingerprint: str) -> str | None:
    """The class chosen for such weights before; None when there is none, or its file has vanished. Reads only; a damaged file counts as empty."""
    spec = _read().get(fingerprint) if fingerprint else None
    if spec is None:
        return None
    try:
        return parse_architecture(spec).spec
    except ArchitectureError:
        return None


def remember(fingerprint: str, spec: str) -> Failure | None:
    """Keep a pair as the newest one; what kept it from being written, or None. A damaged file is put aside."""
    if not fingerprint:
        return None
    path = pairs_path()
    try:
        with storage.locked(path):
            if path.exists() and not _read():
                storage.read_json(path)     # puts aside what is no JSON
            pairs = {key: value for key, value in _read().items() if key != fingerprint}
            pairs[fingerprint] = spec
            storage.write_json(path, dict(list(pairs.items())[-PAIRS_LIMIT:]))
    except storage.StorageError as error:
        return error.failure
    return None


def _read() -> dict[str, str]:
    try:
        with pairs_path().open("rb") as file:
            content = file.read(_SIZE_LIMIT_BYTES + 1)
        return msgspec.json.decode(content, type=dict[str, str]) if len(content) <= _SIZE_LIMIT_BYTES else {}
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}

"""Keys and shapes as 64-bit numbers: what the libraries' index is made of; standard library and msgspec only."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable

import msgspec

LIBRARIES = ("torchvision", "timm")
"""Libraries whose architectures can be indexed beforehand; transformers is asked with a file's own configuration only."""
_COUNTER = "num_batches_tracked"


class IndexedModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One architecture: `spec` as `--arch` names it, and its keys as little-endian 64-bit hashes, with and without shapes."""

    spec: str
    keys: bytes
    shaped: bytes


def hash_text(text: str) -> int:
    """64 bits of `text`, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "little")


def hash_keys(shapes: Iterable[tuple[str, tuple[int, ...]]]) -> tuple[bytes, bytes]:
    """Hashes of every `key` and of every `key:shape`, in one order; counters are left out."""
    kept = [(key, shape) for key, shape in shapes if not key.endswith(_COUNTER)]
    return _packed(key for key, _ in kept), _packed(f"{key}:{','.join(map(str, shape))}" for key, shape in kept)


def _packed(texts: Iterable[str]) -> bytes:
    numbers = array("Q", (hash_text(text) for text in texts))
    if is_big_endian():
        numbers.byteswap()
    return numbers.tobytes()


def is_big_endian() -> bool:
    """Whether this machine puts the high byte first."""
    return array("H", [1]).tobytes() == b"\0\1"

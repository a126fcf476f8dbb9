"""An input guessed from the first layer's weights; shown as a guess, never as a fact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from engine.job import InputSpec

SIDE = 224
LENGTH = 1024
TOKENS = 128
STEPS = 32
SIZE_MAX = 10**9
"""A size beyond this is no layer's."""
_SPATIAL = {3: (LENGTH,), 4: (SIDE, SIDE), 5: (16, 112, 112)}
_EMBEDDING = re.compile(r"embed|\bemb\b|word|token|vocab|\bwte\b|lookup", re.IGNORECASE)
_NO_TOKENS = re.compile(r"pos|type|segment|patch|time|layer|norm|wpe|embed_?dim", re.IGNORECASE)


def is_embedding(key: str) -> bool:
    """Whether a weight's name says that it is a table of tokens; the last part but one speaks (`embeddings.position_embeddings`)."""
    name = key.removesuffix(".weight").rpartition(".")[2]
    return bool(_EMBEDDING.search(key)) and not _NO_TOKENS.search(name)


def guess_inputs(shapes: Iterable[tuple[str, Sequence[int]]]) -> tuple[InputSpec, ...]:
    """One input that suits the first weight of a layer, `(key, shape)` in the file's order; empty when none tells.

    A convolution's weight is [out, in, kernel ...], a linear layer's [out, in], a recurrent one's [gates, in], a table of tokens' [tokens, size].
    """
    for key, shape in shapes:
        if len(shape) < 2 or not all(0 < size <= SIZE_MAX for size in shape[:2]):
            continue
        if key.rpartition(".")[2] == "weight_ih_l0":
            return (InputSpec(shape=("B", STEPS, int(shape[1])), source="guessed"),)
        if not key.endswith("weight"):
            continue
        if len(shape) == 2 and "embed" not in key.lower() and not is_embedding(key):
            return (InputSpec(shape=("B", int(shape[1])), source="guessed"),)
        if len(shape) == 2 and is_embedding(key):
            return (InputSpec(dtype="int64", shape=("B", TOKENS), range=(0, int(shape[0]) - 1), source="guessed"),)
        if len(shape) in _SPATIAL:
            return (InputSpec(shape=("B", int(shape[1]), *_SPATIAL[len(shape)]), source="guessed"),)
    return ()

"""An input guessed from the first layer's weights; shown as a guess, never as a fact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.job import InputSpec

SIDE = 224
LENGTH = 1024
_SIZE_MAX = 10**9
"""A size beyond this is no layer's."""
_SPATIAL = {3: (LENGTH,), 4: (SIDE, SIDE), 5: (16, 112, 112)}


def guess_inputs(shapes: Iterable[tuple[str, Sequence[int]]]) -> tuple[InputSpec, ...]:
    """One float input that suits the first weight of a layer, `(key, shape)` in the file's order; empty when none tells.

    A convolution's weight is [out, in, kernel ...], a linear layer's [out, in].
    """
    for key, shape in shapes:
        if not key.endswith("weight") or len(shape) < 2 or "embed" in key.lower() or not 0 < shape[1] <= _SIZE_MAX:
            continue
        if len(shape) == 2:
            return (InputSpec(shape=("B", int(shape[1])), source="guessed"),)
        if len(shape) in _SPATIAL:
            return (InputSpec(shape=("B", int(shape[1]), *_SPATIAL[len(shape)]), source="guessed"),)
    return ()

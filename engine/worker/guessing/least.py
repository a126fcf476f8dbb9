"""The smallest input that a network of convolutions takes: found on the copy without numbers, proved by one real forward."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
from torch import nn

from engine.job import InputSpec
from engine.worker.guessing.changes import Path, is_tensor, put, walk
from engine.worker.guessing.layers import CONVOLUTIONS, LOOKUPS, TRANSPOSED
from engine.worker.guessing.trial import Attempt, Proposal, Trials
from engine.worker.time_limit import TooLong, limited

Said = tuple[str, dict[str, Any]]
"""A code of engine.words.files with its values."""
_LIMIT_S, _HANGING_S = 1.0, 2.0
_BEYOND = (1, 2, 3, 7)
"""Above the smallest side: a network that wants even sides, or multiples of some number, refuses one of these."""
_LARGE = 97
_FIRST = (*CONVOLUTIONS, *LOOKUPS, nn.Linear, nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)


def first_layer(trials: Trials, found: Attempt, deadline: float) -> Said | None:
    """The first layer that `found` called and the sides that the whole network takes; None where not all from some side on were seen to run, or time was over."""
    place = next((one for one in found.calls if isinstance(one.layer, _FIRST)), None)
    if place is None or not isinstance(place.layer, CONVOLUTIONS) or isinstance(place.layer, TRANSPOSED):
        return None
    rank, channels = len(place.layer.kernel_size), place.layer.in_channels
    pictures = [(path, leaf) for path, leaf in walk(found.proposal) if is_tensor(leaf) and _is_picture(leaf, rank, channels)]
    if len(pictures) != 1 or not trials.can_fake:
        return None
    try:
        with limited(_HANGING_S):        # a loop in somebody's forward may never end with an odd size, and its usual one was proved already
            least = _least(trials, found, *pictures[0], min(deadline, time.monotonic() + _LIMIT_S))
    except TooLong:
        return None
    if least is None:
        return None
    return f"first-layer-conv{rank}d-from", {"layer": place.name or "-", "channels": channels, "plural": "" if channels == 1 else "s", "least": least}


def _is_picture(leaf: InputSpec, rank: int, channels: int) -> bool:
    return len(leaf.shape) == rank + 2 and leaf.shape[1] == channels and all(isinstance(size, int) for size in leaf.shape[2:])


def _least(trials: Trials, found: Attempt, path: Path, leaf: InputSpec, deadline: float) -> int | None:
    """The smallest equal sides, where all larger ones that are tried run too."""
    rank = len(leaf.shape) - 2

    def sized(sides: tuple[int, ...]) -> Proposal:
        return put(found.proposal, path, msgspec.structs.replace(leaf, shape=(*leaf.shape[:2], *sides)))

    def runs(*sides: int) -> bool:
        return time.monotonic() < deadline and trials.fake(sized(sides), found.batch).ran

    high = max(size for size in leaf.shape[2:] if isinstance(size, int))
    if not runs(*(high,) * rank) or not runs(*(high + 1,) * rank):      # one that takes a single size is known at once
        return None
    least = _smallest(lambda side: runs(*(side,) * rank), high)
    equal = ((side,) * rank for side in sorted({*(least + more for more in _BEYOND), max(_LARGE, least)}))
    if not all(runs(*shape) for shape in (*equal, (least + 1, *(least,) * (rank - 1)), (*(least,) * (rank - 1), least + 5))) or time.monotonic() >= deadline:
        return None
    return least if trials.real(sized((least,) * rank), found.batch).ran else None


def _smallest(runs: Callable[[int], bool], high: int) -> int:
    """The smallest side that runs, where `high` does and where all from one side on do."""
    if runs(1):
        return 1
    low = 2
    while low < high:
        middle = (low + high) // 2
        if runs(middle):
            high = middle
        else:
            low = middle + 1
    return high

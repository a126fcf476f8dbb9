"""The sizes of an input that a linear layer behind a flatten accepts, found on the copy without numbers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import torch
from torch import nn

from engine.worker.guessing.changes import Path, is_tensor, leaf_at, put, source_of, walk
from engine.worker.guessing.layers import CONVOLUTIONS
from engine.worker.guessing.trial import Attempt, Proposal, Trials

LARGEST = 2048
_HEIGHTS = (48, 32, 64, 128, 40, 80, 96, 224, 256, 60, 100)


@dataclass(frozen=True)
class Fits:
    """Inputs of a linear layer behind a flatten."""

    proposals: tuple[Proposal, ...]
    """The smallest and the largest that run, or the only one."""
    pool: tuple[int, ...] | None
    """The output size of an adaptive pooling before the flatten that would make any size fit."""


def is_flatten(attempt: Attempt) -> bool:
    """Whether a linear layer refused the number of features that the input's size led to."""
    place = attempt.place
    if place is None or not isinstance(place.layer, nn.Linear) or not place.received or not isinstance(place.received[0], torch.Tensor):
        return False
    received = place.received[0]
    if source_of(received, attempt, exactly=True) is not None:
        return False
    spatial = any(isinstance(one.layer, CONVOLUTIONS) for one in attempt.calls)
    return received.dim() >= 1 and received.shape[-1] != place.layer.in_features and spatial


def fitting(trials: Trials, attempt: Attempt, deadline: float) -> Fits:
    """Sizes that fit, as proposals that ran without numbers; none when time is over first."""
    layer = attempt.place.layer.in_features if attempt.place and isinstance(attempt.place.layer, nn.Linear) else 0
    found: list[Proposal] = []
    for path, leaf in walk(attempt.proposal):
        if is_tensor(leaf) and len(leaf.shape) in (3, 4, 5) and not found:
            found = list(_squares(trials, attempt, path, int(layer), deadline)) or list(_oblongs(trials, attempt, path, int(layer), deadline))
    return Fits(tuple(found), _pool(attempt, int(layer), _aspect(found)))


def _squares(trials: Trials, attempt: Attempt, path: Path, wanted: int, deadline: float) -> Iterator[Proposal]:
    def features(side: int) -> int:
        return _features(trials, attempt, _with_room(attempt.proposal, path, lambda _: side), wanted)

    smallest = _first(lambda side: features(side) >= wanted, deadline)
    if smallest is None or features(smallest) != wanted:
        return
    yield _with_room(attempt.proposal, path, lambda _: smallest)
    beyond = _first(lambda side: features(side) > wanted, deadline, smallest + 1)
    largest = (beyond or smallest + 1) - 1
    if largest > smallest:
        yield _with_room(attempt.proposal, path, lambda _: largest)


def _oblongs(trials: Trials, attempt: Attempt, path: Path, wanted: int, deadline: float) -> Iterator[Proposal]:
    """For a height that is usual, the width; pictures only."""
    shape = leaf_at(attempt.proposal, path).shape
    if len(shape) != 4:
        return
    own = [size for size in shape[2:3] if isinstance(size, int)]
    for height in dict.fromkeys([*own, *_HEIGHTS]):
        def sized(width: int, height: int = height) -> Proposal:
            return _with_room(attempt.proposal, path, lambda at: height if at == 0 else width)

        width = _first(lambda width, sized=sized: _features(trials, attempt, sized(width), wanted) >= wanted, deadline)   # type: ignore[misc]
        if width is not None and _features(trials, attempt, sized(width), wanted) == wanted:
            yield sized(width)
            return
        if time.monotonic() > deadline:
            return


def _first(holds: Callable[[int], bool], deadline: float, low: int = 1) -> int | None:
    """The smallest side for which `holds` is true, which then holds for all larger ones; None beyond LARGEST or when time is over."""
    high = max(low, 8)
    while not holds(high):
        low, high = high + 1, high * 2
        if high > LARGEST or time.monotonic() > deadline:
            return None
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _features(trials: Trials, attempt: Attempt, proposal: Proposal, wanted: int) -> int:
    """What reaches the linear layer; `wanted` when it takes it, -1 when the input is too small to come that far."""
    tried = trials.fake(proposal, attempt.batch)
    place = tried.place
    if tried.ran or place is None or attempt.place is None:
        return wanted if tried.ran else -1
    if place.name == attempt.place.name and place.received and isinstance(place.received[0], torch.Tensor):
        return int(place.received[0].shape[-1])
    return -1


def _with_room(proposal: Proposal, path: Path, size: Callable[[int], int]) -> Proposal:
    leaf = leaf_at(proposal, path)
    return put(proposal, path, msgspec.structs.replace(leaf, shape=(*leaf.shape[:2], *(size(at) for at in range(len(leaf.shape) - 2)))))


def _aspect(found: list[Proposal]) -> float:
    """Height over width of the input that fits."""
    sides = next((leaf.shape[2:] for proposal in found for _, leaf in walk(proposal) if len(leaf.shape) == 4), (1, 1))
    height, width = sides
    return height / width if isinstance(height, int) and isinstance(width, int) else 1.0


def _pool(attempt: Attempt, wanted: int, aspect: float) -> tuple[int, ...] | None:
    """The n of `AdaptiveAvgPool2d(n)`: the features are channels times a square, channels being those of the last convolution."""
    last = next((one.layer for one in reversed(attempt.calls) if isinstance(one.layer, CONVOLUTIONS)), None)
    if last is None or wanted % int(last.out_channels):
        return None
    places, spatial = wanted // int(last.out_channels), len(last.kernel_size)
    side = round(places ** (1 / spatial))
    if side and side**spatial == places and aspect == 1.0:
        return (side,) * spatial
    if spatial != 2 or not places:
        return None
    pairs = [(height, places // height) for height in range(1, places + 1) if places % height == 0]
    return min(pairs, key=lambda pair: abs(math.log(pair[0] / pair[1] / aspect)))

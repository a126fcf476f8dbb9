"""Specs that a layer, or a parameter's name, lets one expect: the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from engine.job import InputSpec
from engine.worker.guessing.layers import CONVOLUTIONS, LOOKUPS, TRANSPOSED, wanted

Shape = tuple[int | str, ...]
_TRANSPOSED_SIDES = {224: 1, 64: 4, 32: 8, 28: 7, 256: 16}
_LONG_KERNEL = 16
"""A kernel this long and one wide reads audio, not pictures."""


@dataclass(frozen=True)
class Sizes:
    """Numbers for the dimensions that no layer fixes."""

    side: int
    length: int
    """Samples of audio, or steps of a one-dimensional convolution."""
    steps: int
    """Tokens, or steps of a sequence."""


SIZES = (
    Sizes(224, 1024, 128), Sizes(64, 16000, 64), Sizes(32, 512, 32), Sizes(28, 256, 16), Sizes(256, 4096, 8), Sizes(299, 8000, 10), Sizes(128, 128, 512),
    Sizes(96, 64, 50), Sizes(512, 100, 100), Sizes(48, 32, 20), Sizes(16, 48000, 256),
)


def tensor(*shape: int | str) -> InputSpec:
    """A guessed float tensor."""
    return InputSpec(shape=tuple(shape), source="guessed")


def integers(last: int, *shape: int | str, first: int = 0) -> InputSpec:
    """A guessed tensor of integers, both ends inclusive."""
    return InputSpec(dtype="int64", shape=tuple(shape), range=(first, max(first, last)), source="guessed")


def number(value: float) -> InputSpec:
    """A guessed plain number."""
    return InputSpec(dtype=type(value).__name__, scalar=value, source="guessed")


def first_layers(module: Any, path: str = "") -> list[tuple[str, nn.Module]]:
    """Layers that fix a size of what they are given, in the order of definition, those of the module at `path` only."""
    root = module.get_submodule(path) if path else module
    if isinstance(root, LOOKUPS) or wanted(root) is not None:
        return [(path, root)]
    return [(name, layer) for name, layer in root.named_modules() if isinstance(layer, LOOKUPS) or wanted(layer) is not None]


def for_layer(layer: nn.Module, sizes: Sizes, flattened: bool = False) -> Iterator[InputSpec]:
    """What the first layer of a network lets one expect of its input."""
    if isinstance(layer, CONVOLUTIONS):
        yield from _for_convolution(layer, sizes)
    elif isinstance(layer, LOOKUPS):
        last = layer.num_embeddings - 1
        yield from (integers(last, "B", sizes.steps), integers(last, "B"), integers(last, sizes.steps, "B"))
    elif isinstance(layer, nn.RNNBase | nn.MultiheadAttention):
        yield from _for_sequence(layer, sizes)
    elif isinstance(layer, nn.Linear):
        yield from _for_linear(layer.in_features, sizes, flattened)
    elif isinstance(layer, nn.RNNCellBase):
        yield tensor("B", layer.input_size)
    elif isinstance(layer, nn.LayerNorm):
        yield from (tensor("B", sizes.steps, *layer.normalized_shape), tensor("B", *layer.normalized_shape))
    elif (want := wanted(layer)) is not None:
        yield from _for_norm(layer, want.size, sizes)


def _for_convolution(layer: Any, sizes: Sizes) -> Iterator[InputSpec]:
    spatial, channels = len(layer.kernel_size), layer.in_channels
    audio = spatial == 2 and channels == 1 and min(layer.kernel_size) == 1 and max(layer.kernel_size) >= _LONG_KERNEL
    if audio:
        yield tensor("B", sizes.length)
    if isinstance(layer, TRANSPOSED):
        yield tensor("B", channels, *([_TRANSPOSED_SIDES.get(sizes.side, sizes.side)] * spatial))
        yield tensor("B", channels)
    yield tensor("B", channels, *_room(spatial, sizes))
    if spatial == 3:
        yield tensor("B", channels, 16, sizes.side, sizes.side)
    if channels == 1 and not audio:      # forward may add the channel itself
        yield tensor("B", *_room(spatial, sizes))
        yield tensor("B", sizes.length)
    if spatial == 1:
        yield tensor("B", sizes.length, channels)
        yield tensor("B", sizes.steps, channels)
    if channels > 1:                      # channels last, as files of pictures are
        yield tensor("B", *_room(spatial, sizes), channels)


def _room(spatial: int, sizes: Sizes) -> Shape:
    if spatial == 1:
        return (sizes.length,)
    return (sizes.side, sizes.side) if spatial == 2 else (16, min(112, sizes.side), min(112, sizes.side))


def _for_sequence(layer: Any, sizes: Sizes) -> Iterator[InputSpec]:
    size = layer.input_size if isinstance(layer, nn.RNNBase) else layer.embed_dim
    both = [tensor("B", sizes.steps, size), tensor(sizes.steps, "B", size)]
    yield from both if layer.batch_first else reversed(both)
    yield tensor("B", size, sizes.steps)
    if size == 1:
        yield tensor("B", sizes.steps)


def _for_linear(features: int, sizes: Sizes, flattened: bool) -> Iterator[InputSpec]:
    pictures = [tensor("B", channels, side, side) for channels in (3, 1) for side in sorted({28, 32, 64, 224, sizes.side}) if channels * side * side == features]
    plain = [tensor("B", features), tensor("B", sizes.steps, features)]
    yield from [*pictures, *plain] if flattened else [*plain, *pictures]
    yield tensor("B", features, sizes.steps)
    if features == 1:
        yield tensor("B", sizes.steps)


def _for_norm(layer: nn.Module, channels: int, sizes: Sizes) -> Iterator[InputSpec]:
    name = type(layer).__name__
    shapes: dict[str, Shape] = {
        "1d": ("B", channels), "length": ("B", channels, sizes.length), "2d": ("B", channels, sizes.side, sizes.side), "3d": ("B", channels, 16, 32, 32),
    }
    first = next((key for key in ("2d", "3d", "1d") if name.endswith(key)), "2d")
    for key in [first, *(key for key in shapes if key != first)]:
        yield tensor(*shapes[key])


def for_weight(name: str, shape: tuple[int, ...], sizes: Sizes) -> Iterator[InputSpec]:
    """The same from a TorchScript layer's name and weight, all that is left of it."""
    if name.startswith("Embedding"):
        yield from for_layer(nn.Embedding(shape[0], 1, device="meta"), sizes)
    elif name in ("LSTM", "GRU", "RNN"):
        yield from for_layer(nn.GRU(shape[1], 1, device="meta", batch_first=True), sizes)
    elif name.endswith("Cell") or len(shape) == 2:
        yield from _for_linear(shape[1], sizes, flattened=False)
    elif len(shape) in (3, 4, 5):
        channels = shape[0] if "Transpose" in name else shape[1]
        yield tensor("B", channels, *_room(len(shape) - 2, sizes))
        yield tensor("B", sizes.length)
    else:
        yield from _for_norm(nn.Identity(), shape[0], sizes)


def state_of(layer: Any) -> InputSpec:
    """The hidden state that a recurrent layer or cell takes: a tuple of two for an LSTM."""
    if isinstance(layer, nn.RNNCellBase):
        one = tensor("B", layer.hidden_size)
        return _twice(one, one) if isinstance(layer, nn.LSTMCell) else one
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    one = tensor(rows, "B", getattr(layer, "proj_size", 0) or layer.hidden_size)
    return _twice(one, tensor(rows, "B", layer.hidden_size)) if isinstance(layer, nn.LSTM) else one


def _twice(first: InputSpec, second: InputSpec) -> InputSpec:
    return InputSpec(container="tuple", parts=(first, second), source="guessed")


def position_limit(module: Any) -> int | None:
    """The longest sequence that tables of positions allow; None where there are none."""
    found = [layer.num_embeddings for name, layer in module.named_modules() if isinstance(layer, nn.Embedding) and "pos" in name.lower()]
    named = [*module.named_parameters(), *module.named_buffers()]
    found += [value.shape[-2] for name, value in named if "pos" in name.rpartition(".")[2].lower() and value.dim() in (2, 3) and value.is_floating_point()]
    return min(found) if found else None


def anything(module: Any, sizes: Sizes) -> Iterator[InputSpec]:
    """When no layer tells: sizes of the bare parameters, then what networks usually take."""
    seen: set[int] = set()
    for value in module.parameters():
        for size in (value.shape[-1], value.shape[0]) if value.dim() else ():
            if size not in seen and len(seen) < 8:
                seen.add(size)
                yield from (tensor("B", size), tensor("B", sizes.steps, size))
    yield from (tensor("B", 3, sizes.side, sizes.side), tensor("B", 1, sizes.side, sizes.side), tensor("B", sizes.steps), tensor("B", sizes.length))
    yield from (tensor("B", sizes.steps, 64), tensor("B"), integers(99, "B", sizes.steps))
    yield InputSpec(dtype="uint8", shape=("B", 3, sizes.side, sizes.side), range=(0, 255), source="guessed")



"""The first layer and the input that it wants: from a pickled module's own layers, else from names and shapes of weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from engine.files.nodes import Call, Node
from engine.files.tensors import TensorEntry
from engine.files.weights import class_of, fields
from engine.guess import SIZE_MAX, is_embedding

Said = tuple[str, dict[str, Any]]
"""A code of engine.words.files with its values."""
_GATES = {4: "LSTM", 3: "GRU", 1: "RNN"}
_POOLS = {"MaxPool1d", "MaxPool2d", "MaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d"}
_LAYERS_LIMIT, _SIDE_MAX = 2_000, 1_024
Layer = tuple[str, str, dict[str, Node]]
"""Name, class and attributes; an empty class is a box whose way through its layers is not known."""
Step = tuple[int, int, int, int, bool]
"""Kernel, stride, padding, dilation, and whether sizes are rounded up."""
_BOXES = ("Sequential", "ModuleList", "ModuleDict")


def first_layer(entries: Sequence[TensorEntry], module: Node) -> Said | None:
    """Which layer comes first and what it takes; None when neither layers nor weights tell."""
    chain = list(_chain(module))
    for place, (name, kind, parts) in enumerate(chain):
        if (said := _of_layer(name, kind, parts, chain[place + 1 :], chain[:place])) is not None:
            return said
    return _of_weights(entries)


def _chain(module: Node) -> Iterator[Layer]:
    """Name, class and attributes of each layer, in order, boxes opened; a box that is no Sequential ends the chain with an empty class."""
    waiting: list[tuple[str, Node]] = [("", module)]
    for _ in range(_LAYERS_LIMIT):
        if not waiting:
            return
        name, node = waiting.pop()
        known = class_of(node) if isinstance(node, Call) else None
        if known is None:
            continue
        parts, inner = fields(node), fields(fields(node).get("_modules"))
        if known.module.startswith("torch.nn.modules.") and known.name not in _BOXES:
            yield name, known.name, parts
            continue
        if known.name != "Sequential" or not known.module.startswith("torch.nn.modules."):
            yield name, "", parts
        waiting += [(f"{name}.{key}" if name else key, child) for key, child in reversed(inner.items())]


def _of_layer(name: str, kind: str, parts: dict[str, Node], after: list[Layer], before: list[Layer]) -> Said | None:
    if (match := re.fullmatch(r"(?:Lazy)?Conv([123])d", kind)) and (channels := _size(parts.get("in_channels"))):
        plain = not any(each[1] == "" for each in before)
        return _convolution(name, int(match[1]), channels, _sides_taken([(name, kind, parts), *after], int(match[1])) if plain else None)
    if kind == "Linear" and (features := _size(parts.get("in_features"))):
        return "first-layer-linear", {"layer": name or "-", "features": features}
    if kind in ("Embedding", "EmbeddingBag") and (rows := _size(parts.get("num_embeddings"))):
        return "first-layer-embedding", {"layer": name or "-", "last": rows - 1}
    if kind in _GATES.values() and (features := _size(parts.get("input_size"))):
        return "first-layer-recurrent", {"layer": name or "-", "type": kind, "features": features}
    return None


def _size(value: Any) -> int:
    """The value where it is a believable size, else 0."""
    return value if type(value) is int and 0 < value <= SIZE_MAX else 0


def _convolution(name: str, rank: int, channels: int, sides: tuple[int, int | None] | None) -> Said:
    """Words for a convolution; `sides` are the least and the largest side (None: no end), where known."""
    values: dict[str, Any] = {"layer": name or "-", "channels": channels, "plural": "" if channels == 1 else "s"}
    if sides is None:
        return f"first-layer-conv{rank}d", values
    least, largest = sides
    if largest is None:
        return f"first-layer-conv{rank}d-from", {**values, "least": least}
    return f"first-layer-conv{rank}d-sides", {**values, "sides": f"{least}" if least == largest else f"{least}-{largest}"}


def _sides_taken(layers: list[Layer], rank: int) -> tuple[int, int | None] | None:
    """The sides that a plain chain of convolutions and pools takes: least and largest; None when the chain is not plain to its end."""
    steps: list[Step] = []
    channels, flat = 0, False
    for _, kind, parts in layers:
        if kind.startswith("Conv") or kind in _POOLS:
            if flat or (step := _step(kind, parts)) is None:
                return None
            steps.append(step)
            channels = parts.get("out_channels", channels)
        elif kind.startswith("Adaptive"):
            break
        elif kind == "Flatten":
            flat = True
        elif kind == "Linear":
            return _fixed_sides(steps, rank, channels, parts.get("in_features")) if flat else None
        elif kind in ("", "Unflatten", "Upsample") or kind.startswith(("Lazy", "Transformer", "Multihead")):
            return None     # a way that is not known
    least = next((side for side in range(1, _SIDE_MAX + 1) if _through(steps, side) > 0), None)
    return None if least is None else (least, None)


def _fixed_sides(steps: list[Step], rank: int, channels: Node, features: Node) -> tuple[int, int] | None:
    """The equal sides after which exactly `features` numbers are left for a linear layer."""
    if not (_size(channels) and _size(features)):
        return None
    fitting = [side for side in range(1, _SIDE_MAX + 1) if (left := _through(steps, side)) > 0 and left**rank * channels == features]
    return (fitting[0], fitting[-1]) if fitting else None


def _through(steps: list[Step], side: int) -> int:
    """What is left of a side after these steps; 0 when nothing is."""
    for kernel, stride, padding, dilation, ceil in steps:
        room = side + 2 * padding - dilation * (kernel - 1) - 1
        if room < 0:
            return 0
        side = (room + (stride - 1 if ceil else 0)) // stride + 1
        if ceil and (side - 1) * stride >= room + dilation * (kernel - 1) + 1 - padding:
            side -= 1
    return side


def _step(kind: str, parts: dict[str, Node]) -> Step | None:
    """Kernel, stride, padding, dilation and whether sizes are rounded up; None where the sides are not equal."""
    kernel, dilation, padding = _side(parts.get("kernel_size")), _side(parts.get("dilation", 1)), parts.get("padding", 0)
    stride = kernel if parts.get("stride") is None else _side(parts.get("stride"))
    if not kernel or not stride or not dilation or kind.startswith("ConvTranspose"):
        return None
    if padding == "same":
        return 1, 1, 0, 1, False
    around = 0 if padding == "valid" else _side(padding)
    return None if around is None else (kernel, stride, around, dilation, parts.get("ceil_mode") is True)


def _side(value: Node) -> int | None:
    """The one number of a size that is equal in all directions."""
    sides = set(value) if isinstance(value, (tuple, list)) and all(type(side) is int for side in value) else {value}
    only = sides.pop() if len(sides) == 1 else None
    return only if type(only) is int and 0 <= only <= SIZE_MAX else None


def _of_weights(entries: Sequence[TensorEntry]) -> Said | None:
    """The first weight that belongs to a layer with an input of its own."""
    shapes = {entry.key: entry.shape for entry in entries}
    for entry in entries:
        layer, _, last = entry.key.rpartition(".")
        if not all(0 < size <= SIZE_MAX for size in entry.shape) or len(entry.shape) < 2:
            continue
        if last == "weight_ih_l0":
            return _recurrent(layer, entry.shape, shapes.get(f"{layer}.weight_hh_l0" if layer else "weight_hh_l0"))
        if last == "in_proj_weight":
            return "first-layer-attention", {"layer": layer or "-", "features": entry.shape[1]}
        if last == "weight" and (said := _of_weight(layer, entry.shape)) is not None:
            return said
    return None


def _of_weight(layer: str, shape: tuple[int, ...]) -> Said | None:
    if len(shape) in (3, 4, 5):
        return _convolution(layer, len(shape) - 2, shape[1], None)
    if len(shape) != 2:
        return None
    if is_embedding(layer):
        return "first-layer-embedding", {"layer": layer, "last": shape[0] - 1}
    return None if re.search("embed|pos|wpe", layer, re.IGNORECASE) else ("first-layer-linear", {"layer": layer or "-", "features": shape[1]})


def _recurrent(layer: str, shape: tuple[int, ...], hidden: tuple[int, ...] | None) -> Said:
    gates = shape[0] // hidden[1] if hidden and len(hidden) == 2 and hidden[1] and shape[0] % hidden[1] == 0 else 0
    return "first-layer-recurrent", {"layer": layer or "-", "type": _GATES.get(gates, "RNN"), "features": shape[1]}

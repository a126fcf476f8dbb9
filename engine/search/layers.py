"""What torch's own layers keep, by name and shape: known from their documentation, so that source can be read without torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int | None, ...]
"""Sizes of a tensor; None where the source does not tell."""
ANY_NUMBER = re.compile(r"\d+")


@dataclass(eq=False)
class Tree:
    """What a module will hold under its name: tensors and further modules."""

    shape: Shape | None = None
    """Of a tensor; None where not even the number of dimensions is known."""
    is_tensor: bool = False
    is_open: bool = False
    """Anything may lie below: the source does not tell."""
    children: dict[str, Tree] = field(default_factory=dict)
    patterns: list[tuple[re.Pattern[str], Tree]] = field(default_factory=list)
    """Children whose names are put together at run time."""
    required: set[str] = field(default_factory=set)
    """Names of children that are there in any case."""

    def add(self, name: str, child: Tree, required: bool = True) -> None:
        """Put a child under its name; one that may also be another thing becomes an alternative."""
        if not required and name in self.children:
            self.patterns.append((re.compile(re.escape(name)), child))
            return
        self.children[name] = child
        if required:
            self.required.add(name)

    def add_pattern(self, pattern: re.Pattern[str], child: Tree) -> None:
        """Put a child under every name that fits."""
        if len(self.patterns) < 24:
            self.patterns.append((pattern, child))

    def below(self, name: str) -> list[Tree]:
        """Every child that `name` may mean."""
        found = [self.children[name]] if name in self.children else []
        return found + [child for pattern, child in self.patterns if pattern.fullmatch(name)]


def tensor(*sizes: Any) -> Tree:
    """A tensor of these sizes; what is no number is unknown."""
    return Tree(is_tensor=True, shape=tuple(_size(size) for size in sizes))


def unknown_tensor() -> Tree:
    """A tensor of which nothing is known."""
    return Tree(is_tensor=True)


def anything() -> Tree:
    """Something that the source does not tell."""
    return Tree(is_open=True)


def listed(children: Iterable[Tree]) -> Tree:
    """Children numbered from 0, as in Sequential and ModuleList."""
    tree = Tree()
    for number, child in enumerate(children):
        tree.add(str(number), child)
    return tree


class Arguments:
    """The arguments of a call, by place or by name; None for what is not known."""

    def __init__(self, positional: list[Any], named: dict[str, Any]) -> None:
        self.positional, self.named = positional, named

    def get(self, place: int, *names: str, default: Any = None) -> Any:
        """The argument at `place`, or under one of its names."""
        if place < len(self.positional):
            return self.positional[place]
        return next((self.named[name] for name in names if name in self.named), default)


def is_layer(name: str) -> bool:
    """Whether a class of this name is one of torch's own layers."""
    return name in _LAYERS or name in _WITHOUT


def known_layer(name: str, arguments: Arguments) -> Tree | None:
    """What the layer of this class name holds, or None for a class that is not known here."""
    if name in _WITHOUT or name.endswith(("Loss", "Pool1d", "Pool2d", "Pool3d", "Pad1d", "Pad2d", "Pad3d")) or name.startswith("Dropout"):
        return Tree()
    make = _LAYERS.get(name.removeprefix("Lazy"))
    return make(arguments) if make is not None else None


def _size(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _weighted(weight: Tree, out: Any, bias: Any = True) -> Tree:
    tree = Tree()
    tree.add("weight", weight)
    if bias is not False:
        tree.add("bias", tensor(out), required=False)
    return tree


def _linear(given: Arguments) -> Tree:
    inside, outside = given.get(0, "in_features"), given.get(1, "out_features")
    return _weighted(tensor(outside, inside), outside, given.get(2, "bias"))


def _kernel(value: Any, rank: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) and len(value) == rank else (value if type(value) is int else None,) * rank


def _convolution(rank: int) -> Callable[[Arguments], Tree]:
    def make(given: Arguments) -> Tree:
        inside, outside = given.get(0, "in_channels"), given.get(1, "out_channels")
        return _weighted(tensor(outside, _grouped(inside, given.get(6, "groups", default=1)), *_kernel(given.get(2, "kernel_size"), rank)), outside,
                         given.get(7, "bias"))

    return make


def _transposed(rank: int) -> Callable[[Arguments], Tree]:
    def make(given: Arguments) -> Tree:
        inside, outside = given.get(0, "in_channels"), given.get(1, "out_channels")
        return _weighted(tensor(inside, _grouped(outside, given.get(6, "groups", default=1)), *_kernel(given.get(2, "kernel_size"), rank)), outside,
                         given.get(7, "bias"))

    return make


def _grouped(channels: Any, groups: Any) -> int | None:
    return channels // groups if type(channels) is int and type(groups) is int and groups > 0 else None


def _batch_norm(given: Arguments) -> Tree:
    tree, size = Tree(), given.get(0, "num_features")
    for name in ("weight", "bias", "running_mean", "running_var"):
        tree.add(name, tensor(size), required=name == "running_mean")
    return tree


def _instance_norm(given: Arguments) -> Tree:
    tree, size = Tree(), given.get(0, "num_features")
    for name in ("weight", "bias", "running_mean", "running_var"):
        tree.add(name, tensor(size), required=False)
    return tree


def _layer_norm(given: Arguments) -> Tree:
    sizes = given.get(0, "normalized_shape")
    shape = tuple(_size(size) for size in sizes) if isinstance(sizes, list) else (_size(sizes),) if type(sizes) is int else None
    tree = Tree()
    for name in ("weight", "bias"):
        tree.add(name, Tree(is_tensor=True, shape=shape), required=False)
    return tree


def _group_norm(given: Arguments) -> Tree:
    tree = Tree()
    for name in ("weight", "bias"):
        tree.add(name, tensor(given.get(1, "num_channels")), required=False)
    return tree


def _embedding(given: Arguments) -> Tree:
    return _weighted(tensor(given.get(0, "num_embeddings"), given.get(1, "embedding_dim")), None, False)


def _recurrent(gates: int) -> Callable[[Arguments], Tree]:
    def make(given: Arguments) -> Tree:
        inside, hidden = given.get(0, "input_size"), _size(given.get(1, "hidden_size"))
        rows = None if hidden is None else gates * hidden
        tree = Tree()
        for suffix in ("_l0", "_l0_reverse"):
            tree.add(f"weight_ih{suffix}", tensor(rows, inside), required=suffix == "_l0")
        tree.add_pattern(re.compile(r"weight_ih_l[1-9]\d*(_reverse)?"), tensor(rows, None))
        tree.add_pattern(re.compile(r"weight_hh_l\d+(_reverse)?"), tensor(rows, None))
        tree.add_pattern(re.compile(r"weight_hr_l\d+(_reverse)?"), tensor(None, None))
        tree.add_pattern(re.compile(r"bias_[ih]h_l\d+(_reverse)?"), tensor(rows))
        return tree

    return make


def _cell(gates: int) -> Callable[[Arguments], Tree]:
    def make(given: Arguments) -> Tree:
        inside, hidden = given.get(0, "input_size"), _size(given.get(1, "hidden_size"))
        rows = None if hidden is None else gates * hidden
        tree = Tree()
        tree.add("weight_ih", tensor(rows, inside))
        tree.add("weight_hh", tensor(rows, hidden))
        for name in ("bias_ih", "bias_hh"):
            tree.add(name, tensor(rows), required=False)
        return tree

    return make


def _attention(given: Arguments) -> Tree:
    size = _size(given.get(0, "embed_dim", "d_model"))
    tree = Tree()
    rows = None if size is None else 3 * size
    for name, child in {"in_proj_weight": tensor(rows, size), "in_proj_bias": tensor(rows), "bias_k": unknown_tensor(), "bias_v": unknown_tensor()}.items():
        tree.add(name, child, required=False)
    tree.add_pattern(re.compile(r"[qkv]_proj_weight"), tensor(None, None))
    tree.add("out_proj", _weighted(tensor(size, size), size))
    return tree


def _transformer_layer(decoder: bool) -> Callable[[Arguments], Tree]:
    def make(given: Arguments) -> Tree:
        size, inner = given.get(0, "d_model"), given.get(2, "dim_feedforward", default=2048)
        tree = Tree()
        tree.add("self_attn", _attention(Arguments([size], {})))
        tree.add("linear1", _weighted(tensor(inner, size), inner))
        tree.add("linear2", _weighted(tensor(size, inner), size))
        for name in ("norm1", "norm2", "norm3") if decoder else ("norm1", "norm2"):
            tree.add(name, _layer_norm(Arguments([size], {})))
        if decoder:
            tree.add("multihead_attn", _attention(Arguments([size], {})))
        return tree

    return make


def _transformer_stack(given: Arguments) -> Tree:
    layer, norm = given.get(0, "encoder_layer", "decoder_layer"), given.get(2, "norm")
    stack, tree = Tree(), Tree()
    stack.add_pattern(ANY_NUMBER, layer if isinstance(layer, Tree) else anything())
    tree.add("layers", stack)
    tree.add("norm", norm if isinstance(norm, Tree) else anything(), required=False)
    return tree


def _transformer(given: Arguments) -> Tree:
    tree = Tree()
    size, inner = given.get(0, "d_model", default=512), given.get(4, "dim_feedforward", default=2048)
    for name, decoder in (("encoder", False), ("decoder", True)):
        layer = _transformer_layer(decoder)(Arguments([size, None, inner], {}))
        tree.add(name, _transformer_stack(Arguments([layer, None, _layer_norm(Arguments([size], {}))], {})))
    return tree


def _prelu(given: Arguments) -> Tree:
    return _weighted(tensor(given.get(0, "num_parameters", default=1)), None, False)


_LAYERS: dict[str, Callable[[Arguments], Tree]] = {
    "Linear": _linear, "NonDynamicallyQuantizableLinear": _linear, "Bilinear": lambda given: _weighted(
        tensor(given.get(2, "out_features"), given.get(0, "in1_features"), given.get(1, "in2_features")), given.get(2, "out_features")),
    **{f"Conv{rank}d": _convolution(rank) for rank in (1, 2, 3)}, **{f"ConvTranspose{rank}d": _transposed(rank) for rank in (1, 2, 3)},
    **{f"BatchNorm{rank}d": _batch_norm for rank in (1, 2, 3)}, "SyncBatchNorm": _batch_norm,
    **{f"InstanceNorm{rank}d": _instance_norm for rank in (1, 2, 3)}, "LayerNorm": _layer_norm, "RMSNorm": _layer_norm, "GroupNorm": _group_norm,
    "Embedding": _embedding, "EmbeddingBag": _embedding, "LSTM": _recurrent(4), "GRU": _recurrent(3), "RNN": _recurrent(1),
    "LSTMCell": _cell(4), "GRUCell": _cell(3), "RNNCell": _cell(1), "MultiheadAttention": _attention, "PReLU": _prelu,
    "TransformerEncoderLayer": _transformer_layer(False), "TransformerDecoderLayer": _transformer_layer(True),
    "TransformerEncoder": _transformer_stack, "TransformerDecoder": _transformer_stack, "Transformer": _transformer,
}
_WITHOUT = set(
    "AlphaDropout ChannelShuffle ELU CELU SELU Flatten Unflatten Fold Unfold GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh Identity LeakyReLU "
    "LocalResponseNorm LogSigmoid LogSoftmax Mish PixelShuffle PixelUnshuffle RReLU ReLU ReLU6 SiLU Sigmoid Softmax Softmax2d Softmin Softplus "
    "Softshrink Softsign Tanh Tanhshrink Threshold Upsample UpsamplingBilinear2d UpsamplingNearest2d CosineSimilarity PairwiseDistance".split()
)

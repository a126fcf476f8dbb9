"""What a layer wants to be given, and whether a tensor is that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_NORMS = (nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm)
LOOKUPS = (nn.Embedding, nn.EmbeddingBag)


@dataclass(frozen=True)
class Want:
    """The number that a layer insists on, and the dimension in which it must stand."""

    size: int
    dimension: int
    """As an index: 1 for channels, -1 for features."""
    spatial: int = 0
    """Dimensions after the channels; 0 where any number may stand before the features."""


def wants(layer: nn.Module) -> str | None:
    """The input that a layer wants, in shapes; None for layers that take anything."""
    if isinstance(layer, CONVOLUTIONS):
        return f"[B, {layer.in_channels}, {', '.join('DHW'[-len(layer.kernel_size):])}]"
    if isinstance(layer, LOOKUPS):
        return f"integers from 0 to {layer.num_embeddings - 1}"
    if isinstance(layer, nn.LayerNorm):
        return f"[..., {', '.join(str(size) for size in layer.normalized_shape)}]"
    want = wanted(layer)
    if want is None:
        return None
    return f"[B, {want.size}, ...]" if want.dimension == 1 else f"[..., {want.size}]"


def wanted(layer: nn.Module) -> Want | None:
    """The size that a layer fixes in its input; None where it fixes none."""
    if isinstance(layer, CONVOLUTIONS):
        return Want(layer.in_channels, 1, len(layer.kernel_size))
    if isinstance(layer, nn.Linear):
        return Want(layer.in_features, -1)
    if isinstance(layer, _NORMS):
        return Want(layer.num_features, 1) if layer.num_features else None
    if isinstance(layer, nn.GroupNorm):
        return Want(layer.num_channels, 1)
    if isinstance(layer, nn.LayerNorm):
        return Want(int(layer.normalized_shape[-1]), -1)
    if isinstance(layer, nn.RNNBase | nn.RNNCellBase):
        return Want(layer.input_size, -1)
    if isinstance(layer, nn.MultiheadAttention):
        return Want(layer.embed_dim, -1)
    return None


def suits(layer: nn.Module, received: tuple[Any, ...]) -> bool:
    """Whether the tensor is what the layer wants, so that the fault lies elsewhere."""
    if not received or not isinstance(received[0], torch.Tensor):
        return False
    tensor = received[0]
    if isinstance(layer, LOOKUPS):
        return not tensor.is_floating_point() and (_is_fake(tensor) or (tensor.numel() > 0 and int(tensor.min()) >= 0 and int(tensor.max()) < layer.num_embeddings))
    if not same_kind(layer, tensor):
        return False
    if isinstance(layer, CONVOLUTIONS):
        fits = tensor.dim() == len(layer.kernel_size) + 2 and tensor.shape[1] == layer.in_channels
        return fits and all(size >= 1 for size in tensor.shape[2:]) and not too_small(layer, tensor)
    if isinstance(layer, nn.LayerNorm):
        return tuple(tensor.shape[-len(layer.normalized_shape) :]) == tuple(layer.normalized_shape)
    want = wanted(layer)
    if want is None:
        return True
    return tensor.dim() > max(0, want.dimension) and tensor.shape[want.dimension] == want.size


def same_kind(layer: nn.Module, tensor: torch.Tensor) -> bool:
    """Whether the tensor's dtype is that of the layer's weights."""
    parameter = next(layer.parameters(), None)
    return parameter is None or tensor.dtype == parameter.dtype


def too_small(layer: Any, tensor: torch.Tensor) -> bool:
    """Whether a convolution's kernel is larger than its padded input."""
    if isinstance(layer, TRANSPOSED):
        return False
    padding = layer.padding if isinstance(layer.padding, tuple) else (layer.kernel_size if layer.padding == "same" else (0,) * len(layer.kernel_size))
    return any(
        size + 2 * pad < dilation * (kernel - 1) + 1
        for size, pad, dilation, kernel in zip(tensor.shape[2:], padding, layer.dilation, layer.kernel_size, strict=False)
    )


def _is_fake(tensor: torch.Tensor) -> bool:
    return tensor.is_meta or type(tensor) is not torch.Tensor

"""Why a forward failed, as a sentence's code and values: the layer, what it got and what it wanted."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from engine.inputs import format_input
from engine.job import InputSpec
from engine.worker.errors import WorkerError, last_line
from engine.worker.guessing.changes import is_tensor, leaf_at, source_of, too_long, walk
from engine.worker.guessing.layers import CONVOLUTIONS, LOOKUPS, same_kind, suits, too_small, wanted, wants
from engine.worker.guessing.signature import Signature
from engine.worker.guessing.sizes import is_flatten
from engine.worker.guessing.trial import Attempt, Place
from engine.worker.inputs import shapes_of

_TOO_SMALL = ("Output size is too small", "Kernel size can't be greater", "greater than actual input size", "smaller than kernel size", "Padding size should be less")
_SHAPE_WORDS = ("shape", "size", "channels", "dimension", "expected input", "mat1 and mat2", "must match", "too many indices", "samples", "too short", "dtype", "scalar type")
Sentence = tuple[str, dict[str, Any]]


def sentence_of(attempt: Attempt, signature: Signature) -> Sentence | None:
    """What is wrong with the inputs; None when the failure may lie elsewhere."""
    return _of_arguments(attempt, signature) or _of_layer(attempt) or _of_words(attempt)


def _of_arguments(attempt: Attempt, signature: Signature) -> Sentence | None:
    """More, fewer or other arguments than forward takes."""
    if signature.open_ended or not isinstance(attempt.error, TypeError | RuntimeError):
        return None
    names = [parameter.name for parameter in signature.parameters]
    given = [spec.name for spec in attempt.proposal if spec.name is not None]
    positional = len(attempt.proposal) - len(given)
    if unknown := [name for name in given if name not in names]:
        return "input-unknown-name", {"name": unknown[0], "takes": str(signature)}
    filled = {*names[:positional], *given}
    if positional > sum(not parameter.keyword_only for parameter in signature.parameters) or any(one.name not in filled for one in signature.required):
        return "input-count", {"count": len(attempt.proposal), "takes": str(signature)}
    return None


def _of_layer(attempt: Attempt) -> Sentence | None:
    """A layer that wants something else than it got."""
    place = attempt.place
    received = next((value for value in place.received if isinstance(value, torch.Tensor)), None) if place is not None else None
    if place is None or received is None:
        return None
    name = place.name or type(place.layer).__name__
    path = source_of(received, attempt, exactly=isinstance(place.layer, LOOKUPS) and not received.is_floating_point())
    if path is None and too_long(place, received):
        long = next((one for one, leaf in walk(attempt.proposal) if is_tensor(leaf) and received.shape[-1] in leaf.shape), (0,))
        return "input-long", {"input": _label(attempt, long), "layer": name, "got": int(received.shape[-1]), "wanted": place.layer.num_embeddings}
    label, leaf = (_label(attempt, path), leaf_at(attempt.proposal, path)) if path is not None else ("", None)
    if is_flatten(attempt):
        shaped = next((one for one, leaf in walk(attempt.proposal) if len(leaf.shape) >= 3), (0,))
        assert isinstance(place.layer, nn.Linear)
        return "input-flatten", {"input": _label(attempt, shaped), "layer": name, "wanted": int(place.layer.in_features), "got": int(received.shape[-1])}
    if leaf is not None and (known := _of_input(place, received, leaf, attempt.batch)) is not None:
        return known[0], {"input": label, "layer": name, **known[1]}
    if any(words in str(attempt.error) for words in _TOO_SMALL) or (isinstance(place.layer, CONVOLUTIONS) and _reaches_too_small(place.layer, received)):
        return "input-small", {"input": label or _label(attempt, (0,)), "layer": name, "got": shapes_of(received)}
    text = wants(place.layer)
    if text is None or suits(place.layer, place.received):
        return None
    values = {"layer": name, "type": type(place.layer).__name__, "wanted": text, "got": shapes_of(received), "given": given_text(attempt)}
    if not same_kind(place.layer, received) and not isinstance(place.layer, LOOKUPS):
        values |= {"wanted": _dtype_of(place.layer), "got": _name(received.dtype)}
    return "input-layer", values


def _reaches_too_small(layer: Any, received: torch.Tensor) -> bool:
    return received.dim() == len(layer.kernel_size) + 2 and received.shape[1] == layer.in_channels and too_small(layer, received)


def _of_input(place: Place, received: torch.Tensor, leaf: InputSpec, batch: int) -> Sentence | None:
    """What is wrong with an input that reached the layer as it was given."""
    layer = place.layer
    if isinstance(layer, LOOKUPS):
        last = layer.num_embeddings - 1
        if received.is_floating_point():
            return "input-integers", {"got": leaf.dtype, "last": last}
        low, high = leaf.range or (0, 1)
        return None if suits(layer, place.received) else ("input-range", {"last": last, "low": low, "high": high})
    if not same_kind(layer, received) and not received.is_floating_point():
        return "input-dtype", {"got": _name(received.dtype), "wanted": _dtype_of(layer)}
    want = wanted(layer)
    if want is None or suits(layer, place.received):
        return None
    least = 2 if want.dimension == 1 else 1
    if received.dim() < least or (want.spatial and received.dim() != want.spatial + 2):
        return "input-dimensions", {"got": received.dim(), "wanted": wants(layer) or "-"}
    if received.shape[want.dimension] == want.size:
        return None
    return "input-channels" if want.dimension == 1 else "input-features", {"got": int(received.shape[want.dimension]), "wanted": want.size}


def _of_words(attempt: Attempt) -> Sentence | None:
    """Errors that speak of shapes: TorchScript's, or those raised between layers."""
    error = attempt.error
    scripted = isinstance(error, torch.jit.Error) or "TorchScript interpreter" in str(error)
    if error is None or not (scripted or attempt.proposal) or not any(words in str(error) for words in _SHAPE_WORDS):
        return None
    if scripted or attempt.place is None:
        return "input-own-words", {"given": given_text(attempt), "error": _own_words(error)}
    return "input-inside", {"given": given_text(attempt), "layer": attempt.place.name or type(attempt.place.layer).__name__, "error": last_line(error)}


def _own_words(error: Exception) -> str:
    """The last line, without the type that TorchScript writes before it a second time."""
    words = last_line(error).partition(": ")[2].removeprefix("builtins.")
    return words or last_line(error)


def raised_inside(attempt: Attempt) -> WorkerError | None:
    """An error of the forward itself, with the layer that was running; None where no layer was."""
    place = attempt.place
    if place is None or attempt.error is None:
        return None
    return WorkerError("forward-raised", "forward-raised-in", layer=place.name or type(place.layer).__name__, error=last_line(attempt.error), given=given_text(attempt))


def _label(attempt: Attempt, path: tuple[int, ...]) -> str:
    """An input's name, else its number, and the way into its container."""
    spec = attempt.proposal[path[0]] if attempt.proposal else None
    words = [spec.name if spec is not None and spec.name else str(path[0] + 1)]
    for index in path[1:]:
        part = spec.parts[index] if spec is not None else None
        words.append(part.name if part is not None and part.name else str(index + 1))
        spec = part
    return ".".join(words)


def given_text(attempt: Attempt) -> str:
    """The inputs of an attempt as people write them."""
    return ", ".join(format_input(spec) for spec in attempt.proposal) or "-"


def _dtype_of(layer: nn.Module) -> str:
    return next((_name(parameter.dtype) for parameter in layer.parameters()), "float32")


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")

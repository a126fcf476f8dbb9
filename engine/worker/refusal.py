"""Why a forward refused its inputs: the layer, what it got and wanted, and a change that was seen to run."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

import msgspec
import torch
from torch import nn

from engine.inputs import format_input
from engine.job import InputSpec
from engine.worker.errors import WorkerError, is_device_error, is_out_of_memory, last_line
from engine.worker.guessing.changes import is_tensor, leaf_at, put, source_of, too_long, walk
from engine.worker.guessing.layers import CONVOLUTIONS, LOOKUPS, same_kind, suits, too_small, wanted, wants
from engine.worker.guessing.proposals import Proposals
from engine.worker.guessing.search import Search
from engine.worker.guessing.signature import Signature, signature_of
from engine.worker.guessing.sizes import Fits, fitting, is_flatten
from engine.worker.guessing.trial import Attempt, Place, Trials, Watch
from engine.worker.inputs import Arguments, shapes_of, tensors_in

TRYING_S = 2.0
_PROPOSALS = 3
_TOO_SMALL = ("Output size is too small", "Kernel size can't be greater", "greater than actual input size", "smaller than kernel size", "Padding size should be less")
_SHAPE_WORDS = ("shape", "size", "channels", "dimension", "expected input", "mat1 and mat2", "must match", "too many indices", "samples", "too short", "dtype", "scalar type")
Sentence = tuple[str, dict[str, Any]]


class FirstCallWatch:
    """Follows which layer is running, so that an error names it; turns refusals of the input into `input-mismatch`."""

    def __init__(self, module: Any, specs: tuple[InputSpec, ...], arguments: Arguments) -> None:
        self._module, self._specs, self._arguments = module, specs, arguments
        self._watch = Watch(module)
        self._hooked = self._watch.hooked()

    def __enter__(self) -> None:
        self._hooked.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._hooked.__exit__(None, None, None)
        if self._module is None or not isinstance(error, RuntimeError | TypeError | ValueError | IndexError | AssertionError | KeyError):
            return
        if is_out_of_memory(error) or is_device_error(error):
            return
        attempt = Attempt(self._specs, batch_of(self._specs, self._arguments), error, place=self._watch.place(), calls=tuple(self._watch.called))
        trials = Trials(self._module)
        on_cpu = all(not parameter.is_cuda for parameter in self._module.parameters())
        explained = explain(attempt, trials, signature_of(self._module), Search(trials, time.monotonic() + TRYING_S, real=not trials.can_fake and on_cpu))
        if explained is not None:
            raise explained from error


def batch_of(specs: tuple[InputSpec, ...], arguments: Arguments) -> int:
    """The batch size that the arguments were made with; 1 where no shape tells."""
    positional, named = arguments
    rest = iter(positional)
    for spec in specs:
        value = named.get(spec.name) if spec.name is not None else next(rest, None)
        leaves = [leaf for _, leaf in walk((spec,)) if not leaf.container and leaf.scalar is None]
        for leaf, tensor in zip(leaves, tensors_in(value), strict=False):
            if "B" in leaf.shape and tensor.dim() == len(leaf.shape):
                return int(tensor.shape[leaf.shape.index("B")])
    return 1


def explain(attempt: Attempt, trials: Any, signature: Signature, search: Search) -> WorkerError | None:
    """The failure in words, with proposals that ran; None when nothing is known but the error itself."""
    if attempt.error is None:
        return None
    if (unbatched := _unbatched(attempt, search)) is not None:
        return unbatched
    sentence = _of_arguments(attempt, signature) or _of_layer(attempt) or _of_words(attempt)
    fits = fitting(trials, attempt, search.deadline) if is_flatten(attempt) and trials.can_fake else None
    if sentence is None:
        return _raised_inside(attempt)
    proposed = _proposed(attempt, trials, signature, search, fits)
    return _with_proposals(sentence, proposed, fits)


def _unbatched(attempt: Attempt, search: Search) -> WorkerError | None:
    """Nothing has a batch dimension, and it runs with one."""
    tensors = [(path, leaf) for path, leaf in walk(attempt.proposal) if is_tensor(leaf)]
    if not tensors or any("B" in leaf.shape for _, leaf in tensors):
        return None
    batched = attempt.proposal
    for path, leaf in tensors:
        batched = put(batched, path, msgspec.structs.replace(leaf, shape=("B", *leaf.shape)))
    if not search.prove(batched, attempt.batch).ran:
        return None
    texts = [format_input(spec) for spec in batched]
    return WorkerError("input-mismatch", "input-unbatched", given=_given(attempt), proposed=[texts], proposal=", ".join(texts))


def _with_proposals(sentence: Sentence, proposed: list[list[str]], fits: Fits | None) -> WorkerError:
    code, values = sentence
    if not proposed and fits is not None and fits.pool is not None:
        return WorkerError("input-mismatch", f"{code}-pool-only", **values, pooling=_pooling(fits.pool))
    if not proposed:
        return WorkerError("input-mismatch", code, **values)
    values |= {"proposed": proposed, "proposal": ", ".join(proposed[0])}
    if code != "input-flatten" or fits is None or not fits.proposals:
        return WorkerError("input-mismatch", f"{code}-try", **values)
    values["sizes"] = _sides(fits)
    if fits.pool is None:
        return WorkerError("input-mismatch", "input-flatten-sizes", **values)
    return WorkerError("input-mismatch", "input-flatten-pool", **values, pooling=_pooling(fits.pool))


def _pooling(pool: tuple[int, ...]) -> str:
    return f"AdaptiveAvgPool{len(pool)}d({pool[0] if len(set(pool)) == 1 else pool})"


def _sides(fits: Fits) -> str:
    shapes = [leaf.shape[2:] for proposal in fits.proposals for _, leaf in walk(proposal) if len(leaf.shape) in (3, 4, 5)][: len(fits.proposals)]
    texts = ["x".join(str(size) for size in (shape[:1] if len(set(shape)) == 1 else shape)) for shape in shapes]
    return "-".join(texts)


def _proposed(attempt: Attempt, trials: Any, signature: Signature, search: Search, fits: Fits | None) -> list[list[str]]:
    """Changes of what was given that run, else inputs that suit the model; at most a few."""
    found = [[format_input(spec) for spec in proposal] for proposal in (fits.proposals[:1] if fits is not None and not search.real else ())]
    for ran in search.repairs(attempt):
        text = [format_input(spec) for spec in ran.proposal]
        if text not in found:
            found.append(text)
        if len(found) == _PROPOSALS:
            return found
    if not found and getattr(trials, "module", None) is not None and (other := search.run(Proposals(trials.module, signature))) is not None:
        found.append([format_input(spec) for spec in other.proposal])
    return found


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
    values = {"layer": name, "type": type(place.layer).__name__, "wanted": text, "got": shapes_of(received), "given": _given(attempt)}
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
        return "input-own-words", {"given": _given(attempt), "error": _own_words(error)}
    return "input-inside", {"given": _given(attempt), "layer": attempt.place.name or type(attempt.place.layer).__name__, "error": last_line(error)}


def _own_words(error: Exception) -> str:
    """The last line, without the type that TorchScript writes before it a second time."""
    words = last_line(error).partition(": ")[2].removeprefix("builtins.")
    return words or last_line(error)


def _raised_inside(attempt: Attempt) -> WorkerError | None:
    place = attempt.place
    if place is None or attempt.error is None:
        return None
    return WorkerError("forward-raised", "forward-raised-in", layer=place.name or type(place.layer).__name__, error=last_line(attempt.error), given=_given(attempt))


def _label(attempt: Attempt, path: tuple[int, ...]) -> str:
    """An input's name, else its number, and the way into its container."""
    spec = attempt.proposal[path[0]] if attempt.proposal else None
    words = [spec.name if spec is not None and spec.name else str(path[0] + 1)]
    for index in path[1:]:
        part = spec.parts[index] if spec is not None else None
        words.append(part.name if part is not None and part.name else str(index + 1))
        spec = part
    return ".".join(words)


def _given(attempt: Attempt) -> str:
    return ", ".join(format_input(spec) for spec in attempt.proposal) or "-"


def _dtype_of(layer: nn.Module) -> str:
    return next((_name(parameter.dtype) for parameter in layer.parameters()), "float32")


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")

"""Why a forward refused its inputs: the layer, what it got and wanted, and a change that was seen to run."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

import msgspec

from engine.inputs import format_input
from engine.job import InputSpec
from engine.worker.errors import WorkerError, is_device_error, is_out_of_memory, last_line
from engine.worker.guessing.changes import SPEAKING, is_tensor, put, walk
from engine.worker.guessing.proposals import Proposals
from engine.worker.guessing.search import Search
from engine.worker.guessing.sentences import Sentence, given_text, raised_inside, sentence_of
from engine.worker.guessing.signature import Signature, signature_of
from engine.worker.guessing.sizes import Fits, fitting, is_flatten
from engine.worker.guessing.trial import Attempt, Trials, Watch
from engine.worker.inputs import Arguments, tensors_in

TRYING_S = 2.0
_PROPOSALS = 3
_BATCHES = (1, 2, 4, 8)


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
        if self._module is None or not isinstance(error, (*SPEAKING, KeyError)):
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
    sentence = sentence_of(attempt, signature)
    if (sentence is None or sentence[0] in ("input-inside", "input-own-words")) and (other := _other_batch(attempt, search)) is not None:
        return other
    fits = fitting(trials, attempt, search.deadline) if is_flatten(attempt) and trials.can_fake else None
    if sentence is None:
        return raised_inside(attempt)
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
    return WorkerError("input-mismatch", "input-unbatched", given=given_text(attempt), proposed=[texts], proposal=", ".join(texts))


def _other_batch(attempt: Attempt, search: Search) -> WorkerError | None:
    """The same inputs run with another batch size."""
    if not any("B" in leaf.shape for _, leaf in walk(attempt.proposal)):
        return None
    for batch in _BATCHES:
        if batch != attempt.batch and search.prove(attempt.proposal, batch).ran:
            return WorkerError("input-mismatch", "input-batch", given=given_text(attempt), batch=attempt.batch, works=batch, error=last_line(attempt.error) if attempt.error else "")
    return None


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

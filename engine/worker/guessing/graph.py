"""ONNX graphs: what they declare, sizes for what they leave open, and one run of the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import torch

from engine.inputs import unknown_sizes
from engine.job import InputSpec
from engine.worker.backends import onnxruntime as backend
from engine.worker.errors import WorkerError
from engine.worker.guessing.families import SIZES, Sizes
from engine.worker.guessing.trial import Attempt, Proposal
from engine.worker.inputs import make_arguments
from engine.worker.loading import LoadedModel

_TYPES = {"float": "float32", "double": "float64"}
_HEIGHTS_AND_WIDTHS = ((48, 192), (48, 320), (32, 100), (64, 256), (32, 320))
_LAST_TOKEN = 99


class GraphTrials:
    """Runs proposals in ONNX Runtime; there is no copy without numbers."""

    can_fake = False
    module = None

    def __init__(self, loaded: LoadedModel, seed: int, threads: int) -> None:
        self._path, self._seed, self._threads = loaded.path, seed, threads
        self._session = _open(loaded.path, threads)

    def fake(self, proposal: Proposal, batch: int) -> Attempt:
        """Always in doubt."""
        return Attempt(proposal, batch, RuntimeError("no copy"), unsure=True)

    def real(self, proposal: Proposal, batch: int) -> Attempt:
        """One run with seeded random numbers."""
        try:
            feeds = backend.feeds(self._session, make_arguments(proposal, batch, self._seed))
            return Attempt(proposal, batch, result=self._named(self._session.run(None, feeds)))
        except WorkerError as error:
            return Attempt(proposal, batch, error)
        except Exception as error:       # ONNX Runtime's errors have no common base
            return Attempt(proposal, batch, backend.refusal(error))

    def _named(self, results: list[Any]) -> object:
        return results[0] if len(results) == 1 else {entry.name: result for entry, result in zip(self._session.get_outputs(), results, strict=True)}

    def declared(self) -> Proposal:
        """The graph's own inputs; sizes that it leaves open have names."""
        return tuple(_declared(entry) for entry in self._session.get_inputs())


def _open(path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise WorkerError("unsupported", "backend-missing", backend="ONNX Runtime", package="onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _declared(entry: Any) -> InputSpec:
    if not entry.type.startswith("tensor("):
        raise WorkerError("input-mismatch", "input-file-only", type=entry.type)
    name = entry.type.removeprefix("tensor(").removesuffix(")")
    dtype = _TYPES.get(name, name)
    if not isinstance(getattr(torch, dtype, None), torch.dtype):
        raise WorkerError("input-mismatch", "input-file-only", type=entry.type)
    shape = tuple(_size(size, at) for at, size in enumerate(entry.shape))
    return InputSpec(name=entry.name, dtype=dtype, shape=shape, range=_range(entry.name, dtype), source="declared")


def _size(size: Any, at: int) -> int | str:
    if isinstance(size, int) and size > 0:
        return size
    if at == 0:
        return "B"
    return size if isinstance(size, str) and size.isidentifier() and size != "B" else f"size{at}"


def _range(name: str, dtype: str) -> tuple[int, int] | None:
    if not dtype.startswith(("int", "uint")):
        return None
    return (1, 1) if "mask" in name.lower() else (0, 1) if "type" in name.lower() else (0, 255) if dtype == "uint8" else (0, _LAST_TOKEN)


def filled(proposal: Proposal) -> Iterator[tuple[Proposal, dict[str, int]]]:
    """The proposal with numbers in place of all open sizes, and which were chosen; itself where none is open."""
    if not any(unknown_sizes(spec) for spec in proposal):
        yield proposal, {}
        return
    for sizes in SIZES:
        yield _fill(proposal, {}, sizes)
    for height, width in _HEIGHTS_AND_WIDTHS:
        yield _fill(proposal, {-2: height, -1: width}, SIZES[1])


def _fill(proposal: Proposal, by_place: dict[int, int], sizes: Sizes) -> tuple[Proposal, dict[str, int]]:
    chosen: dict[str, int] = {}
    return tuple(_fill_spec(spec, by_place, sizes, chosen) for spec in proposal), chosen


def _fill_spec(spec: InputSpec, by_place: dict[int, int], sizes: Sizes, chosen: dict[str, int]) -> InputSpec:
    if spec.container:
        return msgspec.structs.replace(spec, parts=tuple(_fill_spec(part, by_place, sizes, chosen) for part in spec.parts))
    shape: list[int | str] = []
    for at, size in enumerate(spec.shape):
        if isinstance(size, int) or size == "B":
            shape.append(size)
            continue
        usual = _usual(spec, sizes)
        shape.append(chosen.setdefault(size, by_place.get(at - len(spec.shape), usual) if len(spec.shape) == 4 else usual))
    return msgspec.structs.replace(spec, shape=tuple(shape))


def _usual(spec: InputSpec, sizes: Sizes) -> int:
    """Pictures are open in two sides, tokens and sequences in their steps, sound in its length."""
    if len(spec.shape) >= 4:
        return sizes.side
    return sizes.steps if len(spec.shape) == 3 or "int" in spec.dtype or spec.dtype == "bool" else sizes.length

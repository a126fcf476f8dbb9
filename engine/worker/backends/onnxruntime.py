"""ONNX Runtime on a file that is ONNX already."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch

from engine.job import Configuration
from engine.worker.backends import Prepared
from engine.worker.errors import WorkerError
from engine.worker.inputs import Arguments
from engine.worker.loading import LoadedModel

_REFUSALS = {
    "input-declared-size": re.compile(r"invalid dimensions for input: (?P<input>\S+) .*?index: (?P<index>\d+) Got: (?P<got>\d+) Expected: (?P<wanted>\d+)"),
    "input-declared-rank": re.compile(r"Invalid rank for input: (?P<input>\S+) Got: (?P<got>\d+) Expected: (?P<wanted>\d+)"),
    "input-declared-dtype": re.compile(r"Unexpected input data type. Actual: \(tensor\((?P<got>\w+)\)\) ?, expected: \(tensor\((?P<wanted>\w+)\)\)"),
}
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


def prepare(
    loaded: LoadedModel, configuration: Configuration, arguments: Arguments, device: torch.device, seed: int = 0, compare: bool = False
) -> Prepared:
    """Open a session with the device's provider and bind the inputs by name; raises WorkerError."""
    try:
        import onnxruntime
    except ImportError as error:
        raise WorkerError("unsupported", "backend-missing", backend="ONNX Runtime", package="onnxruntime") from error
    session = onnxruntime.InferenceSession(loaded.path, _options(onnxruntime, configuration), providers=[_provider(onnxruntime, device)])
    fed = feeds(session, arguments)
    refusals = (onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument,)

    def call() -> object:
        try:
            return session.run(None, fed)
        except refusals as error:
            raise refusal(error) from error

    return Prepared(call, None, None, (("provider", {"provider": session.get_providers()[0]}),))


def refusal(error: Exception) -> WorkerError:
    """What ONNX Runtime does not like in an input, in our words where it is known."""
    text = " ".join(str(error).split())
    for code, pattern in _REFUSALS.items():
        if found := pattern.search(text):
            return WorkerError("input-mismatch", code, **found.groupdict())
    return WorkerError("input-mismatch", "input-refused", error=text[-300:])


def _options(onnxruntime: Any, configuration: Configuration) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = configuration.threads
    options.inter_op_num_threads = 1
    return options


def _provider(onnxruntime: Any, device: torch.device) -> Any:
    name = PROVIDERS[device.type]
    if name not in onnxruntime.get_available_providers():
        raise WorkerError("unsupported", "provider-missing", provider=name)
    return (name, {"device_id": device.index or 0}) if device.type == "cuda" else name


def feeds(session: Any, arguments: Arguments) -> dict[str, Any]:
    """The arguments by input name; positional ones take the graph's order."""
    types = {given.name: given.type for given in session.get_inputs()}
    names = list(types)
    positional, named = arguments
    if len(positional) + len(named) != len(names) or not named.keys() <= set(names):
        raise WorkerError("input-mismatch", "input-names", wanted=", ".join(names), given=len(positional) + len(named))
    rest = iter(name for name in names if name not in named)
    given = dict(named) | dict(zip(rest, positional, strict=True))
    return {name: value.numpy() if isinstance(value, torch.Tensor) else _array(value, types[name]) for name, value in given.items()}


def _array(value: Any, wanted: str) -> Any:
    """A plain number as an array of the type that the graph declares (`tensor(int64)`): ONNX Runtime takes nothing else."""
    name = wanted.removeprefix("tensor(").removesuffix(")")
    return np.asarray(value, {"float": "float32", "double": "float64"}.get(name, name))

"""The lines that bring a row's model into memory."""

from __future__ import annotations

import ast
import re
from pathlib import PurePath

from engine.job import Configuration
from engine.result import ModelInfo
from engine.snippet.inputs import WHOLE

_ARCHITECTURE = re.compile(r"^(?P<where>.+?):(?P<name>[A-Za-z_][\w.]*)\s*(?P<arguments>\(.*\))?$", re.DOTALL)


def load_lines(model: ModelInfo, configuration: Configuration, architecture: str | None) -> list[str]:
    """Model built, weights read, moved to the device, in eval mode."""
    path, device = repr(model.path), repr(configuration.device)
    finish = f"model = model.to({_to(configuration)}).eval()"
    if model.kind == "exported-program":
        return _exported(path, configuration)
    if model.kind == "huggingface":
        name = model.architecture if model.architecture and model.architecture.isidentifier() else "AutoModel"
        lines = [f"from transformers import {name}", f"model = {name}.from_pretrained({path}, local_files_only=True, torch_dtype=torch.float32)"]
    elif model.kind == "torchscript":
        lines = [f"model = torch.jit.load({path}, map_location={device})"]
    elif model.kind == "module":
        lines = [*_lend_main(architecture), f"model = torch.load({path}, map_location={device}, weights_only=False)  # runs code that the file names"]
    else:
        lines = [*_build(architecture), *_weights(model, device)]
    return [*lines, finish]


def _exported(path: str, configuration: Configuration) -> list[str]:
    """An exported program has no modes, and devices stand in its graph."""
    lines = [f"program = torch.export.load({path})"]
    if configuration.device != "cpu":
        lines += ["from torch.export.passes import move_to_device_pass", f"program = move_to_device_pass(program, {configuration.device!r})"]
    dtype = WHOLE.get(configuration.precision)
    return [*lines, "model = program.module()" + (f".to({dtype})" if dtype else "")]


def _to(configuration: Configuration) -> str:
    dtype = WHOLE.get(configuration.precision)
    return repr(configuration.device) + (f", {dtype}" if dtype else "")


def _weights(model: ModelInfo, device: str) -> list[str]:
    keys = "".join(f"[{key!r}]" for key in (model.weights_at or "").split(".") if key)
    if model.kind == "safetensors":
        read = ["from safetensors.torch import load_file", f"weights = load_file({model.path!r}, device={device})"]
    else:
        read = [f"weights = torch.load({model.path!r}, map_location={device}, {_how(model)}){keys}"]
    return [
        *read,
        "if not weights.keys() & model.state_dict().keys():  # saved inside a wrapper such as DataParallel: take its prefix off",
        '    weights = {key.partition(".")[2]: value for key, value in weights.items()}',
        "model.load_state_dict(weights)",
    ]


def _how(model: ModelInfo) -> str:
    """Torch by itself refuses the values beside the weights for which this program has stand-ins."""
    return f"weights_only={model.weights_only and not model.trusted}"


def _build(architecture: str | None) -> list[str]:
    match = _ARCHITECTURE.match(architecture or "")
    if match is None or (arguments := _arguments(match["arguments"])) is None:
        return ["model = Network()  # replace by the class that these weights belong to"]
    where, name = match["where"], match["name"]
    return [*_import(where, name.partition(".")[0]), f"model = {name}{arguments}"]


def _arguments(text: str | None) -> str | None:
    """Literal arguments as source, None when they are anything else."""
    try:
        call = ast.parse(f"f{text or '()'}", mode="eval").body
        if not isinstance(call, ast.Call):
            return None
        for value in [*call.args, *(keyword.value for keyword in call.keywords)]:
            ast.literal_eval(value)
        return ast.unparse(call)[1:]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _import(where: str, name: str) -> list[str]:
    if not where.endswith(".py"):
        return [f"from {where} import {name}"]
    file = PurePath(where)
    if file.stem.isidentifier():
        return [f"sys.path.append({str(file.parent)!r})", f"from {file.stem} import {name}"]
    return [f"sys.path.append({str(file.parent)!r})", f"{name} = runpy.run_path({where!r})[{name!r}]"]


def _lend_main(architecture: str | None) -> list[str]:
    """A script's own classes were pickled as `__main__`'s: here they become that again."""
    match = _ARCHITECTURE.match(architecture or "")
    if match is None:
        return []
    if match["where"].endswith(".py") and not PurePath(match["where"]).stem.isidentifier():
        return [f"globals().update(runpy.run_path({match['where']!r}))"]
    return [line.rpartition(" import ")[0] + " import *" if " import " in line else line for line in _import(match["where"], "x")]

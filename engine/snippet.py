"""The lines of plain PyTorch (or ONNX Runtime) that do what one row of the results did."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from pathlib import PurePath

from engine.job import Configuration, InputSpec
from engine.result import ModelInfo

_ARCHITECTURE = re.compile(r"^(?P<where>.+?):(?P<name>[A-Za-z_][\w.]*)\s*(?P<arguments>\(.*\))?$", re.DOTALL)
_WHOLE = {"fp16": "torch.float16", "bf16": "torch.bfloat16"}
_AUTOCAST = {"amp-fp16": "torch.float16", "amp-bf16": "torch.bfloat16"}
_SWAPPABLE = "{torch.nn.Linear, torch.nn.LSTM, torch.nn.GRU, torch.nn.LSTMCell, torch.nn.GRUCell, torch.nn.RNNCell}"
_FLOATS = ("float16", "bfloat16", "float32", "float64")
_WARM_UP, _MEASURED = 10, 100


def snippet(model: ModelInfo, inputs: Iterable[InputSpec], configuration: Configuration, architecture: str | None = None) -> str:
    """A script that loads `model` and measures its median as `configuration` says; ends with a line break."""
    specs = tuple(inputs)
    make = _onnxruntime if model.kind == "onnx" or configuration.backend == "onnxruntime" else _torch
    return "\n".join(make(model, specs, configuration, architecture)) + "\n"


def _torch(model: ModelInfo, specs: tuple[InputSpec, ...], configuration: Configuration, architecture: str | None) -> list[str]:
    head = ["import statistics", "import time"]
    body = [f"torch.set_num_threads({configuration.threads})", "torch.manual_seed(0)", *_matmul(configuration)]
    body += [*_load(model, configuration, architecture), *_quantize(configuration)]
    body += [f"{name} = {_tensor(spec, configuration)}" for name, spec in _named(specs)]
    body += _timing(_call(specs), configuration)
    return [*_with_imports(head, body, ("sys", "runpy", "numpy", "torch")), "", *body]


def _with_imports(head: list[str], body: list[str], packages: tuple[str, ...]) -> list[str]:
    text = "\n".join(body)
    needed = [package for package in packages if re.search(rf"(?<![\w.'\"/]){package}\.", text)]
    standard = sorted([*head, *(f"import {package}" for package in needed if package in ("sys", "runpy"))])
    return [*standard, "", *(f"import {package}" for package in needed if package not in ("sys", "runpy"))]


def _matmul(configuration: Configuration) -> list[str]:
    if not configuration.device.startswith("cuda"):
        return []
    allowed = configuration.precision == "tf32"
    return [f"torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = {allowed}"]


def _load(model: ModelInfo, configuration: Configuration, architecture: str | None) -> list[str]:
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
    dtype = _WHOLE.get(configuration.precision)
    return [*lines, "model = program.module()" + (f".to({dtype})" if dtype else "")]


def _to(configuration: Configuration) -> str:
    dtype = _WHOLE.get(configuration.precision)
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


def _quantize(configuration: Configuration) -> list[str]:
    if configuration.quantization != "dynamic-int8":
        return []
    return [
        f"layers = {_SWAPPABLE}",
        "holder = torch.nn.Sequential(model)  # a bare root layer would be left as it is",
        "model = torch.ao.quantization.quantize_dynamic(holder, layers, dtype=torch.qint8)[0].eval()",
    ]


def _named(specs: tuple[InputSpec, ...]) -> list[tuple[str, InputSpec]]:
    """Inputs that are arrays, each with the name of its variable."""
    arrays = [spec for spec in specs if spec.scalar is None or spec.container]
    return [("x" if len(arrays) == 1 else f"x{number}", spec) for number, spec in enumerate(arrays, 1)]


def _call(specs: tuple[InputSpec, ...]) -> str:
    variables = {id(spec): name for name, spec in _named(specs)}
    values = [(spec.name, variables.get(id(spec), repr(spec.scalar))) for spec in specs]
    positional = [value for name, value in values if name is None]
    named = [f"{name}={value}" if name.isidentifier() else f"**{{{name!r}: {value}}}" for name, value in values if name is not None]
    return f"model({', '.join([*positional, *named])})"


def _nested(spec: InputSpec, leaf: Callable[[InputSpec], str]) -> str:
    """A tuple, list or dict of what `leaf` writes for its members; of a plain input, that itself."""
    if not spec.container:
        return repr(spec.scalar) if spec.scalar is not None else leaf(spec)
    parts = [_nested(part, leaf) for part in spec.parts]
    if spec.container == "dict":
        return "{" + ", ".join(f"{part.name or ''!r}: {text}" for part, text in zip(spec.parts, parts, strict=True)) + "}"
    inner = ", ".join(parts)
    return f"[{inner}]" if spec.container == "list" else f"({inner}{',' * (len(parts) == 1)})"


def _tensor(spec: InputSpec, configuration: Configuration) -> str:
    if spec.container:
        return _nested(spec, lambda leaf: _tensor(leaf, configuration))
    made = _data(spec, configuration.batch_size) if spec.data_path is not None else _random(spec, _shape(spec, configuration.batch_size))
    target = [repr(configuration.device)] if configuration.device != "cpu" else []
    target += [_WHOLE[configuration.precision]] if spec.dtype in _FLOATS and configuration.precision in _WHOLE else []
    if spec.memory_format:
        target.append("memory_format=torch.channels_last" + ("_3d" if len(spec.shape) == 5 else ""))
    return f"{made}.to({', '.join(target)})" if target else made


def _shape(spec: InputSpec, batch_size: int) -> str:
    return ", ".join(str(batch_size) if size == "B" else str(size) for size in spec.shape)


def _random(spec: InputSpec, shape: str) -> str:
    if spec.dtype == "bool":
        return f"(torch.rand([{shape}]) < 0.5)"
    if spec.dtype == "float32":
        return f"torch.randn([{shape}])"
    if spec.dtype in _FLOATS or spec.dtype.startswith("complex"):
        return f"torch.randn([{shape}], dtype=torch.{spec.dtype})"
    low, high = spec.range or (0, 1)
    return f"torch.randint({low}, {high + 1}, [{shape}], dtype=torch.{spec.dtype})"


def _data(spec: InputSpec, batch_size: int) -> str:
    path = str(spec.data_path)
    if path.endswith((".pt", ".pth")):
        return f"torch.load({path!r}, map_location='cpu', weights_only=True)[:{batch_size}]"
    return f"torch.as_tensor({_array(path, spec.name)}[:{batch_size}])"


def _array(path: str, name: str | None) -> str:
    if not path.endswith(".npz"):
        return f"numpy.load({path!r})"
    return f"numpy.load({path!r})[{name!r}]" if name else f"next(iter(numpy.load({path!r}).values()))"


def _timing(call: str, configuration: Configuration) -> list[str]:
    dtype = _AUTOCAST.get(configuration.precision)
    device_type = configuration.device.partition(":")[0]
    timed = [f"with torch.autocast({device_type!r}, dtype={dtype}):", f"    {call}"] if dtype else [call]
    if device_type != "cpu":
        timed.append(f"torch.{device_type}.synchronize({configuration.device!r})" if device_type != "mps" else "torch.mps.synchronize()")
    return ["times_ms = []", "with torch.inference_mode():", *(f"    {line}" for line in _loop(timed)), _PRINT]


def _loop(timed: list[str]) -> list[str]:
    return [
        f"for _ in range({_WARM_UP + _MEASURED}):  # the first {_WARM_UP} warm up",
        "    start = time.perf_counter()",
        *(f"    {line}" for line in timed),
        "    times_ms.append((time.perf_counter() - start) * 1000)",
    ]


_PRINT = f'print(f"p50 {{statistics.median(times_ms[{_WARM_UP}:]):.3f}} ms")'


def _onnxruntime(model: ModelInfo, specs: tuple[InputSpec, ...], configuration: Configuration, architecture: str | None) -> list[str]:
    """Needs no torch unless an input lies in a file of torch's; the graph brings its own architecture."""
    body = [
        "random = numpy.random.default_rng(0)", "options = onnxruntime.SessionOptions()", f"options.intra_op_num_threads = {configuration.threads}",
        "options.inter_op_num_threads = 1",
        f"session = onnxruntime.InferenceSession({model.path!r}, options, providers=[{_provider(configuration.device)}])",
        *(f"{name} = {_numpy_array(spec, configuration.batch_size)}" for name, spec in _named(specs)),
        *_feeds(specs), "times_ms = []", *_loop(["session.run(None, feeds)"]), _PRINT,
    ]
    return [*_with_imports(["import statistics", "import time"], body, ("numpy", "onnxruntime", "torch")), "", *body]


def _provider(device: str) -> str:
    kind, _, index = device.partition(":")
    return f"('CUDAExecutionProvider', {{'device_id': {int(index or 0)}}})" if kind == "cuda" else "'CPUExecutionProvider'"


def _feeds(specs: tuple[InputSpec, ...]) -> list[str]:
    variables = {id(spec): name for name, spec in _named(specs)}
    named = ", ".join(f"{spec.name!r}: {_feed(spec, variables)}" for spec in specs if spec.name is not None)
    positional = ", ".join(_feed(spec, variables) for spec in specs if spec.name is None)
    lines = [f"feeds = {{{named}}}"]
    if positional:
        lines.append("names = [entry.name for entry in session.get_inputs() if entry.name not in feeds]")
        lines.append(f"feeds |= zip(names, [{positional}])")
    return lines


def _feed(spec: InputSpec, variables: dict[int, str]) -> str:
    return variables.get(id(spec)) or f"numpy.array({spec.scalar!r})"


def _numpy_array(spec: InputSpec, batch_size: int) -> str:
    if spec.container:
        return _nested(spec, lambda leaf: _numpy_array(leaf, batch_size))
    if spec.data_path is not None:
        if spec.data_path.endswith((".pt", ".pth")):
            return f"{_data(spec, batch_size)}.numpy()"
        return f"{_array(spec.data_path, spec.name)}[:{batch_size}]"
    shape = f"[{_shape(spec, batch_size)}]"
    if spec.dtype == "bool":
        return f"random.random({shape}) < 0.5"
    if spec.dtype in ("float32", "float64"):
        return f"random.standard_normal({shape}, dtype=numpy.{spec.dtype})"
    if spec.dtype in _FLOATS:
        return f"random.standard_normal({shape}).astype(numpy.{spec.dtype})"
    low, high = spec.range or (0, 1)
    return f"random.integers({low}, {high + 1}, {shape}, dtype=numpy.{spec.dtype})"

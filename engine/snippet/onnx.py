"""A row as a script of ONNX Runtime."""

from __future__ import annotations

from engine.job import Configuration, InputSpec
from engine.result import ModelInfo
from engine.snippet.inputs import FLOATS, array_text, data_text, nested, shape_text, with_names
from engine.snippet.parts import PRINT, loop_lines, with_imports


def onnx_lines(model: ModelInfo, specs: tuple[InputSpec, ...], configuration: Configuration, architecture: str | None) -> list[str]:
    """Needs no torch unless an input lies in a file of torch's; the graph brings its own architecture."""
    body = [
        "random = numpy.random.default_rng(0)", "options = onnxruntime.SessionOptions()", f"options.intra_op_num_threads = {configuration.threads}",
        "options.inter_op_num_threads = 1",
        f"session = onnxruntime.InferenceSession({model.path!r}, options, providers=[{_provider(configuration.device)}])",
        *(f"{name} = {_numpy_array(spec, configuration.batch_size)}" for name, spec in with_names(specs)),
        *_feeds(specs), "times_ms = []", *loop_lines(["session.run(None, feeds)"]), PRINT,
    ]
    return [*with_imports(["import statistics", "import time"], body, ("numpy", "onnxruntime", "torch")), "", *body]


def _provider(device: str) -> str:
    kind, _, index = device.partition(":")
    return f"('CUDAExecutionProvider', {{'device_id': {int(index or 0)}}})" if kind == "cuda" else "'CPUExecutionProvider'"


def _feeds(specs: tuple[InputSpec, ...]) -> list[str]:
    variables = {id(spec): name for name, spec in with_names(specs)}
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
        return nested(spec, lambda leaf: _numpy_array(leaf, batch_size))
    if spec.data_path is not None:
        if spec.data_path.endswith((".pt", ".pth")):
            return f"{data_text(spec, batch_size)}.numpy()"
        return f"{array_text(spec.data_path, spec.name)}[:{batch_size}]"
    shape = f"[{shape_text(spec, batch_size)}]"
    if spec.dtype == "bool":
        return f"random.random({shape}) < 0.5"
    if spec.dtype in ("float32", "float64"):
        return f"random.standard_normal({shape}, dtype=numpy.{spec.dtype})"
    if spec.dtype in FLOATS:
        return f"random.standard_normal({shape}).astype(numpy.{spec.dtype})"
    low, high = spec.range or (0, 1)
    return f"random.integers({low}, {high + 1}, {shape}, dtype=numpy.{spec.dtype})"

"""A row as a script of plain PyTorch."""

from __future__ import annotations

from engine.job import Configuration, InputSpec
from engine.result import ModelInfo
from engine.snippet.inputs import tensor_text, with_names
from engine.snippet.loading import load_lines
from engine.snippet.parts import PRINT, loop_lines, with_imports
from engine.snippet.switches import TENSORS, call_lines, context_text, forward_back_lines, input_lines, module_lines

_AUTOCAST = {"amp-fp16": "torch.float16", "amp-bf16": "torch.bfloat16"}
_SWAPPABLE = "{torch.nn.Linear, torch.nn.LSTM, torch.nn.GRU, torch.nn.LSTMCell, torch.nn.GRUCell, torch.nn.RNNCell}"


def torch_lines(model: ModelInfo, specs: tuple[InputSpec, ...], configuration: Configuration, architecture: str | None) -> list[str]:
    """Load, inputs, timed loop."""
    head = ["import statistics", "import time"]
    body = [f"torch.set_num_threads({configuration.threads})", "torch.manual_seed(0)", *_matmul(configuration)]
    body += [*load_lines(model, configuration, architecture), *quantize_lines(configuration), *module_lines(configuration.options)]
    body += [f"{name} = {tensor_text(spec, configuration)}" for name, spec in with_names(specs)]
    body += [*input_lines(specs, configuration.options), *_timing(specs, configuration)]
    return [*with_imports(head, body, ("sys", "runpy", "numpy", "torch")), "", *body]


def _matmul(configuration: Configuration) -> list[str]:
    if not configuration.device.startswith("cuda"):
        return []
    allowed = configuration.precision == "tf32"
    return [f"torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = {allowed}"]


def quantize_lines(configuration: Configuration) -> list[str]:
    """Layers swapped, where the row says so."""
    if configuration.quantization != "dynamic-int8":
        return []
    return [
        f"layers = {_SWAPPABLE}",
        "holder = torch.nn.Sequential(model)  # a bare root layer would be left as it is",
        "model = torch.ao.quantization.quantize_dynamic(holder, layers, dtype=torch.qint8)[0].eval()",
    ]


def _timing(specs: tuple[InputSpec, ...], configuration: Configuration) -> list[str]:
    dtype, options = _AUTOCAST.get(configuration.precision), configuration.options
    device_type = configuration.device.partition(":")[0]
    timed = call_lines(specs, configuration)
    if dtype:
        timed = [f"with torch.autocast({device_type!r}, dtype={dtype}):", *(f"    {line}" for line in timed)]
    timed = forward_back_lines(timed, options)
    if device_type != "cpu":
        timed.append(f"torch.{device_type}.synchronize({configuration.device!r})" if device_type != "mps" else "torch.mps.synchronize()")
    head = [*(TENSORS if options.get("grad") == "backward" else ()), *(["result = None"] if options.get("grad") == "kept" else ())]
    return [*head, "times_ms = []", f"with {context_text(options)}:", *(f"    {line}" for line in loop_lines(timed)), PRINT]

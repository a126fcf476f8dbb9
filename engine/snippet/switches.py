"""The lines of a row's switches: memory format, gradients, train mode, and a batch that is run in parts."""

from __future__ import annotations

from typing import Any

from engine.inputs import leaves
from engine.job import Configuration, InputSpec
from engine.snippet.inputs import call_text, nested_at, with_names
from engine.switches import PICTURE_RANK, value_of

_CONTEXTS = {"inference": "torch.inference_mode()", "no_grad": "torch.no_grad()", "kept": "torch.enable_grad()", "backward": "torch.enable_grad()"}
_CHANNELS_LAST = "memory_format=torch.channels_last"
TENSORS = (
    "", "", "def tensors(value):", "    if isinstance(value, torch.Tensor):", "        return [value] if value.requires_grad and value.is_floating_point() else []",
    "    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()",
    "    return [tensor for part in parts for tensor in tensors(part)]", "", "",
)
"""A function that finds what there is to go backward from."""


def context_text(options: dict[str, Any]) -> str:
    """What every call runs in."""
    return _CONTEXTS[value_of(options, "grad")]


def module_lines(options: dict[str, Any]) -> list[str]:
    """The module put into its mode and memory format."""
    lines = ["model.train()"] if value_of(options, "mode") == "train" else []
    if value_of(options, "memory_format") == "channels_last":
        lines.append(f"model = model.to({_CHANNELS_LAST})")
    return lines


def input_lines(specs: tuple[InputSpec, ...], options: dict[str, Any]) -> list[str]:
    """Pictures among the inputs in the module's memory format."""
    if value_of(options, "memory_format") != "channels_last":
        return []
    return [f"{name} = {nested_at(spec, name, _channels_last)}" for name, spec in with_names(specs) if any(_may_be_picture(leaf) for leaf in leaves(spec))]


def _may_be_picture(spec: InputSpec) -> bool:
    """The sizes of what lies in a file are not known here."""
    return spec.data_path is not None or len(spec.shape) == PICTURE_RANK


def _channels_last(spec: InputSpec, place: str) -> str:
    if not _may_be_picture(spec):
        return place
    turned = f"{place}.contiguous({_CHANNELS_LAST})"
    return f"({turned} if {place}.dim() == {PICTURE_RANK} else {place})" if spec.data_path is not None else turned


def call_lines(specs: tuple[InputSpec, ...], configuration: Configuration) -> list[str]:
    """The forward: in one piece, or in parts whose outputs are put together again; `result` is kept where something is done with it."""
    parts, batch = configuration.options.get("micro_batch", 1), configuration.batch_size
    if parts == 1:
        call = call_text(specs)
        return [call] if value_of(configuration.options, "grad") not in ("kept", "backward") else [f"result = {call}"]
    size = -(-batch // parts)
    call = call_text(specs, lambda name, spec: nested_at(spec, name, _slice))
    return [
        f"parts = [{call} for part in (slice(first, first + {size}) for first in range(0, {batch}, {size}))]",
        "result = torch.cat([torch.atleast_1d(part) for part in parts]) if isinstance(parts[0], torch.Tensor) else parts",
    ]


def _slice(spec: InputSpec, place: str) -> str:
    """One part of an input, along its batch; whole where it has none."""
    axis = 0 if spec.data_path is not None else spec.shape.index("B") if "B" in spec.shape else None
    return place if axis is None else f"{place}[{':, ' * axis}part]"


def forward_back_lines(forward: list[str], options: dict[str, Any]) -> list[str]:
    """The forward with what the gradients' switch adds to it."""
    how = value_of(options, "grad")
    if how == "kept":
        return ["result = None  # the graph of the call before goes first", *forward]
    if how != "backward":
        return forward
    return [*forward, "torch.stack([tensor.float().sum() for tensor in tensors(result)]).sum().backward()", "model.zero_grad(set_to_none=True)"]

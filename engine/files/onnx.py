"""ONNX: graph, declared inputs and weights from the protocol buffer's fields."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field

from engine.files.findings import Findings
from engine.files.protobuf import BYTES, VARINT, Fields, signed
from engine.files.reading import Broken, Refused, Source, TooComplex, Truncated, clean
from engine.files.shapes import Dimension, input_specs
from engine.files.tensors import ITEM_BYTES, TensorEntry

_TYPES = {1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool", 10: "float16", 11: "float64",
          12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16", 17: "float8_e4m3fn", 18: "float8_e4m3fnuz",
          19: "float8_e5m2", 20: "float8_e5m2fnuz", 21: "uint4", 22: "int4", 23: "float4e2m1"}
# ModelProto's fields and their wire types; what breaks this is another kind of protocol buffer.
_MODEL_FIELDS = {1: VARINT, 2: BYTES, 3: BYTES, 4: BYTES, 5: VARINT, 6: BYTES, 7: BYTES, 8: BYTES, 14: BYTES, 20: BYTES, 25: BYTES, 26: BYTES}
_DEPTH = 6


@dataclass
class _Graph:
    """What was gathered while reading the graph."""

    name: str = ""
    inputs: list[tuple[str, str, list[Dimension]]] = field(default_factory=list)
    tensors: list[TensorEntry] = field(default_factory=list)
    initializers: set[str] = field(default_factory=set)
    external: set[str] = field(default_factory=set)


@dataclass
class _Tensor:
    """One TensorProto."""

    name: str = ""
    dtype: str = "unknown"
    shape: list[int] = field(default_factory=list)
    external: str | None = None


def looks_like_onnx(head: bytes) -> bool:
    """Whether a file may be an ONNX model: it begins with a small `ir_version`, or with one of the model's strings."""
    return len(head) > 4 and ((head[0] == 0x08 and 0 < head[1] < 64) or head[0] in (0x12, 0x3A, 0x42))


def read_onnx(source: Source) -> Findings:
    """What an ONNX file holds; raises Broken when it is another kind of protocol buffer, Truncated, TooComplex, Refused."""
    fields, texts, opset, graph_at, imports = Fields(source), {}, 0, None, 0
    try:
        for number, wire, value, size in fields.of(0, source.size_bytes):
            if _MODEL_FIELDS.get(number, -1) != wire:
                raise Broken("no ONNX model")
            if number in (2, 4):
                texts[number] = clean(fields.text(value, size))
            elif number == 7:
                graph_at = (value, size)
            elif number == 8:
                imports, opset = imports + 1, max(opset, _opset(fields, value, size))
    except Truncated as error:
        if imports or 2 in texts:
            raise
        raise Broken("no ONNX model") from error
    if graph_at is None or not imports:
        raise Broken("no ONNX model")
    graph = _Graph()
    _read_graph(fields, *graph_at, graph, 0)
    return _findings(source, graph, texts.get(2, ""), opset)


def _findings(source: Source, graph: _Graph, producer: str, opset: int) -> Findings:
    label = ", ".join(part for part in (clean(graph.name), f"opset {opset}", producer) if part)
    findings = Findings("onnx", architecture=label, entries=graph.tensors)
    for entry in graph.tensors:
        findings.dtypes[entry.dtype] = findings.dtypes.get(entry.dtype, 0) + math.prod(entry.shape)
    findings.weights_bytes = sum(count * ITEM_BYTES.get(dtype, 1) for dtype, count in findings.dtypes.items())
    findings.inputs = input_specs([(name, dtype, shape) for name, dtype, shape in graph.inputs if name not in graph.initializers])
    _check_external(source, graph.external)
    return findings


def _check_external(source: Source, names: set[str]) -> None:
    folder = os.path.dirname(os.path.abspath(source.path))
    for name in sorted(names):
        if os.path.isabs(name) or ".." in name.replace("\\", "/").split("/") or "\0" in name:
            raise Refused("file-onnx-data-outside", data=clean(name))
        if not os.path.isfile(os.path.join(folder, name)):
            raise Refused("file-onnx-data-missing", data=clean(name))


def _opset(fields: Fields, offset: int, length: int) -> int:
    """The version of the standard operators; 0 for another domain's."""
    version = 0
    for number, wire, value, size in fields.of(offset, length):
        if number == 1 and wire == BYTES and fields.text(value, size) not in ("", "ai.onnx"):
            return 0
        if number == 2 and wire == VARINT:
            version = value
    return version


def _read_graph(fields: Fields, offset: int, length: int, graph: _Graph, depth: int) -> None:
    if depth > _DEPTH:
        raise TooComplex
    for number, wire, value, size in fields.of(offset, length):
        if wire != BYTES:
            continue
        if number == 1:
            _read_node(fields, value, size, graph, depth)
        elif number == 2 and depth == 0:
            graph.name = fields.text(value, size)
        elif number == 5:
            tensor = _read_tensor(fields, value, size)
            graph.initializers.add(tensor.name)
            _add(graph, tensor)
        elif number == 11 and depth == 0:
            graph.inputs.append(_read_value(fields, value, size))


def _add(graph: _Graph, tensor: _Tensor) -> None:
    key = clean(tensor.name, 1000)
    graph.tensors.append(TensorEntry(key, tensor.dtype, tuple(tensor.shape), storage=f"{len(graph.tensors)}"))
    if tensor.external is not None:
        graph.external.add(tensor.external)


def _read_node(fields: Fields, offset: int, length: int, graph: _Graph, depth: int) -> None:
    """A Constant's tensor, and the graphs inside an If or a Loop."""
    kind, output, attributes = "", "", []
    for number, wire, value, size in fields.of(offset, length):
        if wire == BYTES and number == 4:
            kind = fields.text(value, size)
        elif wire == BYTES and number == 2 and not output:
            output = fields.text(value, size)
        elif wire == BYTES and number == 5:
            attributes.append((value, size))
    for at, extent in attributes:
        for number, wire, value, size in fields.of(at, extent):
            if wire == BYTES and number == 5 and kind == "Constant":
                tensor = _read_tensor(fields, value, size)
                tensor.name = output
                _add(graph, tensor)
            elif wire == BYTES and number == 6:
                _read_graph(fields, value, size, graph, depth + 1)


def _read_tensor(fields: Fields, offset: int, length: int) -> _Tensor:
    tensor = _Tensor()
    for number, wire, value, size in fields.of(offset, length):
        if number == 1 and wire == VARINT:
            tensor.shape.append(_size(value))
        elif number == 1 and wire == BYTES:
            tensor.shape += _packed(fields, value, size)
        elif number == 2 and wire == VARINT:
            tensor.dtype = _TYPES.get(value, "unknown")
        elif number == 8 and wire == BYTES:
            tensor.name = fields.text(value, size)
        elif number == 13 and wire == BYTES:
            tensor.external = _location(fields, value, size) or tensor.external
        if len(tensor.shape) > 64:
            raise Broken("too many dimensions")
    return tensor


def _size(value: int) -> int:
    if signed(value) < 0:
        raise Broken("a negative size")
    return value


def _packed(fields: Fields, offset: int, length: int) -> list[int]:
    sizes: list[int] = []
    end = offset + length
    while offset < end and len(sizes) <= 64:
        value, offset = fields.varint(offset)
        sizes.append(_size(value))
    return sizes


def _location(fields: Fields, offset: int, length: int) -> str | None:
    pair = {number: fields.text(value, size) for number, wire, value, size in fields.of(offset, length) if wire == BYTES}
    return pair.get(2) if pair.get(1) == "location" else None


def _read_value(fields: Fields, offset: int, length: int) -> tuple[str, str, list[Dimension]]:
    """A graph input: its name, type and dimensions (ValueInfoProto -> TypeProto -> Tensor)."""
    name, dtype = "", "unknown"
    shape: list[Dimension] = []
    for number, wire, value, size in fields.of(offset, length):
        if number == 1 and wire == BYTES:
            name = fields.text(value, size)
        elif number == 2 and wire == BYTES:
            for kind, inner, at, extent in fields.of(value, size):
                if kind == 1 and inner == BYTES:
                    dtype, shape = _read_type(fields, at, extent)
    return name, dtype, shape


def _read_type(fields: Fields, offset: int, length: int) -> tuple[str, list[Dimension]]:
    dtype = "unknown"
    shape: list[Dimension] = []
    for number, wire, value, size in fields.of(offset, length):
        if number == 1 and wire == VARINT:
            dtype = _TYPES.get(value, "unknown")
        elif number == 2 and wire == BYTES:
            shape = [_dimension(fields, at, extent) for one, inner, at, extent in fields.of(value, size) if one == 1 and inner == BYTES][:64]
    return dtype, shape


def _dimension(fields: Fields, offset: int, length: int) -> Dimension:
    for number, wire, value, size in fields.of(offset, length):
        if number == 1 and wire == VARINT:
            return signed(value) if signed(value) > 0 else None
        if number == 2 and wire == BYTES:
            return clean(fields.text(value, size), 40)
    return None

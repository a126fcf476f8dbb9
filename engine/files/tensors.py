"""Tensors as a pickle describes them: shape, type and place of each, and how many numbers they hold together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from engine.files.nodes import Call, Global, Node, Persistent, walk
from engine.files.reading import clean

ITEM_BYTES = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "complex32": 4, "complex64": 8, "complex128": 16, "int64": 8, "int32": 4, "int16": 2,
    "int8": 1, "uint8": 1, "uint16": 2, "uint32": 4, "uint64": 8, "bool": 1, "qint8": 1, "quint8": 1, "qint32": 4, "quint4x2": 1, "quint2x4": 1,
    "float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1, "float4_e2m1fn_x2": 1,
}
_STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16", "LongStorage": "int64",
    "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool", "UntypedStorage": "uint8",
    "ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128", "QInt8Storage": "qint8", "QUInt8Storage": "quint8",
    "QInt32Storage": "qint32", "QUInt4x2Storage": "quint4x2", "QUInt2x4Storage": "quint2x4",
}
_LARGEST = 1 << 62


class TensorEntry(msgspec.Struct, frozen=True):
    """One named tensor of a file."""

    key: str
    dtype: str
    """torch's name: `float32`, `int64`, ..."""
    shape: tuple[int, ...]
    contiguous: bool = True
    storage: str = ""
    """Tensors that share numbers name the same storage."""
    device: str = ""
    """Where it was saved, as torch names devices; empty where the format does not tell."""
    parameter: bool | None = None
    """Whether it is a parameter (else a buffer), where the file tells."""


class Storage(NamedTuple):
    """A stretch of numbers that tensors look at."""

    key: str
    dtype: str
    device: str
    numel: int

    @property
    def size_bytes(self) -> int:
        """What it takes on the disk."""
        return self.numel * ITEM_BYTES.get(self.dtype, 1)


class Tensor(NamedTuple):
    """One tensor as its rebuilding call describes it."""

    storage: Storage
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0
    parameter: bool | None = None

    @property
    def numel(self) -> int:
        """Numbers that it shows."""
        return math.prod(self.shape)

    @property
    def contiguous(self) -> bool:
        """Whether its numbers lie one after another in row order."""
        expected = 1
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if size != 1 and stride != expected:
                return self.numel == 0
            expected *= size
        return True

    @property
    def extent(self) -> int:
        """From its first number to its last in the storage, both counted."""
        return 0 if self.numel == 0 else 1 + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))


def as_tensor(node: Node) -> Tensor | None:
    """The tensor that `node` would become, or None when it is none that can be read."""
    if not (isinstance(node, Call) and isinstance(node.function, Global) and isinstance(node.arguments, tuple)):
        return None
    name, arguments = node.function.qualified, node.arguments
    if name in ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state", "torch.nn.parameter.Parameter"):
        inner = _tensor_of_call(arguments[0]) if arguments else None
        return inner._replace(parameter=True) if inner else None
    return _tensor_of_call(node)


def _tensor_of_call(node: Node) -> Tensor | None:
    if not (isinstance(node, Call) and isinstance(node.function, Global) and isinstance(node.arguments, tuple)):
        return None
    name, arguments = node.function.qualified, node.arguments
    if name == "torch._tensor._rebuild_from_type_v2" and len(arguments) >= 3 and isinstance(arguments[2], tuple):
        node = Call(arguments[0], arguments[2])
        return None if _is(arguments[0], name) else as_tensor(node)
    if name in ("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor", "torch._utils._rebuild_qtensor", "torch._utils._rebuild_tensor_v3"):
        dtype = arguments[6] if name.endswith("_v3") and len(arguments) > 6 else None
        return _plain(arguments, dtype)
    if name == "torch._utils._rebuild_meta_tensor_no_storage" and len(arguments) >= 3:
        shape, strides, dtype = numbers(arguments[1]), numbers(arguments[2]), _dtype_name(arguments[0])
        if shape is not None and strides is not None and len(shape) == len(strides):
            return Tensor(Storage(f"meta {id(node)}", dtype, "meta", 0), dtype, shape, strides)
    return None


def _is(node: Node, name: str) -> bool:
    return isinstance(node, Global) and node.qualified == name


def _plain(arguments: tuple[Node, ...], dtype: Node) -> Tensor | None:
    if len(arguments) < 4:
        return None
    storage, offset, shape, strides = as_storage(arguments[0]), arguments[1], numbers(arguments[2]), numbers(arguments[3])
    if storage is None or shape is None or strides is None or len(shape) != len(strides) or numbers((offset,)) is None:
        return None
    return Tensor(storage, _dtype_name(dtype) if dtype is not None else storage.dtype, shape, strides, offset)


def all_storages(root: Node) -> dict[str, Storage]:
    """Every storage that a described object refers to, by key; a storage within a tensor's storage is that one's own."""
    storages = (as_storage(node) for node in walk(root) if isinstance(node, Persistent))
    return {storage.key: storage for storage in storages if storage is not None}


def as_storage(node: Node) -> Storage | None:
    """The storage that a persistent id names, or that a plain pickle holds as a file of its own."""
    if isinstance(node, Call) and _is(node.function, "torch.storage._load_from_bytes"):
        inner = as_storage(node.arguments[0]) if isinstance(node.arguments, tuple) and node.arguments and isinstance(node.arguments[0], Persistent) else None
        return inner._replace(key=f"nested {id(node)}") if inner else Storage(f"nested {id(node)}", "unknown", "cpu", 0)
    id_ = node.id if isinstance(node, Persistent) else None
    if not (isinstance(id_, tuple) and len(id_) >= 5 and id_[0] == "storage" and isinstance(id_[1], Global)):
        return None
    _, kind, key, device, numel = id_[:5]
    if numbers((numel,)) is None:
        return None
    dtype = _STORAGES.get(kind.name, "unknown")
    return Storage(clean(str(key)) if isinstance(key, (str, int)) else "?", dtype, clean(device) if isinstance(device, str) else "?", numel)


def numbers(node: Node) -> tuple[int, ...] | None:
    """A tuple of sizes (or a `torch.Size` of one), or None when it is anything else."""
    if isinstance(node, Call) and _is(node.function, "torch.Size") and isinstance(node.arguments, tuple) and node.arguments:
        node = node.arguments[0]
    if isinstance(node, (tuple, list)) and len(node) <= 64 and all(type(size) is int and 0 <= size < _LARGEST for size in node):
        return tuple(node)
    return None


def _dtype_name(node: Node) -> str:
    return clean(node.name) if isinstance(node, Global) and node.module == "torch" else "unknown"


def count_values(tensors: Iterable[Tensor]) -> dict[str, int]:
    """Numbers held, by type: what several tensors look at counts once."""
    stretches: dict[tuple[str, str], dict[tuple[int, ...], Tensor]] = {}
    for tensor in tensors:
        view = (tensor.offset, tensor.extent, *tensor.shape, -1, *tensor.strides)
        stretches.setdefault((tensor.storage.key, tensor.dtype), {})[view] = tensor
    counts: dict[str, int] = {}
    for (_, dtype), views in stretches.items():
        counts[dtype] = counts.get(dtype, 0) + _count_storage(views)
    return counts


def _count_storage(views: dict[tuple[int, ...], Tensor]) -> int:
    total = end = shown = 0
    start = 0
    for view in sorted(views):
        offset, extent = view[0], view[1]
        if offset >= end:
            total, start, end, shown = total + min(shown, end - start), offset, offset, 0
        end, shown = max(end, offset + extent), shown + views[view].numel
    return total + min(shown, end - start)

"""Model files of every kind, written byte by byte: no torch needed, and nothing in them is ever imported here."""

from __future__ import annotations

import io
import json
import math
import pickle
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAGIC = 0x1950A86A20F9469CFC6C
ITEM_BYTES = {"FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "LongStorage": 8, "DoubleStorage": 8, "ByteStorage": 1}
TORCH_NAMES = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8}


@dataclass(eq=False)
class Ref:
    """The name of a global, written as it stands."""

    module: str
    name: str


@dataclass(eq=False)
class Stored:
    """A persistent id."""

    id: Any


@dataclass(eq=False)
class Made:
    """A call, with what is set on its result."""

    function: Any
    arguments: tuple[Any, ...] = ()
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)
    new: bool = False


class _Writer(pickle._Pickler):
    """Writes the classes above as opcodes."""

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Ref):
            self.write(f"c{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Stored):
            super().save(obj.id)
            self.write(b"Q")
        elif isinstance(obj, Made):
            self._save_made(obj)
        else:
            super().save(obj, save_persistent_id)

    def _save_made(self, made: Made) -> None:
        self.save(made.function)
        self.save(made.arguments)
        self.write(b"\x81" if made.new else b"R")
        if made.items:
            self.write(b"(")
            for key, value in made.items.items():
                self.save(key)
                self.save(value)
            self.write(b"u")
        if made.state is not None:
            self.save(made.state)
            self.write(b"b")


def pickled(value: Any, protocol: int = 2) -> bytes:
    """The pickle of `value`, which may be built of the classes above."""
    stream = io.BytesIO()
    _Writer(stream, protocol).dump(value)
    return stream.getvalue()


def ordered(items: dict[str, Any]) -> Made:
    """An OrderedDict."""
    return Made(Ref("collections", "OrderedDict"), (), items=items)


def tensor(key: str, *shape: int, kind: str = "FloatStorage", device: str = "cpu", strides: tuple[int, ...] | None = None, offset: int = 0,
           numel: int | None = None) -> Made:
    """A tensor over the storage `key`."""
    count = math.prod(shape) if numel is None else numel
    steps = strides or tuple(math.prod(shape[place + 1 :]) for place in range(len(shape)))
    storage = Stored(("storage", Ref("torch", kind), key, device, count))
    return Made(Ref("torch._utils", "_rebuild_tensor_v2"), (storage, offset, shape, steps, False, ordered({})))


def parameter(inner: Made) -> Made:
    """A tensor as nn.Parameter."""
    return Made(Ref("torch._utils", "_rebuild_parameter"), (inner, True, ordered({})))


def state_dict(device: str = "cpu", first: int = 0) -> Made:
    """Convolution and batch norm: 6 tensors, 3*4*9+4+4+4+4+1 = 125 numbers."""
    keys = [str(first + place) for place in range(6)]
    return ordered({
        "conv.weight": tensor(keys[0], 4, 3, 3, 3, device=device), "conv.bias": tensor(keys[1], 4, device=device),
        "norm.weight": tensor(keys[2], 4, device=device), "norm.running_mean": tensor(keys[3], 4, device=device),
        "norm.running_var": tensor(keys[4], 4, device=device), "norm.num_batches_tracked": tensor(keys[5], kind="LongStorage", device=device)})


def module(cls: Any = None, parameters: dict[str, Any] | None = None, buffers: dict[str, Any] | None = None,
           children: dict[str, Any] | None = None) -> Made:
    """A pickled nn.Module of class `cls` (by default `__main__.Net`)."""
    state = {"training": True, "_parameters": parameters or {}, "_buffers": buffers or {}, "_modules": ordered(children or {})}
    return Made(cls or Ref("__main__", "Net"), (), state=state, new=True)


def net() -> Made:
    """A module with one linear layer: 8 parameters and a buffer of 2 numbers."""
    linear = module(Ref("torch.nn.modules.linear", "Linear"), {"weight": parameter(tensor("0", 2, 3)), "bias": parameter(tensor("1", 2))})
    return module(buffers={"scale": tensor("2", 2)}, children={"linear": linear})


def storages_of(value: Any) -> dict[str, int]:
    """Key -> bytes of every storage that `value` refers to."""
    found: dict[str, int] = {}
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Stored) and isinstance(one.id, tuple) and one.id[0] == "storage":
            found[one.id[2]] = one.id[4] * ITEM_BYTES[getattr(one.id[1], "name", "FloatStorage")]
        elif isinstance(one, Made):
            waiting += [one.function, *one.arguments, one.state, *one.items.values()]
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, (list, tuple)):
            waiting += one
    return found


def zipped(value: Any, *, protocol: int = 2, prefix: str = "archive", extra: dict[str, bytes] | None = None) -> bytes:
    """What torch.save writes."""
    entries = {"data.pkl": pickled(value, protocol), "byteorder": b"little", "version": b"3\n", **(extra or {})}
    entries |= {f"data/{key}": bytes(size) for key, size in storages_of(value).items()}
    return zip_of({f"{prefix}/{name}": data for name, data in entries.items()})


def zip_of(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive of these entries."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return stream.getvalue()


def legacy(value: Any, storages: dict[str, int] | None = None) -> bytes:
    """What torch.save wrote before 1.6. Its persistent ids have a sixth part."""
    sizes = storages_of(value) if storages is None else storages
    keys = sorted(sizes)
    head = [pickled(part) for part in (MAGIC, 1001, {"protocol_version": 1001, "little_endian": True})]
    body = [pickled(value), pickled(keys)]
    return b"".join([*head, *body, *(struct.pack("<q", sizes[key] // 4) + bytes(sizes[key]) for key in keys)])


def safetensors(tensors: dict[str, tuple[str, tuple[int, ...]]], metadata: dict[str, str] | None = None) -> bytes:
    """A safetensors file of zeros: name -> (type, shape)."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name, (dtype, shape) in tensors.items():
        size = math.prod(shape) * TORCH_NAMES[dtype]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(at)


def varint(number: int) -> bytes:
    """A protocol buffer's number."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def proto(*fields: tuple[int, Any]) -> bytes:
    """A protocol buffer: numbers as varints, str and bytes as they are."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def onnx_tensor(name: str, dims: tuple[int, ...], *, raw: bytes | None = None, location: str | None = None) -> bytes:
    """A float TensorProto."""
    data = [(9, bytes(4 * math.prod(dims)) if raw is None else raw)] if location is None else [
        (13, proto((1, "location"), (2, location))), (14, 1)]
    return proto(*((1, size) for size in dims), (2, 1), (8, name), *data)


def onnx_input(name: str, dims: tuple[int | str | None, ...], type_code: int = 1) -> bytes:
    """A ValueInfoProto of a tensor; None is an unknown size."""
    shape = proto(*((1, proto() if size is None else proto((2 if isinstance(size, str) else 1, size))) for size in dims))
    return proto((1, name), (2, proto((1, proto((1, type_code), (2, shape))))))


def onnx(*, inputs: tuple[bytes, ...] = (), initializers: tuple[bytes, ...] = (), nodes: tuple[bytes, ...] = (), name: str = "graph") -> bytes:
    """A ModelProto of opset 17."""
    graph = proto(*((1, node) for node in nodes), (2, name), *((5, one) for one in initializers), *((11, one) for one in inputs))
    return proto((1, 8), (2, "by hand"), (7, graph), (8, proto((1, ""), (2, 17))))


def constant(output: str, value: bytes) -> bytes:
    """A Constant node."""
    return proto((2, output), (4, "Constant"), (5, proto((1, "value"), (20, 4), (5, value))))


def torchscript(prefix: str = "net") -> bytes:
    """An archive as torch.jit.save writes it: a linear layer with a buffer."""
    layer = Made(Ref("__torch__.nets.___torch_mangle_3", "Layer"), (), state={"training": False, "weight": tensor("0", 2, 3), "mean": tensor("1", 2)}, new=True)
    root = Made(Ref("__torch__.nets", "Net"), (), state={"training": False, "layer": layer}, new=True)
    code = 'class {0}(Module):\n  __parameters__ = [{1}]\n  __buffers__ = []\n  training : bool\n'
    return zipped(root, prefix=prefix, extra={
        "constants.pkl": pickled(()), "code/__torch__/nets.py": code.format("Net", "").encode(),
        "code/__torch__/nets/___torch_mangle_3.py": code.format("Layer", '"weight", ').encode()})


def harmful(path: Path) -> Made:
    """What would make the file `path` when it is unpickled."""
    return Made(Ref("posix", "system"), (f"touch '{path}'",))

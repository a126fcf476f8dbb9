"""safetensors: eight bytes of length, a JSON header, then the numbers."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from engine.files.findings import Findings
from engine.files.reading import Broken, Source, TooComplex, Truncated, clean
from engine.files.settings import settings_of_json
from engine.files.tensors import ITEM_BYTES, TensorEntry, numbers

HEADER_LIMIT_BYTES = 100_000_000
TENSORS_LIMIT = 200_000
_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
           "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool", "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2",
           "C64": "complex64", "F8_E8M0": "float8_e8m0fnu", "F4": "float4_e2m1fn_x2"}


def is_safetensors(head: bytes) -> bool:
    """Whether a file begins with a believable header length and a brace."""
    return len(head) > 8 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= HEADER_LIMIT_BYTES


def read_safetensors(source: Source) -> Findings:
    """What a safetensors file holds; raises Broken or Truncated."""
    findings = Findings("safetensors")
    length = int.from_bytes(source.head[:8], "little")
    data_bytes = source.size_bytes - 8 - length
    if data_bytes < 0:
        raise Truncated(-data_bytes)
    header = _header(source.read_at(8, length))
    if len(header) > TENSORS_LIMIT:
        raise TooComplex
    end = 0
    for name, described in header.items():
        if name != "__metadata__":
            entry, first, last = _entry(name, described)
            end = max(end, last)
            findings.entries.append(entry)
            findings.dtypes[entry.dtype] = findings.dtypes.get(entry.dtype, 0) + math.prod(entry.shape)
            findings.weights_bytes = (findings.weights_bytes or 0) + last - first
    if end > data_bytes:
        raise Truncated(end - data_bytes)
    findings.config = settings_of_json(header.get("__metadata__"))
    return findings


def _header(data: bytes) -> dict[str, dict[str, Any]]:
    try:
        return msgspec.json.decode(data, type=dict[str, dict[str, Any]])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Broken("the header is no JSON") from error


def _entry(name: str, described: dict[str, Any]) -> tuple[TensorEntry, int, int]:
    shape, offsets, dtype = numbers(described.get("shape")), numbers(described.get("data_offsets")), described.get("dtype")
    if shape is None or offsets is None or len(offsets) != 2 or not isinstance(dtype, str) or offsets[1] < offsets[0]:
        raise Broken(f"tensor {name} is not described")
    torch_name = _DTYPES.get(dtype, clean(dtype.lower()))
    if torch_name in ITEM_BYTES and torch_name != "float4_e2m1fn_x2" and math.prod(shape) * ITEM_BYTES[torch_name] != offsets[1] - offsets[0]:
        raise Broken(f"tensor {name} has another size than its shape")
    return TensorEntry(clean(name, 1000), torch_name, shape, storage=f"{offsets[0]}"), offsets[0], offsets[1]

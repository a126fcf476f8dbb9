"""Input specs as people write them: `x=f32[B,3,224,224]`, `i64[B,128]{0..30521}`, `16000`, `mask=@mask.npy`."""

from __future__ import annotations

import re

from engine.job import InputSpec
from engine.words import say

DTYPES = {
    "f16": "float16", "f32": "float32", "f64": "float64", "bf16": "bfloat16", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "u8": "uint8", "bool": "bool", "c64": "complex64",
}
_SHORT = {long: short for short, long in DTYPES.items()}
_NAMED = re.compile(r"^\s*([A-Za-z_][\w.:/-]*)\s*=(.*)$", re.DOTALL)
_TENSOR = re.compile(r"^([a-z]+\d*)\s*\[([^\]]*)\]\s*(?:\{\s*(-?\d+)\s*\.\.\s*(-?\d+)\s*\})?$")
_SIZE_NAME = re.compile(r"^[A-Za-z_]\w*$")
_MAX_DIMENSIONS = 16


class InputError(ValueError):
    """An input spec that cannot be read: `summary` says what is wrong with it, `hint` what to write."""

    def __init__(self, say_code: str, **values: object) -> None:
        self.say, self.values = say_code, values
        self.summary, self.hint = say(say_code, values), say("input-spec.hint")
        super().__init__(self.summary)


def parse_input(text: str) -> InputSpec:
    """The spec that `text` stands for; raises InputError."""
    named = _NAMED.match(text)
    name, body = (named[1], named[2].strip()) if named else (None, text.strip())
    if not body:
        raise InputError("input-spec-empty", text=text)
    if body.startswith("@"):
        return InputSpec(name=name, data_path=body[1:], source="given")
    if (scalar := _scalar(body)) is not None:
        return InputSpec(name=name, dtype=type(scalar).__name__, scalar=scalar, source="given")
    return _tensor(name, body)


def _scalar(body: str) -> int | float | bool | None:
    if body in ("true", "false", "True", "False"):
        return body.lower() == "true"
    for kind in (int, float):
        try:
            return kind(body)
        except ValueError:
            continue
    return None


def _tensor(name: str | None, body: str) -> InputSpec:
    match = _TENSOR.match(body)
    if match is None:
        raise InputError("input-spec-unreadable", text=body)
    if match[1] not in DTYPES:
        raise InputError("input-spec-dtype", text=body, dtype=match[1], known=" ".join(DTYPES))
    bounds = None if match[3] is None else (int(match[3]), int(match[4]))
    if bounds is not None and bounds[0] > bounds[1]:
        raise InputError("input-spec-range", text=body, low=bounds[0], high=bounds[1])
    shape = tuple(_size(part.strip(), body) for part in match[2].split(",")) if match[2].strip() else ()
    if len(shape) > _MAX_DIMENSIONS:
        raise InputError("input-spec-unreadable", text=body)
    return InputSpec(name=name, dtype=DTYPES[match[1]], shape=shape, range=bounds, source="given")


def _size(part: str, body: str) -> int | str:
    if part.isascii() and part.isdigit() and 0 < len(part) <= 12 and int(part) > 0:
        return int(part)
    if _SIZE_NAME.match(part):
        return part
    raise InputError("input-spec-size", text=body, size=part)


def format_input(spec: InputSpec) -> str:
    """The spec as `parse_input` reads it."""
    prefix = f"{spec.name}=" if spec.name else ""
    if spec.data_path is not None:
        return f"{prefix}@{spec.data_path}"
    if spec.scalar is not None:
        return f"{prefix}{spec.scalar}"
    bounds = f"{{{spec.range[0]}..{spec.range[1]}}}" if spec.range else ""
    return f"{prefix}{_SHORT.get(spec.dtype, spec.dtype)}[{','.join(str(size) for size in spec.shape)}]{bounds}"


def unknown_sizes(spec: InputSpec) -> tuple[str, ...]:
    """Names in the shape, besides the batch size, that somebody has to replace by numbers."""
    return tuple(size for size in spec.shape if isinstance(size, str) and size != "B")

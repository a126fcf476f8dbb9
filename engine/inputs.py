"""Input specs as people write them: `x=f32[B,3,224,224]`, `i64[B,128]{0..30521}`, `16000`, `h=(f32[2,B,64], f32[2,B,64])`, `mask=@mask.npy`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from engine.job import Container, InputSpec, MemoryFormat
from engine.words import say

DTYPES = {
    "f16": "float16", "f32": "float32", "f64": "float64", "bf16": "bfloat16", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "u8": "uint8", "bool": "bool", "c64": "complex64",
}
_SHORT = {long: short for short, long in DTYPES.items()}
_NAMED = re.compile(r"^\s*([A-Za-z_][\w.:/-]*)\s*=(.*)$", re.DOTALL)
_TENSOR = re.compile(r"^([a-z]+\d*)\s*\[([^\]]*)\]\s*(?:\{\s*(-?\d+)\s*\.\.\s*(-?\d+)\s*\})?\s*(?::\s*(channels_last)\s*)?$")
_SIZE_NAME = re.compile(r"^[A-Za-z_]\w*$")
_PLAIN_PATH = re.compile(r"^[^\s,:(){}\[\]\"'\\]+$")
_OPENING: tuple[tuple[str, str, Container], ...] = (("list(", ")", "list"), ("(", ")", "tuple"), ("[", "]", "list"), ("{", "}", "dict"))
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_MAX_DIMENSIONS = 16
_MAX_DEPTH = 8
CHANNELS_LAST_RANKS = (4, 5)


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
    return _value(name, body, _MAX_DEPTH)


def _value(name: str | None, body: str, depth: int) -> InputSpec:
    for opening, closing, container in _OPENING:
        if body.startswith(opening) and body.endswith(closing):
            if depth == 0:
                raise InputError("input-spec-unreadable", text=body[:80])
            return InputSpec(name=name, container=container, parts=tuple(_parts(body[len(opening) : -1], body, container, depth - 1)), source="given")
    if body.startswith("@"):
        return InputSpec(name=name, data_path=_path(body), source="given")
    if (scalar := _scalar(body)) is not None:
        return InputSpec(name=name, dtype=type(scalar).__name__, scalar=scalar, source="given")
    return _tensor(name, body)


def _parts(inner: str, body: str, container: Container, depth: int) -> Iterator[InputSpec]:
    """Members of a tuple, list or dict; one comma may stand after the last."""
    members = list(_split(inner, body))
    if not members[-1].strip():
        members.pop()
    for member in members:
        key, value = _keyed(member, body) if container == "dict" else (None, member)
        if not value.strip():
            raise InputError("input-spec-empty", text=body)
        yield _value(key, value.strip(), depth)


def _split(inner: str, body: str) -> Iterator[str]:
    """The text at its outermost commas."""
    start = 0
    for at in _outermost(inner, body, ","):
        yield inner[start:at]
        start = at + 1
    yield inner[start:]


def _outermost(inner: str, body: str, wanted: str) -> Iterator[int]:
    """Where `wanted` stands outside all brackets and quotes; raises InputError where brackets do not match."""
    expected: list[str] = []
    quoted = escaped = False
    for at, letter in enumerate(inner):
        if quoted:
            quoted, escaped = letter != '"' or escaped, letter == "\\" and not escaped
        elif letter == '"':
            quoted = True
        elif letter in _PAIRS:
            expected.append(_PAIRS[letter])
        elif letter in ")]}":
            if not expected or expected.pop() != letter:
                raise InputError("input-spec-unreadable", text=body)
        elif letter == wanted and not expected:
            yield at
    if quoted or expected:
        raise InputError("input-spec-unreadable", text=body)


def _keyed(member: str, body: str) -> tuple[str, str]:
    at = next(_outermost(member, body, ":"), None)
    if at is None:
        raise InputError("input-spec-key", text=body, member=member.strip())
    key = member[:at].strip()
    if key.startswith('"'):
        return _unquoted(key), member[at + 1 :]
    if not key.replace("-", "_").replace(".", "_").isidentifier():
        raise InputError("input-spec-key", text=body, member=member.strip())
    return key, member[at + 1 :]


def _unquoted(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError("input-spec-unreadable", text=text) from error
    if not isinstance(found, str):
        raise InputError("input-spec-unreadable", text=text)
    return found


def _path(body: str) -> str:
    path = _unquoted(body[1:].strip()) if body[1:].lstrip().startswith('"') else body[1:]
    if not path:
        raise InputError("input-spec-empty", text=body)
    return path


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
    memory_format: MemoryFormat = "channels_last" if match[5] else ""
    if memory_format and len(shape) not in CHANNELS_LAST_RANKS:
        raise InputError("input-spec-channels-last", text=body, dimensions=len(shape))
    return InputSpec(name=name, dtype=DTYPES[match[1]], shape=shape, range=bounds, source="given", memory_format=memory_format)


def _size(part: str, body: str) -> int | str:
    if part.isascii() and part.isdigit() and 0 < len(part) <= 12 and int(part) > 0:
        return int(part)
    if _SIZE_NAME.match(part):
        return part
    raise InputError("input-spec-size", text=body, size=part)


def format_input(spec: InputSpec) -> str:
    """The spec as `parse_input` reads it."""
    prefix = f"{spec.name}=" if spec.name else ""
    if spec.data_path is not None and not spec.container:
        return f"{prefix}@{spec.data_path}"
    return prefix + _body(spec)


def _body(spec: InputSpec) -> str:
    if spec.container == "dict":
        return "{" + ", ".join(f"{_key(part.name or '')}: {_body(part)}" for part in spec.parts) + "}"
    if spec.container:
        inner = ", ".join(_body(part) for part in spec.parts)
        return f"[{inner}]" if spec.container == "list" else f"({inner})"
    if spec.data_path is not None:
        return "@" + (spec.data_path if _PLAIN_PATH.match(spec.data_path) else json.dumps(spec.data_path, ensure_ascii=False))
    if spec.scalar is not None:
        return str(spec.scalar)
    bounds = f"{{{spec.range[0]}..{spec.range[1]}}}" if spec.range else ""
    layout = f":{spec.memory_format}" if spec.memory_format else ""
    return f"{_SHORT.get(spec.dtype, spec.dtype)}[{','.join(str(size) for size in spec.shape)}]{bounds}{layout}"


def _key(name: str) -> str:
    return name if name.replace("-", "_").replace(".", "_").isidentifier() else json.dumps(name, ensure_ascii=False)


def leaves(spec: InputSpec) -> Iterator[InputSpec]:
    """Tensors, numbers and files that an input is made of: itself, or those inside its container."""
    if not spec.container:
        yield spec
    for part in spec.parts:
        yield from leaves(part)


def takes_batch(specs: Iterable[InputSpec]) -> bool:
    """Whether the batch size changes anything: some size is B, or the rows come from a file; no inputs at all are yet to be found."""
    every = [leaf for spec in specs for leaf in leaves(spec)]
    return not every or any("B" in leaf.shape or leaf.data_path is not None for leaf in every)


def unknown_sizes(spec: InputSpec) -> tuple[str, ...]:
    """Names in the shape, besides the batch size, that somebody has to replace by numbers."""
    return tuple(size for leaf in leaves(spec) for size in leaf.shape if isinstance(size, str) and size != "B")

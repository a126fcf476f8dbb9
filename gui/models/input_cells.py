"""Cells of the table of inputs: how an input is written in them, and what becomes of it when one is changed."""

from __future__ import annotations

import re

import msgspec

from engine.inputs import DTYPES, InputError, format_input, parse_input
from engine.job import InputSpec
from gui import text

NAME, TYPE, SHAPE, RANGE, SOURCE = range(5)
COLUMNS = ("name", "type", "shape", "range", "source")
NUMBER = "number"
_SHORT = {long: short for short, long in DTYPES.items()}
_SIZES = re.compile(r"[\w\s,]*")
_KEYWORD = re.compile(r"[A-Za-z_][\w.:/-]*")
_PUNCTUATION = str.maketrans("，：；（）｛｝［］【】", ",:;(){}[][]")


def type_text(spec: InputSpec) -> str:
    """What stands in the type column."""
    if spec.container:
        return text.say(f"inputs.type.{spec.container}")
    if spec.data_path is not None:
        return text.say("inputs.type.file")
    return text.say("inputs.type.number") if spec.scalar is not None else _SHORT.get(spec.dtype, spec.dtype)


def type_choices() -> list[tuple[str, str]]:
    """(what stands in the list, what is set) for the type column."""
    return [*((short, short) for short in DTYPES), (text.say("inputs.type.number"), NUMBER)]


def value_text(spec: InputSpec) -> str:
    """What stands in the shape column: sizes, or what is given in place of a tensor."""
    if not spec.container and spec.scalar is None and spec.data_path is None:
        return ",".join(str(size) for size in spec.shape)
    return format_input(msgspec.structs.replace(spec, name=None))


def is_tensor(spec: InputSpec) -> bool:
    """Whether it is one tensor, made up by the program."""
    return not spec.container and spec.scalar is None and spec.data_path is None


def takes_range(spec: InputSpec) -> bool:
    """Whether a smallest and a largest value may be given."""
    return is_tensor(spec) and (spec.range is not None or "int" in spec.dtype)


def changed(spec: InputSpec, column: int, typed: str) -> InputSpec:
    """The input with one cell changed; raises InputError."""
    made = {NAME: _named, TYPE: _typed, SHAPE: _shaped, RANGE: _ranged}[column](spec, typed.translate(_PUNCTUATION) if not typed.startswith("@") else typed)
    return msgspec.structs.replace(made, source="given", ran=False)


def _named(spec: InputSpec, typed: str) -> InputSpec:
    if typed and not _KEYWORD.fullmatch(typed):
        raise InputError("input-spec-unreadable", text=typed)
    return msgspec.structs.replace(spec, name=typed or None)


def _typed(spec: InputSpec, typed: str) -> InputSpec:
    if typed in (NUMBER, text.say("inputs.type.number")):
        return spec if spec.scalar is not None else InputSpec(name=spec.name, dtype="int", scalar=1)
    if typed not in DTYPES:
        raise InputError("input-spec-dtype", text=typed, dtype=typed, known=" ".join(DTYPES))
    if not is_tensor(spec):
        return InputSpec(name=spec.name, dtype=DTYPES[typed], shape=("B",))
    return msgspec.structs.replace(spec, dtype=DTYPES[typed], range=spec.range if "int" in DTYPES[typed] else None)


def _shaped(spec: InputSpec, typed: str) -> InputSpec:
    """Sizes alone change the shape; anything else is a whole input as the command line writes it."""
    if is_tensor(spec) and _SIZES.fullmatch(typed) and typed:
        made = parse_input(f"{_SHORT.get(spec.dtype, spec.dtype)}[{typed}]")
        keeps_layout = len(made.shape) == len(spec.shape)
        return msgspec.structs.replace(made, name=spec.name, range=spec.range, memory_format=spec.memory_format if keeps_layout else "")
    if is_tensor(spec) and typed.startswith("[") and typed.endswith("]") and _SIZES.fullmatch(typed[1:-1]):
        return _shaped(spec, typed[1:-1] or ",")
    made = parse_input(typed)
    return made if made.name else msgspec.structs.replace(made, name=spec.name)


def _ranged(spec: InputSpec, typed: str) -> InputSpec:
    if not typed:
        return msgspec.structs.replace(spec, range=None)
    return msgspec.structs.replace(spec, range=parse_input(f"i64[B]{{{typed.strip('{}')}}}").range)

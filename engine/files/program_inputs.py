"""Inputs that an exported program declares: the signature's user inputs, put into the shape of the call that was traced."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from engine.files.reading import Broken, clean
from engine.job import InputSpec

_SYMBOL = re.compile(r"(?:Symbol\('(\w+)'.*\)|([A-Za-z_]\w*))$", re.DOTALL)
_DEPTH = 8
Tree = dict[str, Any]
"""A node of torch's tree of arguments: type, context, children_spec."""


def declared_inputs(program: dict[str, Any], dtypes: dict[int, str]) -> tuple[InputSpec, ...]:
    """One spec for each argument of the call: positional ones without a name, then those by keyword; empty where the file does not tell."""
    try:
        leaves = list(_leaves(program, dtypes))
        positional, keyword = _arguments(program)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise Broken("the program's signature") from error
    if positional is None:
        return tuple(leaves)
    given = iter(leaves)
    specs = [*(_grown(child, None, given, 0) for child in positional), *(_grown(child, name, given, 0) for name, child in keyword)]
    known = [spec for spec in specs if spec is not None]
    return tuple(known) if len(known) == len(specs) and next(given, None) is None else tuple(leaves)


def _leaves(program: dict[str, Any], dtypes: dict[int, str]) -> Iterator[InputSpec]:
    """The user's tensors and numbers in the order of the call."""
    module = program.get("graph_module") or {}
    graph = module.get("graph") or {}
    tensors, batch = graph.get("tensor_values") or {}, _batch_symbols(module, graph)
    for spec in (module.get("signature") or {}).get("input_specs", ()):
        (kind, content), = spec.items()
        if kind == "user_input":
            yield _user_input(content["arg"], tensors, dtypes, batch)
        elif kind == "constant_input":
            yield _scalar(content["value"])


def _user_input(argument: dict[str, Any], tensors: dict[str, Any], dtypes: dict[int, str], batch: str | None) -> InputSpec:
    (kind, value), = argument.items()
    if kind != "as_tensor":
        return _scalar({kind: value})
    meta = tensors[value["name"]]
    sizes = tuple(_size(size, place, batch) for place, size in enumerate(meta["sizes"]))
    return InputSpec(dtype=dtypes.get(meta["dtype"], "unknown"), shape=sizes, source="declared")


def _scalar(value: dict[str, Any]) -> InputSpec:
    """A plain number; None and texts have no place in a spec, and are left to the program's own default."""
    (kind, content), = value.items()
    if isinstance(content, dict):
        content = content.get("hint") or content.get("as_int")
        content = next(iter(content.values()), None) if isinstance(content, dict) else content
    if isinstance(content, (bool, int, float)) and kind != "as_none":
        return InputSpec(dtype=type(content).__name__, scalar=content, source="declared")
    return InputSpec(dtype="unknown", source="declared")


def _batch_symbols(module: dict[str, Any], graph: dict[str, Any]) -> str | None:
    """The symbol of the first open first size: the batch."""
    for spec in (module.get("signature") or {}).get("input_specs", ()):
        name = ((spec.get("user_input") or {}).get("arg") or {}).get("as_tensor", {}).get("name")
        sizes = (graph.get("tensor_values") or {}).get(name, {}).get("sizes") or [{}]
        if (symbol := _symbol(sizes[0])) is not None:
            return symbol
    return None


def _symbol(size: dict[str, Any]) -> str | None:
    expression = size.get("as_expr")
    match = _SYMBOL.match(str(expression.get("expr_str"))) if isinstance(expression, dict) else None
    return (match[1] or match[2]) if match else None


def _size(size: dict[str, Any], place: int, batch: str | None) -> int | str:
    """A fixed size, B for the batch, and for another open one the size that it was traced with, else a name."""
    if type(fixed := size.get("as_int")) is int and fixed >= 0:
        return fixed
    symbol = _symbol(size)
    if symbol is not None and symbol == batch:
        return "B"
    hint = ((size.get("as_expr") or {}).get("hint") or {}).get("as_int")
    return hint if type(hint) is int and hint > 0 else clean(symbol or f"D{place}", 40)


def _arguments(program: dict[str, Any]) -> tuple[list[Tree] | None, list[tuple[str, Tree]]]:
    """The positional arguments' trees and those given by keyword; (None, []) where the call's form is not recorded."""
    calls = (program.get("graph_module") or {}).get("module_call_graph") or []
    signature = next((call.get("signature") for call in calls if call.get("fqn") == ""), None)
    if not signature or not signature.get("in_spec"):
        return None, []
    _, root = json.loads(signature["in_spec"])
    positional, keyword = root["children_spec"]
    return positional["children_spec"], list(zip(_keys(keyword), keyword["children_spec"], strict=True))


def _keys(tree: Tree) -> list[str]:
    keys = json.loads(tree["context"]) if isinstance(tree["context"], str) else tree["context"]
    return [clean(str(key)) for key in keys or []]


def _grown(tree: Tree, name: str | None, leaves: Iterator[InputSpec], depth: int) -> InputSpec | None:
    """One argument with its leaves put in; None for a form that specs do not have, such as a class of the user's."""
    if tree["type"] is None:
        leaf = next(leaves, None)
        return leaf and InputSpec(name=name, dtype=leaf.dtype, shape=leaf.shape, scalar=leaf.scalar, source="declared")
    container = str(tree["type"]).removeprefix("builtins.")
    if container not in ("tuple", "list", "dict") or depth > _DEPTH:
        return None
    names: list[str | None] = [*_keys(tree)] if container == "dict" else [None] * len(tree["children_spec"])
    parts = [_grown(child, inner, leaves, depth + 1) for inner, child in zip(names, tree["children_spec"], strict=True)]
    known = tuple(part for part in parts if part is not None)
    return InputSpec(name=name, container=container, parts=known, source="declared") if len(known) == len(parts) else None  # type: ignore[arg-type]

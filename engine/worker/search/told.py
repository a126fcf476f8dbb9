"""What the source of a class tells about an argument: values that it is compared with, keys that it looks up."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from engine.classes import SourceError, last_name, parse_source

Told = dict[str, list[Any]]


def told_values(maker: Callable[..., Any]) -> Told:
    """Strings and numbers by argument, as the source of a class or function names them; empty where there is no source."""
    try:
        path = inspect.getsourcefile(maker)
        tree = parse_source(path) if path else None
    except (TypeError, OSError, SourceError):
        return {}
    name = getattr(maker, "__name__", "")
    node = next((each for each in tree.body if isinstance(each, ast.ClassDef | ast.FunctionDef) and each.name == name), None) if tree else None
    return _read(node, _constants(tree, node)) if tree is not None and node is not None else {}


def _constants(tree: ast.Module, owner: ast.AST) -> dict[str, list[Any]]:
    """Keys of every dict that is assigned to a name, in the file or in the class; the elements of a list."""
    found: dict[str, list[Any]] = {}
    for node in [*tree.body, *ast.walk(owner)]:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if values := _values(node.value, {}):
                    found[last_name(target)] = values
    return found


def _values(node: ast.expr, constants: dict[str, list[Any]]) -> list[Any]:
    """Plain values in a dict's keys, a list, a tuple, a set, or a name for one of them."""
    if isinstance(node, ast.Dict):
        parts: list[Any] = node.keys
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        parts = node.elts
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys":
        return _values(node.func.value, constants)
    else:
        return constants.get(last_name(node), [])
    return [part.value for part in parts if isinstance(part, ast.Constant) and type(part.value) in (str, int)]


def _read(owner: ast.ClassDef | ast.FunctionDef, constants: dict[str, list[Any]]) -> Told:
    told: Told = {}
    for node in ast.walk(owner):
        for name, values in _tells(node, constants):
            known = told.setdefault(name, [])
            known += [value for value in values if value not in known]
    return {name: values[:60] for name, values in told.items() if name and values}


def _tells(node: ast.AST, constants: dict[str, list[Any]]) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(node, ast.Compare):
        for one, other in ((node.left, node.comparators[0]), (node.comparators[0], node.left)):
            single = [other.value] if isinstance(other, ast.Constant) and type(other.value) in (str, int) else _values(other, constants)
            yield last_name(one), single
    elif isinstance(node, ast.Subscript):
        yield last_name(node.slice), _values(node.value, constants)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        yield last_name(node.args[0]), _values(node.func.value, constants)
    elif isinstance(node, ast.Match):
        yield last_name(node.subject), [value for case in node.cases for value in _matched(case.pattern)]
    elif isinstance(node, ast.arg) and isinstance(node.annotation, ast.Subscript) and last_name(node.annotation.value) == "Literal":
        chosen = node.annotation.slice
        parts = chosen.elts if isinstance(chosen, ast.Tuple) else [chosen]
        yield node.arg, [part.value for part in parts if isinstance(part, ast.Constant) and type(part.value) in (str, int)]


def _matched(pattern: ast.pattern) -> list[Any]:
    if isinstance(pattern, ast.MatchOr):
        return [value for each in pattern.patterns for value in _matched(each)]
    value = pattern.value if isinstance(pattern, ast.MatchValue) else None
    return [value.value] if isinstance(value, ast.Constant) and type(value.value) in (str, int) else []

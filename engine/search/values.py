"""Values as far as they can be told from source: numbers, lists that are being filled, layers, and what is not known."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from engine.search.layers import ANY_NUMBER, Arguments, Tree, anything, tensor

_LARGEST = 1 << 40
_LONGEST = 512


class _Unknown:
    """A value that the source does not tell."""

    def __repr__(self) -> str:
        return "?"


UNKNOWN: Any = _Unknown()


class ClassOf(NamedTuple):
    """A class of the same file, or a layer of torch's, handed about as a value."""

    name: str


class Filled(NamedTuple):
    """A tensor that belongs to nobody yet: only Parameter and register_buffer make it part of a module."""

    tree: Tree


class Choice(NamedTuple):
    """One of several values: which one is decided at run time."""

    values: tuple[Any, ...]


class Items:
    """A list or tuple: its first values in order, and what may come any number of times."""

    def __init__(self, values: list[Any] | None = None, many: list[Any] | None = None) -> None:
        self.values, self.many = list(values or ()), list(many or ())

    def append(self, value: Any) -> None:
        """One more value."""
        (self.many or self.values).append(value)

    def extend(self, value: Any) -> None:
        """The values of another list, or any number of unknown ones."""
        if isinstance(value, Items):
            for each in value.values:
                self.append(each)
            self.many += value.many
        else:
            self.many.append(UNKNOWN)
        del self.values[_LONGEST:], self.many[_LONGEST:]

    def fill(self, value: Any, several: bool, certain: bool) -> None:
        """`append` or `extend`, on a line that may run any number of times."""
        if several and certain:
            self.extend(value)
        elif certain:
            self.append(value)
        else:
            self.many += value.values + value.many if several and isinstance(value, Items) else [value]
            del self.many[_LONGEST:]

    def known(self) -> list[Any] | None:
        """The values, when it is known how many there are."""
        return None if self.many else self.values

    def all(self) -> list[Any]:
        """Everything that is or may be in it."""
        return self.values + self.many


def literal(node: ast.expr) -> Any:
    """A constant, list or dict as it is written; lists as Items."""
    try:
        return _itemised(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return UNKNOWN


def _itemised(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return Items([_itemised(each) for each in value[:_LONGEST]])
    return {key: _itemised(each) for key, each in value.items()} if isinstance(value, dict) else value


def trees(value: Any) -> list[Tree]:
    """The layers in a value."""
    if isinstance(value, Tree):
        return [value]
    found = value.all() if isinstance(value, Items) else value.values if isinstance(value, Choice) else []
    return [each for part in found for each in trees(part)]


def container(name: str, arguments: Arguments) -> Tree | None:
    """Sequential, ModuleList, ModuleDict and ParameterList around their arguments; None for any other name."""
    if name not in ("Sequential", "ModuleList", "ModuleDict", "ParameterList"):
        return None
    only = arguments.positional[0] if len(arguments.positional) == 1 else None
    if isinstance(only, dict):
        return _named_children(only.items())
    items = only if isinstance(only, Items) else Items(arguments.positional)
    if pairs := [each.known() for each in items.values if isinstance(each, Items)]:
        return _named_children((pair[0], pair[1]) for pair in pairs if pair is not None and len(pair) == 2)
    return _numbered(items)


def _named_children(pairs: Any) -> Tree:
    tree = Tree()
    for name, value in pairs:
        for each in trees(value):
            if isinstance(name, str):
                tree.add(name, each)
            else:
                tree.add_pattern(name if isinstance(name, re.Pattern) else re.compile(r"[^.]+"), each)
    return tree


def _numbered(items: Items) -> Tree:
    """Children by number as long as it is known; from there on any number may be any of the rest."""
    tree = Tree()
    for number, value in enumerate(items.values):
        found = trees(value)
        for each in found or [anything()]:
            tree.add(str(number), each, required=len(found) == 1 and not isinstance(value, Choice))
    for value in items.many:
        for each in trees(value) or [anything()]:
            tree.add_pattern(ANY_NUMBER, each)
    return tree


def either(one: Any, other: Any) -> Any:
    """One of two values."""
    if one is other or (type(one) is type(other) and not isinstance(one, Items | dict) and one == other):
        return one
    if isinstance(one, Items) and isinstance(other, Items):
        return one      # a list that both branches fill is the same list, most often
    options = [each for value in (one, other) for each in (value.values if isinstance(value, Choice) else (value,))]
    if not any(isinstance(each, Tree | ClassOf) for each in options):
        return UNKNOWN
    return Choice(tuple(each for each in options if isinstance(each, Tree | ClassOf))[:8])


_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}


def combine(how: ast.operator, left: Any, right: Any, certain: bool) -> Any:
    """An arithmetic operation on small integers, or lists put together."""
    if isinstance(left, Items) and isinstance(how, ast.Add):
        joined = Items(left.values, left.many)
        joined.fill(right, True, certain)
        return joined
    if isinstance(left, Items) and isinstance(how, ast.Mult):
        return Items(many=left.all())
    if type(how) not in _OPERATORS or not all(type(each) is int and abs(each) < _LARGEST for each in (left, right)):
        return UNKNOWN
    try:
        return _OPERATORS[type(how)](left, right)
    except ZeroDivisionError:
        return UNKNOWN


def unary(how: ast.unaryop, value: Any) -> Any:
    """Minus a number, or not a truth."""
    if isinstance(how, ast.USub) and type(value) in (int, float):
        return -value
    return not value if isinstance(how, ast.Not) and isinstance(value, bool | int | str | None) else UNKNOWN


def item(value: Any, key: Any) -> Any:
    """An element of a list or dict."""
    if isinstance(value, dict):
        return value.get(key, UNKNOWN) if isinstance(key, str | int) else UNKNOWN
    known = value.known() if isinstance(value, Items) else None
    return known[key] if known is not None and type(key) is int and -len(known) <= key < len(known) else UNKNOWN


def compare(left: Any, how: list[ast.cmpop], right: list[Any]) -> Any:
    """Equality of plain values; None asked for by `is`."""
    plain = (bool, int, str, type(None))
    if len(how) != 1 or not isinstance(left, plain) or not isinstance(right[0], plain):
        return UNKNOWN
    if isinstance(how[0], ast.Eq | ast.Is):
        return left == right[0]
    return left != right[0] if isinstance(how[0], ast.NotEq | ast.IsNot) else UNKNOWN


def builtin(name: str, arguments: Arguments, dotted: bool) -> Any:
    """Tensors that torch fills, and some of Python's own functions; None for any other."""
    if name in ("zeros", "ones", "empty", "randn", "rand", "full") and dotted:
        sizes = arguments.get(0, "size")
        known = (sizes.known() if isinstance(sizes, Items) else arguments.positional) or []
        return Filled(tensor(*known) if known else Tree(is_tensor=True))
    if name in {"OrderedDict", "dict"}:
        return _pairs(arguments)
    if name in ("list", "tuple") and isinstance(arguments.get(0), Items):
        return arguments.get(0)
    if name in ("len", "int", "range", "max", "min", "sum", "zip", "enumerate", "isinstance", "str", "float", "bool", "round", "print", "getattr"):
        return UNKNOWN
    return None


def _pairs(arguments: Arguments) -> Any:
    if isinstance(arguments.get(0), dict):
        return arguments.get(0)
    return arguments.get(0) if isinstance(arguments.get(0), Items) else dict(arguments.named)

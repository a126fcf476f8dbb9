"""What is handed over to functions and containers while their source is followed."""

from __future__ import annotations

import ast
import re
from typing import Any

from engine.search import values
from engine.search.layers import ANY_NUMBER, Arguments, Tree, anything, unknown_tensor
from engine.search.values import UNKNOWN, Choice, Filled, Items


def method_of(node: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    """A class's own method."""
    return next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == name), None)


def bound(node: ast.FunctionDef, arguments: Arguments, skip: int, bind_defaults: bool, evaluate: Any) -> dict[str, Any]:
    """Names of the function's arguments with what was handed over; a default counts only where the caller is in the source too."""
    positional = [*node.args.posonlyargs, *node.args.args]
    given = [*[None] * (len(positional) - len(node.args.defaults)), *node.args.defaults]
    pairs = [*list(zip(positional, given, strict=True))[skip:], *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]
    names = {argument.arg: evaluate(default) if default is not None and bind_defaults else UNKNOWN for argument, default in pairs}
    names |= dict(zip([argument.arg for argument, _ in pairs], arguments.positional, strict=False))
    if node.args.vararg is not None:
        names[node.args.vararg.arg] = Items(arguments.positional[len(positional) - skip :]) if arguments.positional else UNKNOWN
    return names | {name: value for name, value in arguments.named.items() if name in names}


def recognisable(value: Any) -> Any:
    """A value by which the same call is known again; layers and lists are the same only when they are one object."""
    return f"{type(value).__name__} {id(value)}" if isinstance(value, Tree | Choice | Items) else value


def with_lists(arguments: Arguments) -> Arguments:
    """Items whose length is known as plain lists: kernels and normalised shapes."""
    plain = [each.known() if isinstance(each, Items) else each for each in arguments.positional]
    return Arguments(plain, {name: value.known() if isinstance(value, Items) else value for name, value in arguments.named.items()})


def tensor_of(value: Any) -> Tree:
    """What becomes of a tensor that is made a parameter or a buffer."""
    return value.tree if isinstance(value, Filled) else unknown_tensor()


def fill(receiver: Tree | Items, how: str, arguments: Arguments, certain: bool) -> None:
    """`append` and its like on a list of layers, or on a container; `add_module` and `register_...` on a module."""
    value = arguments.get(1 if how.startswith(("add", "register", "insert")) else 0, "module", "param", "tensor", default=UNKNOWN)
    if isinstance(receiver, Items):
        receiver.fill(value, how == "extend", certain)
        return
    name = arguments.get(0, "name")
    child = value if isinstance(value, Tree) else tensor_of(value) if how in ("register_buffer", "register_parameter") else anything()
    if how in ("append", "extend", "insert"):
        for each in values.trees(value):
            receiver.add_pattern(ANY_NUMBER, each)
    elif isinstance(name, str):
        receiver.add(name, child, required=certain and isinstance(value, Tree))
    else:
        receiver.add_pattern(name if isinstance(name, re.Pattern) else re.compile(r"[^.]+"), child)

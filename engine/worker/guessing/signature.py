"""What a forward takes: its parameters, and what its source does with each of them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass, field
from typing import Any

import torch

_CONTAINERS = {"tuple": "tuple", "Tuple": "tuple", "list": "list", "List": "list", "Sequence": "list", "dict": "dict", "Dict": "dict", "Mapping": "dict"}
_NUMBERS = {"int": int, "float": float, "bool": bool}


@dataclass
class Parameter:
    """One parameter of forward."""

    name: str
    required: bool = True
    keyword_only: bool = False
    annotation: str = ""
    """`int`, `float`, `bool`, `tuple`, `list`, `dict`; empty for a tensor or when it is not said."""
    default: Any = None
    layers: list[str] = field(default_factory=list)
    """Names of the modules that the source hands it to."""
    keys: dict[str, Parameter] = field(default_factory=dict)
    """What the source looks up in it by text: it is a dictionary."""
    members: list[Parameter] = field(default_factory=list)
    """What the source unpacks it into: it is a tuple."""


@dataclass
class Signature:
    """The parameters that are filled by position or by name, in order."""

    parameters: list[Parameter]
    open_ended: bool = False
    """It takes *args or **kwargs, so the list is not all."""

    @property
    def required(self) -> list[Parameter]:
        """Those without a default."""
        return [parameter for parameter in self.parameters if parameter.required]

    def __str__(self) -> str:
        """As Python writes it: `x, mask=None`."""
        return ", ".join(one.name if one.required else f"{one.name}={one.default!r}"[:60] for one in self.parameters) or "-"


def signature_of(module: Any) -> Signature:
    """Read from Python's forward or from TorchScript's schema."""
    if isinstance(module, torch.jit.ScriptModule):
        return _scripted(module)
    try:
        found = inspect.signature(module.forward)
    except (TypeError, ValueError):
        return Signature([], open_ended=True)
    made = [_parameter(one) for one in found.parameters.values() if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    signature = Signature(made, any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in found.parameters.values()))
    _follow(module, signature)
    return signature


def _parameter(found: inspect.Parameter) -> Parameter:
    required = found.default is found.empty
    default = None if required else found.default
    annotation = _kind(found.annotation) or ("" if default is None or isinstance(default, bool) else type(default).__name__ if type(default) in (int, float) else "")
    if isinstance(default, bool):
        annotation = "bool"
    return Parameter(found.name, required, found.kind is found.KEYWORD_ONLY, annotation, default)


def _kind(annotation: Any) -> str:
    """`int`, `tuple` ... from an annotation that may be a class, a generic or a text."""
    if annotation is inspect.Parameter.empty:
        return ""
    origin = getattr(annotation, "__origin__", annotation)
    text = annotation if isinstance(annotation, str) else getattr(origin, "__name__", str(origin))
    head = text.partition("[")[0].rpartition(".")[2].strip()
    return head if head in _NUMBERS else _CONTAINERS.get(head, "")


def _scripted(module: Any) -> Signature:
    try:
        arguments = module.forward.schema.arguments[1:]
    except (AttributeError, RuntimeError):
        return Signature([], open_ended=True)
    made = []
    for argument in arguments:
        text = str(argument.type)
        optional = argument.has_default_value()
        made.append(Parameter(argument.name, not optional, argument.kwarg_only, _kind(text), argument.default_value if optional else None))
        if made[-1].annotation == "tuple":
            made[-1].members = [Parameter(f"{argument.name}{number}") for number in range(text.count("Tensor"))]
    return Signature(made)


def _follow(module: Any, signature: Signature) -> None:
    """Fill in what the source does with each parameter; without source nothing is filled in."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(type(module).forward)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return
    by_name = {parameter.name: parameter for parameter in signature.parameters}
    for node in ast.walk(tree):
        _take_apart(node, by_name)
    _Routes(by_name).visit(tree)


class _Routes(ast.NodeVisitor):
    """Goes through forward in its order: once a parameter's name holds what a layer made, it is the parameter no more."""

    def __init__(self, by_name: dict[str, Parameter]) -> None:
        self._by_name = dict(by_name)

    def visit_Call(self, node: ast.Call) -> None:
        """Note what goes into a module of self."""
        if path := _self_path(node.func):
            for given in [*node.args, *(keyword.value for keyword in node.keywords)]:
                _route(given, path, self._by_name)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """The value first; then its names are others, where a module of self made it."""
        self.visit(node.value)
        if any(isinstance(inner, ast.Call) and _self_path(inner.func) for inner in ast.walk(node.value)):
            for name in (one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)):
                self._by_name.pop(name, None)


def _take_apart(node: ast.AST, by_name: dict[str, Parameter]) -> None:
    """`batch["image"]` makes a dictionary of `batch`, `a, b = pair` a tuple of `pair`, whose members have names of their own from there."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
        parameter = by_name.get(node.value.id)
        if parameter is not None and isinstance(node.slice.value, str):
            parameter.keys.setdefault(node.slice.value, Parameter(node.slice.value))
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and isinstance(node.targets[0], ast.Tuple):
        parameter, names = by_name.get(node.value.id), [one.id for one in node.targets[0].elts if isinstance(one, ast.Name)]
        if parameter is not None and len(names) == len(node.targets[0].elts) and not parameter.members:
            parameter.members = [Parameter(name) for name in names]
            by_name.update({member.name: member for member in parameter.members if member.name not in by_name})


def _route(given: ast.expr, path: str, by_name: dict[str, Parameter]) -> None:
    """Note that what `given` is made of goes into the module at `path`."""
    for name, key in _names(given):
        parameter = by_name.get(name)
        if parameter is not None and key is not None:
            parameter = parameter.keys.get(key)
        if parameter is not None and path not in parameter.layers:
            parameter.layers.append(path)


def _self_path(function: ast.expr) -> str:
    """`encoder.conv` of a call to `self.encoder.conv(...)`; empty for any other call."""
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    return ".".join(reversed(parts)) if isinstance(function, ast.Name) and function.id == "self" else ""


def _names(given: ast.expr) -> list[tuple[str, str | None]]:
    """Names that an argument is made of: `x`, `x.float()`, `batch["x"]`; what went through another layer of self is not counted."""
    if isinstance(given, ast.Call) and _self_path(given.func):
        return []
    if isinstance(given, ast.Subscript) and isinstance(given.value, ast.Name) and isinstance(given.slice, ast.Constant) and isinstance(given.slice.value, str):
        return [(given.value.id, given.slice.value)]
    if isinstance(given, ast.Name):
        return [(given.id, None)]
    return [name for child in ast.iter_child_nodes(given) if isinstance(child, ast.expr) for name in _names(child)]

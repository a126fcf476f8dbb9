"""Texts that torch.export evaluates while it loads a program (sizes by sympy, guards by exec): what they would call, found by parsing only."""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from collections.abc import Iterator

Name = tuple[str, str]
"""Module and name of what would be called, as `engine.files.danger` grades it."""
_TEXT_LIMIT = 4_000
EVALUATED = ("builtins", "eval")
"""Stands for a text of which nobody can say what it does."""
_PLAIN_NODES = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Constant, ast.Load, ast.Tuple, ast.List, ast.keyword,
                ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.Name, ast.Subscript)
_FUNCTIONS = frozenset((
    "Symbol", "Integer", "Rational", "Float", "Mod", "Max", "Min", "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "And", "Or", "Not", "Pow", "Add", "Mul", "Abs", "floor",
    "ceiling", "Piecewise", "ITE", "sqrt", "log", "log2", "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan",
    "FloorDiv", "ModularIndexing", "Where", "PythonMod", "CleanDiv", "CeilDiv", "CeilToInt", "FloorToInt", "IntTrueDiv", "FloatTrueDiv", "TruncToInt",
    "TruncToFloat", "RoundToInt", "RoundDecimal", "ToFloat", "Identity", "PowByNatural", "FloatPow", "LShift", "RShift",
    "IsNonOverlappingAndDenseIndicator", "BitwiseFn_bitwise_and", "BitwiseFn_bitwise_or", "BitwiseFn_bitwise_xor",
    "OpaqueUnaryFn_sqrt", "OpaqueUnaryFn_log2", "OpaqueUnaryFn_exp", "OpaqueUnaryFn_log",
    "abs", "max", "min", "int", "float", "bool", "len", "round", "sum", "pow", "cast_symbool_to_symint_guardless",
))
_METHODS = frozenset(("size", "stride", "dim", "numel", "storage_offset", "ndim", "shape", "floor", "ceil", "sqrt", "trunc", "log2", "inf", "is_integer"))
_SYMBOL = re.compile(r"[A-Za-z_]\w*$")


def called_by(text: str, *, names_are_keys: bool = False) -> Iterator[Name]:
    """What evaluating `text` would reach beyond sizes and arithmetic; `names_are_keys` where strings only name inputs (guards)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval") if len(text) <= _TEXT_LIMIT else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    if tree is None:
        yield EVALUATED
        return
    for node in ast.walk(tree):
        yield from _of_node(node, names_are_keys)


def _of_node(node: ast.AST, names_are_keys: bool) -> Iterator[Name]:
    if isinstance(node, ast.Call):
        if not isinstance(node.func, (ast.Name, ast.Attribute)):
            yield EVALUATED
        elif isinstance(node.func, ast.Name) and node.func.id not in _FUNCTIONS:
            yield _named(node.func.id)
    elif isinstance(node, ast.Attribute):
        if node.attr.startswith("_"):
            yield EVALUATED
        elif node.attr not in _METHODS:
            yield "sympy", node.attr
    elif not isinstance(node, _PLAIN_NODES) or (isinstance(node, ast.Name) and node.id.startswith("__")) or _is_text(node, names_are_keys):
        yield EVALUATED


def _is_text(node: ast.AST, names_are_keys: bool) -> bool:
    """Whether it is a string that is no symbol's name: sympy would evaluate it again."""
    return isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and not names_are_keys and not _SYMBOL.match(str(node.value))


def _named(name: str) -> Name:
    return ("builtins", name) if hasattr(builtins, name) else ("sympy", name)

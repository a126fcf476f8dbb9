"""Classes and builders that a Python file defines, found by reading its source: nothing in it is imported or run."""

from __future__ import annotations

import ast
import tokenize
import warnings
from pathlib import Path
from typing import Any

import msgspec

SOURCE_LIMIT_BYTES = 4 << 20
_MODULE_BASES = {
    "Module", "Sequential", "ModuleList", "ModuleDict", "ScriptModule", "LightningModule", "PreTrainedModel", "ReparametrizedModule",
}


class SourceError(Exception):
    """The file's classes cannot be read; `code` is `source-unreadable`, `source-too-large`, `source-not-python` or `source-nothing`."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


class Argument(msgspec.Struct, frozen=True):
    """One argument of a constructor; `default` is its source, None when it must be given."""

    name: str
    default: str | None = None


class ClassEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A class, or a function that builds a model, at the top level of the file."""

    name: str
    line: int
    is_module: bool = False
    """Probably an nn.Module: by its bases, followed through the classes of this file."""
    is_function: bool = False
    arguments: tuple[Argument, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the arguments without a default."""
        return tuple(argument.name for argument in self.arguments if argument.default is None)


def list_classes(path: str) -> list[ClassEntry]:
    """What `path` offers as an architecture: probable nn.Modules first, then other classes, then functions; each in the file's order."""
    tree = parse_source(path)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    modules = module_names(classes)
    entries = [_class_entry(node, node.name in modules) for node in classes]
    entries += [_function_entry(node) for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    if not entries:
        raise SourceError("source-nothing", name=Path(path).name)
    return sorted(entries, key=lambda entry: (not entry.is_module, entry.is_function, entry.line))


def parse_source(path: str, limit_bytes: int = SOURCE_LIMIT_BYTES) -> ast.Module:
    """The file's syntax tree; raises SourceError for whatever keeps it from being read."""
    name = Path(path).name
    try:
        if Path(path).stat().st_size > limit_bytes:
            raise SourceError("source-too-large", name=name)
        with tokenize.open(path) as file:
            source = file.read()
    except OSError as error:
        raise SourceError("source-unreadable", name=name, reason=error.strerror or str(error)) from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise SourceError("source-not-python", name=name, line=getattr(error, "lineno", None) or 1) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in somebody's file is not our business
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SourceError("source-not-python", name=name, line=getattr(error, "lineno", None) or 1) from error


def module_names(classes: list[ast.ClassDef]) -> set[str]:
    """Names of the classes that are probably nn.Modules, by their bases, followed through the file."""
    modules: set[str] = set()
    for _ in classes:  # a base may stand below its heirs only in broken files, but a chain may be as long as the list
        found = {node.name for node in classes if any(last_name(base) in _MODULE_BASES | modules for base in node.bases)}
        if found == modules:
            break
        modules = found
    return modules


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name; empty for any other expression."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return last_name(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _class_entry(node: ast.ClassDef, is_module: bool) -> ClassEntry:
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            return ClassEntry(name=node.name, line=node.lineno, is_module=is_module, arguments=_arguments(item.args, skip=1))
    return ClassEntry(name=node.name, line=node.lineno, is_module=is_module)


def _function_entry(node: ast.FunctionDef) -> ClassEntry:
    return ClassEntry(name=node.name, line=node.lineno, is_function=True, arguments=_arguments(node.args, skip=0))


def _arguments(arguments: ast.arguments, skip: int) -> tuple[Argument, ...]:
    positional = [*arguments.posonlyargs, *arguments.args]
    given: list[ast.expr | None] = [*[None] * (len(positional) - len(arguments.defaults)), *arguments.defaults]
    pairs = [*list(zip(positional, given, strict=True))[skip:], *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    return tuple(Argument(name=argument.arg, default=None if default is None else ast.unparse(default)) for argument, default in pairs)

"""`--arch` as people write it: `package.module:callable`, `path/to/file.py:callable`, optionally `(with=literals)`."""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path
from typing import Any

import msgspec

from engine.words import say

_SPEC = re.compile(r"^(?P<where>.+?):(?P<name>[A-Za-z_][\w.]*)\s*(?P<arguments>\(.*\))?$", re.DOTALL)


class ArchitectureError(ValueError):
    """An architecture spec that cannot be read or found; `summary` and `hint` are for the user."""

    def __init__(self, say_code: str, **values: object) -> None:
        self.say, self.values = say_code, values
        self.summary, self.hint = say(say_code, values), say("architecture.hint")
        super().__init__(self.summary)


class Architecture(msgspec.Struct, frozen=True):
    """A callable that builds the network: in a file or an importable module, with literal arguments."""

    where: str
    """Absolute path of a Python file, or a module's dotted name."""
    name: str
    positional: tuple[Any, ...] = ()
    named: dict[str, Any] = {}
    arguments: str = ""
    """The arguments as they were written, parentheses and all."""

    @property
    def spec(self) -> str:
        """The same again as text, from whatever folder it is read."""
        return f"{self.where}:{self.name}{self.arguments}"

    @property
    def is_file(self) -> bool:
        """Whether the class lies in a file rather than in an installed module."""
        return self.where.endswith(".py")


def parse_architecture(text: str, folder: Path | None = None) -> Architecture:
    """What `text` names; a relative file path is taken from `folder`. Raises ArchitectureError; imports nothing."""
    match = _SPEC.match(text.strip())
    if match is None:
        raise ArchitectureError("architecture-unreadable", text=text)
    positional, named = _literals(match["arguments"] or "()", text)
    where = match["where"]
    if where.endswith(".py"):
        where = _class_file(where, folder)
    elif not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", where):
        raise ArchitectureError("architecture-unreadable", text=text)
    return Architecture(where, match["name"], positional, named, match["arguments"] or "")


def _class_file(where: str, folder: Path | None) -> str:
    """The absolute path of the class file, which must exist."""
    try:
        path = ((folder or Path.cwd()) / where).resolve()
        found = path.is_file()
    except (OSError, RuntimeError, ValueError) as error:    # a name too long, links in a ring, a zero byte
        raise ArchitectureError("architecture-no-file", file=where) from error
    if not found:
        raise ArchitectureError("architecture-no-file", file=where)
    return str(path)


def _literals(arguments: str, text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")     # an odd escape in a string is the user's own
            call = ast.parse(f"f{arguments}", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or any(keyword.arg is None for keyword in call.keywords):
            raise ValueError("not a call")
        if len({keyword.arg for keyword in call.keywords}) < len(call.keywords):
            raise ValueError("a keyword twice")
        return tuple(ast.literal_eval(value) for value in call.args), {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise ArchitectureError("architecture-not-literal", text=text) from error

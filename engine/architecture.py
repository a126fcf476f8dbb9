"""`--arch` as people write it: `package.module:callable`, `path/to/file.py:callable`, optionally `(with=literals)`."""

from __future__ import annotations

import ast
import re
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
        path = ((folder or Path.cwd()) / where).resolve()
        if not path.is_file():
            raise ArchitectureError("architecture-no-file", file=where)
        where = str(path)
    elif not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", where):
        raise ArchitectureError("architecture-unreadable", text=text)
    return Architecture(where, match["name"], positional, named)


def _literals(arguments: str, text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    try:
        call = ast.parse(f"f{arguments}", mode="eval").body
        if not isinstance(call, ast.Call) or any(keyword.arg is None for keyword in call.keywords):
            raise ValueError("not a call")
        return tuple(ast.literal_eval(value) for value in call.args), {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ArchitectureError("architecture-not-literal", text=text) from error

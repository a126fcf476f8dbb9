"""What a pickle describes, as values of our own: names, calls and dicts that never become the objects they stand for."""

from __future__ import annotations

from typing import Any

Node = Any
"""None, bool, int, float, str, bytes, tuple, list, Blob, or one of the classes below."""


class Global:
    """The name of something that unpickling would import."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    @property
    def qualified(self) -> str:
        """Module and name with a dot between."""
        return f"{self.module}.{self.name}"


class Persistent:
    """A reference to what lies outside the pickle; torch's storages."""

    __slots__ = ("id",)

    def __init__(self, id: Node) -> None:
        self.id = id


class Mapping:
    """A dict as pairs in their order; keys may be anything."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[Node, Node]] | None = None) -> None:
        self.pairs = pairs if pairs is not None else []


class Call:
    """What unpickling would call, with arguments, and what it would set on the result afterwards."""

    __slots__ = ("arguments", "function", "pairs", "state", "values")

    def __init__(self, function: Node, arguments: Node) -> None:
        self.function, self.arguments = function, arguments
        self.state: Node = None
        self.pairs: list[tuple[Node, Node]] = []
        self.values: list[Node] = []


class Program:
    """What one pickle describes: its root, every global in the order of appearance, and whether weights-only loading knows its opcodes."""

    __slots__ = ("globals", "plain", "root")

    def __init__(self, root: Node, names: list[tuple[str, str]], plain: bool) -> None:
        self.root, self.globals, self.plain = root, names, plain

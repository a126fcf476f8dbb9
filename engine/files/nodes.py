"""What a pickle describes, as values of our own: names, calls and dicts that never become the objects they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.files.reading import TooComplex

VISITS_LIMIT = 2_000_000
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


def walk(root: Node) -> Iterator[Node]:
    """`root` and everything in it, once each; raises TooComplex when there is no end to it."""
    seen, waiting = {id(root)}, [root]
    while waiting:
        node = waiting.pop()
        yield node
        for child in _parts(node):
            if isinstance(child, (list, tuple, Mapping, Call, Persistent)) and id(child) not in seen:
                seen.add(id(child))
                waiting.append(child)
        if len(seen) > VISITS_LIMIT:
            raise TooComplex


def _parts(node: Node) -> list[Node]:
    if isinstance(node, (list, tuple)):
        return list(node)
    if isinstance(node, Mapping):
        return [part for pair in node.pairs for part in pair]
    if isinstance(node, Call):
        return [node.function, node.arguments, node.state, *node.values, *(part for pair in node.pairs for part in pair)]
    return [node.id] if isinstance(node, Persistent) else []

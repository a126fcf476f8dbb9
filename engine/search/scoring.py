"""How well what the source promises agrees with the keys of a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.search.layers import Shape, Tree

Keys = Iterable[tuple[str, tuple[int, ...]]]
_UNTOLD = 0.5
"""What a key is worth that lies where the source does not tell anything."""
_RANK_ONLY, _NAME_ONLY = 0.95, 0.9
_OTHER_SHAPE = 0.2
_STEPS = 50_000
_COUNTER = "num_batches_tracked"


@dataclass(eq=False)
class Node:
    """The keys of a file as a tree of their dotted parts."""

    shape: tuple[int, ...] | None = None
    count: int = 0
    children: dict[str, Node] = field(default_factory=dict)


def key_tree(keys: Keys) -> Node:
    """All keys but counters, by their parts."""
    root = Node()
    for key, shape in keys:
        parts = key.split(".")
        if parts[-1] == _COUNTER or len(parts) > 60:
            continue
        node = root
        node.count += 1
        for part in parts:
            node = node.children.setdefault(part, Node())
            node.count += 1
        node.shape = shape
    return root


def score(tree: Tree, root: Node) -> float:
    """Share of keys that the source explains, 0..1: keys of the file that it has no place for, and places without a key, count against it."""
    match = _Match()
    credit, missing = match.compare(tree, root, 0)
    whole = root.count + missing
    return round(min(1.0, credit / whole), 4) if whole else 0.0


class _Match:
    """One comparison, with an end."""

    def __init__(self) -> None:
        self._steps = _STEPS
        self._counts: dict[int, int] = {}

    def compare(self, tree: Tree, node: Node, depth: int) -> tuple[float, int]:
        """Credit for the keys below `node`, and how many of the tree's own are not among them."""
        self._steps -= 1
        if self._steps < 0:
            return 0.0, 0
        credit = _tensor_credit(tree, node.shape) if node.shape is not None else 0.0
        missing = 0
        for name, child in node.children.items():
            gained, lacking = self._best(tree, name, child, depth)
            credit, missing = credit + gained, missing + lacking
        missing += sum(self._promised(tree.children[name]) for name in tree.required - node.children.keys())
        return credit, missing

    def _best(self, tree: Tree, name: str, node: Node, depth: int) -> tuple[float, int]:
        found = [self.compare(child, node, depth + 1) for child in tree.below(name)]
        if found:
            return max(found, key=lambda each: each[0] - each[1])
        return (_UNTOLD * node.count if tree.is_open else 0.0), 0

    def _promised(self, tree: Tree) -> int:
        """How many tensors there must be below; a part that stands in many places is counted through once."""
        if tree.is_tensor:
            return 1
        if id(tree) not in self._counts:
            self._counts[id(tree)] = 0      # a tree that holds itself ends here
            self._counts[id(tree)] = sum(self._promised(tree.children[name]) for name in tree.required)
        return self._counts[id(tree)]


def _tensor_credit(tree: Tree, shape: tuple[int, ...]) -> float:
    if not tree.is_tensor:
        return _UNTOLD if tree.is_open else 0.0
    return _shape_credit(tree.shape, shape)


def _shape_credit(promised: Shape | None, shape: tuple[int, ...]) -> float:
    if promised is None:
        return _NAME_ONLY
    if len(promised) != len(shape) or any(size is not None and size != there for size, there in zip(promised, shape, strict=True)):
        return _OTHER_SHAPE
    return 1.0 if None not in promised else _RANK_ONLY


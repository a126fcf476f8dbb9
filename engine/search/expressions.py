"""The value of an expression in source, as far as it can be told without running anything."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

from engine.classes import last_name
from engine.search import values
from engine.search.layers import Tree, is_layer
from engine.search.values import UNKNOWN, ClassOf, Items

STEPS = 60_000


class Enough(Exception):
    """The source costs more to follow than any honest one."""


@dataclass(eq=False)
class Frame:
    """One function that is being followed: its names, the module whose constructor it is, and whether a line is run at all, and once."""

    names: dict[str, Any]
    owner: ast.ClassDef | None = None
    tree: Tree | None = None
    certain: bool = True
    returned: Any = None
    own: dict[str, Any] = field(default_factory=dict)
    """Plain values kept under `self`."""


class Expressions:
    """Evaluates the expressions of one file, within a number of steps."""

    def __init__(self, tree: ast.Module) -> None:
        self.classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self.constants = {
            target.id: node.value
            for node in tree.body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)
        }
        self.steps_left = STEPS

    def step(self) -> None:
        """One more; raises Enough."""
        self.steps_left -= 1
        if self.steps_left < 0:
            raise Enough

    def call(self, node: ast.Call, frame: Frame, depth: int) -> Any:
        """What a call returns."""
        raise NotImplementedError

    def evaluate(self, node: ast.expr | None, frame: Frame, depth: int) -> Any:
        """The value, or UNKNOWN."""
        self.step()
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._named(node.id, frame)
        if isinstance(node, ast.Tuple | ast.List):
            return self.items(node.elts, frame, depth)
        if isinstance(node, ast.Dict):
            return self._dict(node, frame, depth)
        if isinstance(node, ast.Call):
            return self.call(node, frame, depth)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, frame)
        if isinstance(node, ast.ListComp | ast.GeneratorExp):
            return self._comprehension(node, frame, depth)
        return self._operation(node, frame, depth)

    def _operation(self, node: ast.expr | None, frame: Frame, depth: int) -> Any:
        if isinstance(node, ast.BinOp):
            return values.combine(node.op, self.evaluate(node.left, frame, depth), self.evaluate(node.right, frame, depth), frame.certain)
        if isinstance(node, ast.IfExp):
            return values.either(self.evaluate(node.body, frame, depth), self.evaluate(node.orelse, frame, depth))
        if isinstance(node, ast.Subscript):
            return values.item(self.evaluate(node.value, frame, depth), self.evaluate(node.slice, frame, depth))
        if isinstance(node, ast.JoinedStr):
            return pattern_of(node)
        if isinstance(node, ast.UnaryOp):
            return values.unary(node.op, self.evaluate(node.operand, frame, depth))
        if isinstance(node, ast.Compare):
            return values.compare(self.evaluate(node.left, frame, depth), node.ops, [self.evaluate(each, frame, depth) for each in node.comparators])
        return UNKNOWN

    def _named(self, name: str, frame: Frame) -> Any:
        if name in frame.names:
            return frame.names[name]
        if name in self.classes or (is_layer(name) and name not in self.constants):
            return ClassOf(name)
        return self.value_of_constant(self.constants[name]) if name in self.constants else UNKNOWN

    def value_of_constant(self, node: ast.expr) -> Any:
        """A default, or a value at the top level of the file."""
        return values.literal(node)

    def _attribute(self, node: ast.Attribute, frame: Frame) -> Any:
        """What is kept under `self`, a layer's class (`nn.ReLU`), or a constant of one of the file's classes (`Block.expansion`)."""
        owner = last_name(node.value)
        if owner == "self":
            kept = frame.tree.children.get(node.attr, UNKNOWN) if frame.tree is not None else UNKNOWN
            return frame.own.get(node.attr, kept)
        if is_layer(node.attr):
            return ClassOf(node.attr)
        known = self._named(owner, frame) if isinstance(node.value, ast.Name) else UNKNOWN
        holder = self.classes.get(known.name) if isinstance(known, ClassOf) else None
        for item in holder.body if holder is not None else ():
            if isinstance(item, ast.Assign) and any(isinstance(target, ast.Name) and target.id == node.attr for target in item.targets):
                return values.literal(item.value)
        return UNKNOWN

    def items(self, nodes: list[ast.expr], frame: Frame, depth: int) -> Items:
        """Elements in order, those behind a star too."""
        items = Items()
        for node in nodes:
            if isinstance(node, ast.Starred):
                items.extend(self.evaluate(node.value, frame, depth))
            else:
                items.append(self.evaluate(node, frame, depth))
        return items

    def _dict(self, node: ast.Dict, frame: Frame, depth: int) -> dict[Any, Any]:
        found = {}
        for key, value in zip(node.keys, node.values, strict=True):
            name = self.evaluate(key, frame, depth) if key is not None else UNKNOWN
            if isinstance(name, str | int):
                found[name] = self.evaluate(value, frame, depth)
        return found

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp, frame: Frame, depth: int) -> Items:
        inner = Frame(dict(frame.names), frame.owner, frame.tree, False, None, frame.own)
        for generator in node.generators:
            for each in ast.walk(generator.target):
                if isinstance(each, ast.Name):
                    inner.names[each.id] = UNKNOWN
        return Items(many=[self.evaluate(node.elt, inner, depth)])


def pattern_of(node: ast.JoinedStr) -> re.Pattern[str]:
    """An f-string as a pattern: what is put in may be anything short."""
    parts = [re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[^.]{1,40}" for part in node.values]
    return re.compile("".join(parts))

"""What the classes of a Python file will hold, read from its source: constructors are followed, nothing is run."""

from __future__ import annotations

import ast
import re
from typing import Any

from engine.classes import last_name, parse_source
from engine.search import values
from engine.search.binding import bound, fill, method_of, recognisable, tensor_of, with_lists
from engine.search.expressions import STEPS, Enough, Expressions, Frame
from engine.search.layers import Arguments, Tree, anything, known_layer
from engine.search.values import UNKNOWN, Choice, ClassOf, Items

_DEPTH = 10
_PASSING = {"weight_norm", "spectral_norm"}
_NO_BUILDER = re.compile(r"_|(train|main|load|test|eval|fit|run|export|convert|demo|infer|predict|save|bench)(_|$|[A-Z])")
_WORKING = {"backward", "step", "load_state_dict", "load", "save", "load_state_dict_from_url", "add_argument", "parse_args"}
_NESTED_SELF = {"append", "extend", "insert", "add_module", "register_module", "register_parameter", "register_buffer"}
Function = ast.FunctionDef


class SourceFile(Expressions):
    """One parsed file: ask for what a class of it, or a function that builds one, will hold."""

    def __init__(self, path: str, limit_bytes: int) -> None:
        tree = parse_source(path, limit_bytes)
        super().__init__(tree)
        self.functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self._kept: dict[tuple[Any, ...], tuple[Tree, Arguments]] = {}
        """Trees by class and arguments; the arguments are held so that nothing else gets their identity."""

    def tree_of_class(self, name: str) -> Tree:
        """What an instance will hold; as far as it could be followed."""
        self.steps_left = STEPS
        tree = Tree()
        self._construct(self.classes[name], tree, Arguments([], {}), 0, bind_defaults=False)
        return tree

    def needs_arguments(self, name: str) -> bool:
        """Whether a class of the file cannot be built as it is."""
        maker = method_of(self.classes[name], "__init__")
        if maker is None:
            return False
        given = len(maker.args.args) + len(maker.args.posonlyargs) - len(maker.args.defaults)
        return given > 1 or None in maker.args.kw_defaults

    def builders(self) -> list[str]:
        """Functions that may do nothing but build: not by name, nor by what they call, do they load, train or save."""
        return [name for name, node in self.functions.items() if _NO_BUILDER.match(name) is None and not any(
            isinstance(each, ast.Call) and last_name(each.func) in _WORKING for each in ast.walk(node))]

    def tree_of_function(self, name: str) -> Tree | None:
        """What the model that the function returns will hold; None when it returns something else."""
        self.steps_left = STEPS
        node = self.functions[name]
        frame = Frame(bound(node, Arguments([], {}), skip=0, bind_defaults=False, evaluate=self.value_of_constant))
        try:
            self._run(node.body, frame, 0)
        except (Enough, RecursionError):
            return None
        return frame.returned if isinstance(frame.returned, Tree) and not frame.returned.is_open else None

    # -- classes ------------------------------------------------------------------------------------------------------

    def _construct(self, node: ast.ClassDef, tree: Tree, arguments: Arguments, depth: int, bind_defaults: bool = True) -> None:
        """Follow the constructor, or the base's where there is none; what cannot be followed leaves the tree as it is."""
        maker = method_of(node, "__init__")
        try:
            if maker is None:
                self._construct_base(node, tree, arguments, depth)
                return
            names = bound(maker, arguments, skip=1, bind_defaults=bind_defaults, evaluate=self.value_of_constant)
            self._run(maker.body, Frame(names, node, tree), depth)
        except (Enough, RecursionError):
            return

    def _construct_base(self, node: ast.ClassDef, tree: Tree, arguments: Arguments, depth: int) -> None:
        for base in node.bases:
            name = last_name(base)
            if name in self.classes and name != node.name and depth < _DEPTH:
                self._construct(self.classes[name], tree, arguments, depth + 1)
            elif name in ("Sequential", "ModuleList") and isinstance(made := values.container(name, arguments), Tree):
                for child in made.children:
                    tree.add(child, made.children[child])
                tree.patterns += made.patterns
            elif name and name not in ("Module", "object", "LightningModule", "ABC", "Generic", "PreTrainedModel", "Protocol"):
                tree.is_open = True     # an imported base may hold anything

    def _instance(self, name: str, arguments: Arguments, depth: int) -> Tree:
        """A tree for a class of the file, made once for the same arguments; a class inside itself may hold anything."""
        key = (name, repr([recognisable(each) for each in arguments.positional]), repr({key: recognisable(value) for key, value in arguments.named.items()}))
        if key in self._kept:
            return self._kept[key][0]
        if depth >= _DEPTH:
            return anything()
        self._kept[key] = anything(), arguments
        tree = Tree()
        self._construct(self.classes[name], tree, arguments, depth + 1)
        self._kept[key] = tree, arguments
        return tree

    # -- statements ---------------------------------------------------------------------------------------------------

    def _run(self, body: list[ast.stmt], frame: Frame, depth: int) -> None:
        for statement in body:
            self.step()
            if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
                self._assign(statement, frame, depth)
            elif isinstance(statement, ast.Expr):
                self.evaluate(statement.value, frame, depth)
            elif isinstance(statement, ast.Return):
                returned = self.evaluate(statement.value, frame, depth) if statement.value else UNKNOWN
                frame.returned = returned if frame.returned is None or isinstance(returned, Tree) else frame.returned
            elif isinstance(statement, ast.If):
                self._branch(statement, frame, depth)
            else:
                self._block(statement, frame, depth)

    def _branch(self, statement: ast.If, frame: Frame, depth: int) -> None:
        test = self.evaluate(statement.test, frame, depth)
        if test is not UNKNOWN and not isinstance(test, Tree | Items):
            self._run(statement.body if test else statement.orelse, frame, depth)
            return
        certain, frame.certain = frame.certain, False
        before = dict(frame.names)
        self._run(statement.body, frame, depth)
        after, frame.names = frame.names, before
        self._run(statement.orelse, frame, depth)
        frame.names |= {name: values.either(frame.names.get(name, UNKNOWN), value) for name, value in after.items()}
        frame.certain = certain

    def _block(self, statement: ast.stmt, frame: Frame, depth: int) -> None:
        """Loops, `with` and `try`: once through each body; what a loop changes is not known."""
        is_loop = isinstance(statement, ast.For | ast.While)
        if not isinstance(statement, ast.For | ast.While | ast.With | ast.Try):
            return
        certain = frame.certain
        if is_loop:
            frame.certain = False
            changed = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
            frame.names |= {name: UNKNOWN for name in changed if not isinstance(frame.names.get(name), Items)}
        for part in ("body", "orelse", "finalbody"):
            self._run(getattr(statement, part, []), frame, depth)
        for handler in getattr(statement, "handlers", []):
            frame.certain = False
            self._run(handler.body, frame, depth)
        frame.certain = certain

    def _assign(self, statement: ast.Assign | ast.AnnAssign | ast.AugAssign, frame: Frame, depth: int) -> None:
        value = self.evaluate(statement.value, frame, depth) if statement.value is not None else UNKNOWN
        if isinstance(statement, ast.AugAssign):
            old = self.evaluate(statement.target, frame, depth)
            value = values.combine(statement.op, old, value, frame.certain)
        for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            self._store(target, value, frame)

    def _store(self, target: ast.expr, value: Any, frame: Frame) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            parts = value.known() if isinstance(value, Items) else None
            for place, each in enumerate(target.elts):
                self._store(each, parts[place] if parts is not None and place < len(parts) else UNKNOWN, frame)
        elif isinstance(target, ast.Name):
            frame.names[target.id] = value
        elif isinstance(target, ast.Attribute) and last_name(target.value) == "self":
            self._store_own(target.attr, value, frame)

    def _store_own(self, name: str, value: Any, frame: Frame) -> None:
        frame.own[name] = value
        if frame.tree is None:
            return
        for each in value.values if isinstance(value, Choice) else [value]:
            if isinstance(each, Tree):
                frame.tree.add(name, each, required=frame.certain and not isinstance(value, Choice) and not each.is_open)

    # -- calls --------------------------------------------------------------------------------------------------------

    def call(self, node: ast.Call, frame: Frame, depth: int) -> Any:
        """What a call returns: an instance of a class of the file, a layer, what a function of the file returns."""
        name = last_name(node.func)
        if isinstance(node.func, ast.Attribute) and (handled := self._method_call(node, node.func, frame, depth)) is not None:
            return handled
        arguments = self._arguments(node, frame, depth)
        kept = frame.own if isinstance(node.func, ast.Attribute) and last_name(node.func.value) == "self" else frame.names
        if isinstance(node.func, ast.Name) or kept is frame.own:
            called = kept.get(name)
            for each in called.values if isinstance(called, Choice) else [called]:
                name = each.name if isinstance(each, ClassOf) else name
            if name in self.classes:
                return self._instance(name, arguments, depth)
            if name in self.functions and kept is frame.names:
                return self._function(self.functions[name], arguments, Frame({}), depth, skip=0)
            if name in kept:     # a constructor that was handed over
                return anything()
        return self._library_call(node, name, arguments)

    def _library_call(self, node: ast.Call, name: str, arguments: Arguments) -> Any:
        if (made := values.container(name, arguments)) is not None:
            return made
        if (layer := known_layer(name, with_lists(arguments))) is not None:
            return layer
        if name in ("Parameter", "UninitializedParameter"):
            return tensor_of(arguments.get(0))
        if name in _PASSING:
            return anything()
        if (plain := values.builtin(name, arguments, isinstance(node.func, ast.Attribute))) is not None:
            return plain
        # A class of another module, or a function that was imported to build one.
        return anything() if name[:1].isupper() or isinstance(node.func, ast.Name) or name.startswith(("create_", "resnet", "build_")) else UNKNOWN

    def _arguments(self, node: ast.Call, frame: Frame, depth: int) -> Arguments:
        items = self.items(node.args, frame, depth)
        named = {keyword.arg: self.evaluate(keyword.value, frame, depth) for keyword in node.keywords if keyword.arg}
        return Arguments([items] if items.many and len(node.args) == 1 else items.all(), named)

    def _method_call(self, node: ast.Call, called: ast.Attribute, frame: Frame, depth: int) -> Any:
        """Calls on `self`, on `super()` and on lists and containers that are being filled; None for any other."""
        if called.attr == "__init__" and isinstance(called.value, ast.Call) and last_name(called.value.func) == "super":
            if frame.owner is not None and frame.tree is not None:
                self._construct_base(frame.owner, frame.tree, self._arguments(node, frame, depth), depth)
            return UNKNOWN
        receiver = frame.tree if last_name(called.value) == "self" and isinstance(called.value, ast.Name) else self.evaluate(called.value, frame, depth)
        if called.attr in _NESTED_SELF and isinstance(receiver, Tree | Items):
            fill(receiver, called.attr, self._arguments(node, frame, depth), frame.certain)
            return UNKNOWN
        if receiver is frame.tree and frame.owner is not None and (method := self._find_method(frame.owner, called.attr)) is not None:
            inner = Frame({}, frame.owner, frame.tree, frame.certain, None, frame.own)
            return self._function(method, self._arguments(node, frame, depth), inner, depth, skip=1)
        return None

    def _find_method(self, owner: ast.ClassDef, name: str) -> Function | None:
        for _ in range(_DEPTH):
            method = method_of(owner, name)
            bases = [self.classes[last_name(base)] for base in owner.bases if last_name(base) in self.classes]
            if method is not None or not bases:
                return method
            owner = bases[0]
        return None

    def _function(self, node: Function, arguments: Arguments, frame: Frame, depth: int, skip: int) -> Any:
        if depth >= _DEPTH:
            return anything()
        static = any(last_name(each) == "staticmethod" for each in node.decorator_list)
        frame.names = bound(node, arguments, 0 if static else skip, True, self.value_of_constant)
        self._run(node.body, frame, depth + 1)
        return UNKNOWN if frame.returned is None else frame.returned

"""What the classes of a Python file will hold, read from its source: constructors are followed, nothing is run."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

from engine.classes import last_name, module_names, parse_source
from engine.search import values
from engine.search.layers import ANY_NUMBER, Arguments, Tree, anything, is_layer, known_layer, unknown_tensor
from engine.search.values import UNKNOWN, Choice, ClassOf, Filled, Items

_STEPS = 60_000
_DEPTH = 10
_PASSING = {"weight_norm", "spectral_norm"}
_NO_BUILDER = re.compile(r"_|(train|main|load|test|eval|fit|run|export|convert|demo|infer|predict|save|bench)(_|$|[A-Z])")
_WORKING = {"backward", "step", "load_state_dict", "load", "save", "load_state_dict_from_url", "add_argument", "parse_args"}
_NESTED_SELF = {"append", "extend", "insert", "add_module", "register_module", "register_parameter", "register_buffer"}
Function = ast.FunctionDef


class _Enough(Exception):
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


class SourceFile:
    """One parsed file: ask for what a class of it, or a function that builds one, will hold."""

    def __init__(self, path: str, limit_bytes: int) -> None:
        tree = parse_source(path, limit_bytes)
        self.classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self.functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self.modules = module_names(list(self.classes.values()))
        self._constants = {
            target.id: node.value
            for node in tree.body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)
        }
        self._steps = _STEPS
        self._kept: dict[tuple[Any, ...], Tree] = {}

    def tree_of_class(self, name: str) -> Tree:
        """What an instance will hold; as far as it could be followed."""
        self._steps = _STEPS
        tree = Tree()
        self._construct(self.classes[name], tree, Arguments([], {}), 0, bind_defaults=False)
        return tree

    def needs_arguments(self, name: str) -> bool:
        """Whether a class of the file cannot be built as it is."""
        maker = _method(self.classes[name], "__init__")
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
        self._steps = _STEPS
        node = self.functions[name]
        frame = Frame(_bound(node, Arguments([], {}), skip=0, bind_defaults=False, evaluate=self._value_of_constant))
        try:
            self._run(node.body, frame, 0)
        except (_Enough, RecursionError):
            return None
        return frame.returned if isinstance(frame.returned, Tree) and not frame.returned.is_open else None

    # -- classes ------------------------------------------------------------------------------------------------------

    def _construct(self, node: ast.ClassDef, tree: Tree, arguments: Arguments, depth: int, bind_defaults: bool = True) -> None:
        """Follow the constructor, or the base's where there is none; what cannot be followed leaves the tree as it is."""
        maker = _method(node, "__init__")
        try:
            if maker is None:
                self._construct_base(node, tree, arguments, depth)
                return
            names = _bound(maker, arguments, skip=1, bind_defaults=bind_defaults, evaluate=self._value_of_constant)
            self._run(maker.body, Frame(names, node, tree), depth)
        except (_Enough, RecursionError):
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
        key = (name, repr([_kept(each) for each in arguments.positional]), repr({key: _kept(value) for key, value in arguments.named.items()}))
        if key in self._kept:
            return self._kept[key]
        if depth >= _DEPTH:
            return anything()
        self._kept[key] = anything()
        tree = Tree()
        self._construct(self.classes[name], tree, arguments, depth + 1)
        self._kept[key] = tree
        return tree

    # -- statements ---------------------------------------------------------------------------------------------------

    def _run(self, body: list[ast.stmt], frame: Frame, depth: int) -> None:
        for statement in body:
            self._step()
            if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
                self._assign(statement, frame, depth)
            elif isinstance(statement, ast.Expr):
                self._evaluate(statement.value, frame, depth)
            elif isinstance(statement, ast.Return):
                returned = self._evaluate(statement.value, frame, depth) if statement.value else UNKNOWN
                frame.returned = returned if frame.returned is None or isinstance(returned, Tree) else frame.returned
            elif isinstance(statement, ast.If):
                self._branch(statement, frame, depth)
            else:
                self._block(statement, frame, depth)

    def _step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise _Enough

    def _branch(self, statement: ast.If, frame: Frame, depth: int) -> None:
        test = self._evaluate(statement.test, frame, depth)
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
        value = self._evaluate(statement.value, frame, depth) if statement.value is not None else UNKNOWN
        if isinstance(statement, ast.AugAssign):
            old = self._evaluate(_as_load(statement.target), frame, depth)
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

    # -- expressions --------------------------------------------------------------------------------------------------

    def _evaluate(self, node: ast.expr | None, frame: Frame, depth: int) -> Any:
        self._step()
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._named(node.id, frame)
        if isinstance(node, ast.Tuple | ast.List):
            return self._items(node.elts, frame, depth)
        if isinstance(node, ast.Dict):
            return self._dict(node, frame, depth)
        if isinstance(node, ast.Call):
            return self._call(node, frame, depth)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, frame)
        if isinstance(node, ast.ListComp | ast.GeneratorExp):
            return self._comprehension(node, frame, depth)
        return self._operation(node, frame, depth)

    def _operation(self, node: ast.expr | None, frame: Frame, depth: int) -> Any:
        if isinstance(node, ast.BinOp):
            return values.combine(node.op, self._evaluate(node.left, frame, depth), self._evaluate(node.right, frame, depth), frame.certain)
        if isinstance(node, ast.IfExp):
            return values.either(self._evaluate(node.body, frame, depth), self._evaluate(node.orelse, frame, depth))
        if isinstance(node, ast.Subscript):
            return values.item(self._evaluate(node.value, frame, depth), self._evaluate(node.slice, frame, depth))
        if isinstance(node, ast.JoinedStr):
            return _pattern(node)
        if isinstance(node, ast.UnaryOp):
            return values.unary(node.op, self._evaluate(node.operand, frame, depth))
        if isinstance(node, ast.Compare):
            return values.compare(self._evaluate(node.left, frame, depth), node.ops, [self._evaluate(each, frame, depth) for each in node.comparators])
        return UNKNOWN

    def _named(self, name: str, frame: Frame) -> Any:
        if name in frame.names:
            return frame.names[name]
        if name in self.classes or (is_layer(name) and name not in self._constants):
            return ClassOf(name)
        return self._value_of_constant(self._constants[name]) if name in self._constants else UNKNOWN

    def _value_of_constant(self, node: ast.expr) -> Any:
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

    def _items(self, nodes: list[ast.expr], frame: Frame, depth: int) -> Items:
        items = Items()
        for node in nodes:
            if isinstance(node, ast.Starred):
                items.extend(self._evaluate(node.value, frame, depth))
            else:
                items.append(self._evaluate(node, frame, depth))
        return items

    def _dict(self, node: ast.Dict, frame: Frame, depth: int) -> dict[Any, Any]:
        found = {}
        for key, value in zip(node.keys, node.values, strict=True):
            name = self._evaluate(key, frame, depth) if key is not None else UNKNOWN
            if isinstance(name, str | int):
                found[name] = self._evaluate(value, frame, depth)
        return found

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp, frame: Frame, depth: int) -> Items:
        inner = Frame(dict(frame.names), frame.owner, frame.tree, False, None, frame.own)
        for generator in node.generators:
            for each in ast.walk(generator.target):
                if isinstance(each, ast.Name):
                    inner.names[each.id] = UNKNOWN
        return Items(many=[self._evaluate(node.elt, inner, depth)])

    # -- calls --------------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, frame: Frame, depth: int) -> Any:
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
        if (layer := known_layer(name, _with_lists(arguments))) is not None:
            return layer
        if name in ("Parameter", "UninitializedParameter"):
            return _tensor_of(arguments.get(0))
        if name in _PASSING:
            return anything()
        if (plain := values.builtin(name, arguments, isinstance(node.func, ast.Attribute))) is not None:
            return plain
        # A class of another module, or a function that was imported to build one.
        return anything() if name[:1].isupper() or isinstance(node.func, ast.Name) or name.startswith(("create_", "resnet", "build_")) else UNKNOWN

    def _arguments(self, node: ast.Call, frame: Frame, depth: int) -> Arguments:
        items = self._items(node.args, frame, depth)
        named = {keyword.arg: self._evaluate(keyword.value, frame, depth) for keyword in node.keywords if keyword.arg}
        return Arguments([items] if items.many and len(node.args) == 1 else items.all(), named)

    def _method_call(self, node: ast.Call, called: ast.Attribute, frame: Frame, depth: int) -> Any:
        """Calls on `self`, on `super()` and on lists and containers that are being filled; None for any other."""
        if called.attr == "__init__" and isinstance(called.value, ast.Call) and last_name(called.value.func) == "super":
            if frame.owner is not None and frame.tree is not None:
                self._construct_base(frame.owner, frame.tree, self._arguments(node, frame, depth), depth)
            return UNKNOWN
        receiver = frame.tree if last_name(called.value) == "self" and isinstance(called.value, ast.Name) else self._evaluate(called.value, frame, depth)
        if called.attr in _NESTED_SELF and isinstance(receiver, Tree | Items):
            _fill(receiver, called.attr, self._arguments(node, frame, depth), frame.certain)
            return UNKNOWN
        if receiver is frame.tree and frame.owner is not None and (method := self._find_method(frame.owner, called.attr)) is not None:
            inner = Frame({}, frame.owner, frame.tree, frame.certain, None, frame.own)
            return self._function(method, self._arguments(node, frame, depth), inner, depth, skip=1)
        return None

    def _find_method(self, owner: ast.ClassDef, name: str) -> Function | None:
        for _ in range(_DEPTH):
            method = _method(owner, name)
            bases = [self.classes[last_name(base)] for base in owner.bases if last_name(base) in self.classes]
            if method is not None or not bases:
                return method
            owner = bases[0]
        return None

    def _function(self, node: Function, arguments: Arguments, frame: Frame, depth: int, skip: int) -> Any:
        if depth >= _DEPTH:
            return anything()
        static = any(last_name(each) == "staticmethod" for each in node.decorator_list)
        frame.names = _bound(node, arguments, 0 if static else skip, True, self._value_of_constant)
        self._run(node.body, frame, depth + 1)
        return UNKNOWN if frame.returned is None else frame.returned


def _method(node: ast.ClassDef, name: str) -> Function | None:
    return next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == name), None)


def _bound(node: Function, arguments: Arguments, skip: int, bind_defaults: bool, evaluate: Any) -> dict[str, Any]:
    """Names of the function's arguments with what was handed over; a default counts only where the caller is in the source too."""
    positional = [*node.args.posonlyargs, *node.args.args]
    given = [*[None] * (len(positional) - len(node.args.defaults)), *node.args.defaults]
    pairs = [*list(zip(positional, given, strict=True))[skip:], *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]
    names = {argument.arg: evaluate(default) if default is not None and bind_defaults else UNKNOWN for argument, default in pairs}
    names |= dict(zip([argument.arg for argument, _ in pairs], arguments.positional, strict=False))
    if node.args.vararg is not None:
        names[node.args.vararg.arg] = Items(arguments.positional[len(positional) - skip :]) if arguments.positional else UNKNOWN
    return names | {name: value for name, value in arguments.named.items() if name in names}


def _kept(value: Any) -> Any:
    return f"{type(value).__name__} {id(value)}" if isinstance(value, Tree | Choice | Items) else value


def _with_lists(arguments: Arguments) -> Arguments:
    """Items whose length is known as plain lists: kernels and normalised shapes."""
    plain = [each.known() if isinstance(each, Items) else each for each in arguments.positional]
    return Arguments(plain, {name: value.known() if isinstance(value, Items) else value for name, value in arguments.named.items()})


def _tensor_of(value: Any) -> Tree:
    return value.tree if isinstance(value, Filled) else unknown_tensor()


def _pattern(node: ast.JoinedStr) -> re.Pattern[str]:
    """An f-string as a pattern: what is put in may be anything short."""
    parts = [re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[^.]{1,40}" for part in node.values]
    return re.compile("".join(parts))


def _as_load(target: ast.expr) -> ast.expr:
    return target


def _fill(receiver: Tree | Items, how: str, arguments: Arguments, certain: bool) -> None:
    """`append` and its like on a list of layers, or on a container; `add_module` and `register_...` on a module."""
    value = arguments.get(1 if how.startswith(("add", "register", "insert")) else 0, "module", "param", "tensor", default=UNKNOWN)
    if isinstance(receiver, Items):
        receiver.fill(value, how == "extend", certain)
        return
    name = arguments.get(0, "name")
    child = value if isinstance(value, Tree) else _tensor_of(value) if how in ("register_buffer", "register_parameter") else anything()
    if how in ("append", "extend", "insert"):
        for each in values.trees(value):
            receiver.add_pattern(ANY_NUMBER, each)
    elif isinstance(name, str):
        receiver.add(name, child, required=certain and isinstance(value, Tree))
    else:
        receiver.add_pattern(name if isinstance(name, re.Pattern) else re.compile(r"[^.]+"), child)

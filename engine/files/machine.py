"""A pickle machine that builds descriptions only: every call and class stays a name with its arguments beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

from engine.files.nodes import Call, Global, Mapping, Node, Persistent, Program
from engine.files.opcodes import operations
from engine.files.reading import Broken, TooComplex, clean

NAMES_LIMIT = 5_000
WEIGHTS_ONLY_OPCODES = frozenset((
    "PROTO", "STOP", "GLOBAL", "NEWOBJ", "REDUCE", "BUILD", "APPEND", "APPENDS", "SETITEM", "SETITEMS", "MARK", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
    "NONE", "NEWTRUE", "NEWFALSE", "EMPTY_TUPLE", "EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET", "BINPERSID", "BININT", "BININT1", "BININT2", "BINFLOAT",
    "BINUNICODE", "SHORT_BINSTRING", "BINGET", "LONG_BINGET", "BINPUT", "LONG_BINPUT", "LONG1",
))
_PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg", "cPickle": "pickle", "StringIO": "io", "cStringIO": "io", "commands": "subprocess"}
_PYTHON_2_BUILTINS = {"long": "int", "unicode": "str", "xrange": "range"}
"""How protocol 2 writes types of Python 3, and what every unpickler makes of it."""


Names = dict[tuple[str, str], None]
"""Module and name of each global, in the order of appearance."""


class _Machine:
    """Stack, memo and the names seen."""

    def __init__(self, names: Names) -> None:
        self.stack: list[Node] = []
        self.marks: list[int] = []
        self.memo: dict[int, Node] = {}
        self.names = names

    def pop(self) -> Node:
        if not self.stack or (self.marks and len(self.stack) <= self.marks[-1]):
            raise Broken("the stack is empty")
        return self.stack.pop()

    def top(self) -> Node:
        if not self.stack or (self.marks and len(self.stack) <= self.marks[-1]):
            raise Broken("the stack is empty")
        return self.stack[-1]

    def since_mark(self) -> list[Node]:
        if not self.marks:
            raise Broken("no mark")
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def name(self, module: Node, name: Node) -> Global:
        if not (isinstance(module, str) and isinstance(name, str)):
            module = name = "?"
        if module == "__builtin__":
            name = _PYTHON_2_BUILTINS.get(str(name), name)
        module, name = clean(_PYTHON_2.get(str(module), str(module))), clean(str(name))
        self.names[module, name] = None
        if len(self.names) > NAMES_LIMIT:
            raise TooComplex
        return Global(module, name)


def _put(machine: _Machine, argument: Any) -> None:
    machine.memo[argument] = machine.top()


def _memoize(machine: _Machine, argument: Any) -> None:
    machine.memo[len(machine.memo)] = machine.top()


def _get(machine: _Machine, argument: Any) -> None:
    if argument not in machine.memo:
        raise Broken("nothing remembered there")
    machine.stack.append(machine.memo[argument])


def _pop(machine: _Machine, argument: Any) -> None:
    if machine.marks and len(machine.stack) == machine.marks[-1]:
        machine.marks.pop()
    else:
        machine.pop()


def _append(machine: _Machine, items: list[Node]) -> None:
    target = machine.top()
    if isinstance(target, list):
        target.extend(items)
    elif isinstance(target, Call):
        target.values.extend(items)
    else:
        raise Broken("appends to no list")


def _set(machine: _Machine, items: list[Node]) -> None:
    target = machine.top()
    if len(items) % 2 or not isinstance(target, (Mapping, Call)):
        raise Broken("sets items of no dict")
    target.pairs.extend(zip(items[::2], items[1::2], strict=True))


def _set_one(machine: _Machine, argument: Any) -> None:
    value, key = machine.pop(), machine.pop()
    _set(machine, [key, value])


def _call(machine: _Machine, argument: Any) -> None:
    arguments, function = machine.pop(), machine.pop()
    machine.stack.append(Call(function, arguments))


def _call_with_names(machine: _Machine, argument: Any) -> None:
    named, arguments, function = machine.pop(), machine.pop(), machine.pop()
    machine.stack.append(Call(function, (arguments, named)))


def _object(machine: _Machine, argument: Any) -> None:
    items = machine.since_mark()
    if not items:
        raise Broken("an object of no class")
    machine.stack.append(Call(items[0], tuple(items[1:])))


def _instance(machine: _Machine, argument: Any) -> None:
    machine.stack.append(Call(machine.name(*argument), tuple(machine.since_mark())))


def _build(machine: _Machine, argument: Any) -> None:
    state, target = machine.pop(), machine.top()
    if isinstance(target, Call):
        target.state = state


def _stack_global(machine: _Machine, argument: Any) -> None:
    name, module = machine.pop(), machine.pop()
    machine.stack.append(machine.name(module, name))


def _tuple_of(length: int) -> Callable[[_Machine, Any], None]:
    def make(machine: _Machine, argument: Any) -> None:
        items = [machine.pop() for _ in range(length)]
        machine.stack.append(tuple(reversed(items)))
    return make


def _push(make: Callable[[_Machine, Any], Node]) -> Callable[[_Machine, Any], None]:
    def push(machine: _Machine, argument: Any) -> None:
        machine.stack.append(make(machine, argument))
    return push


def _dict_of(items: list[Node]) -> Mapping:
    if len(items) % 2:
        raise Broken("a dict of half a pair")
    return Mapping(list(zip(items[::2], items[1::2], strict=True)))


def _nothing(machine: _Machine, argument: Any) -> None:
    return None


_argument = _push(lambda machine, argument: argument)
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME", "READONLY_BUFFER"), _nothing),
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES",
                     "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "FLOAT",
                     "BINFLOAT"), _argument),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _call),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), _push(lambda machine, code: machine.name("copyreg", f"extension {code}"))),
    "NONE": _argument, "NEWTRUE": _push(lambda machine, _: True), "NEWFALSE": _push(lambda machine, _: False),
    "NEXT_BUFFER": _push(lambda machine, _: Persistent("buffer")), "PERSID": _push(lambda machine, id: Persistent(id)),
    "BINPERSID": _push(lambda machine, _: Persistent(machine.pop())),
    "EMPTY_LIST": _push(lambda machine, _: []), "EMPTY_SET": _push(lambda machine, _: []), "EMPTY_TUPLE": _push(lambda machine, _: ()),
    "EMPTY_DICT": _push(lambda machine, _: Mapping()), "LIST": _push(lambda machine, _: machine.since_mark()),
    "TUPLE": _push(lambda machine, _: tuple(machine.since_mark())), "FROZENSET": _push(lambda machine, _: tuple(machine.since_mark())),
    "DICT": _push(lambda machine, _: _dict_of(machine.since_mark())),
    "TUPLE1": _tuple_of(1), "TUPLE2": _tuple_of(2), "TUPLE3": _tuple_of(3),
    "MARK": lambda machine, _: machine.marks.append(len(machine.stack)), "POP": _pop, "POP_MARK": lambda machine, _: machine.since_mark().clear(),
    "DUP": _push(lambda machine, _: machine.top()), "MEMOIZE": _memoize,
    "APPEND": lambda machine, _: _append(machine, [machine.pop()]), "APPENDS": lambda machine, _: _append(machine, machine.since_mark()),
    "ADDITEMS": lambda machine, _: _append(machine, machine.since_mark()), "SETITEM": _set_one,
    "SETITEMS": lambda machine, _: _set(machine, machine.since_mark()), "NEWOBJ_EX": _call_with_names, "OBJ": _object, "INST": _instance,
    "BUILD": _build, "GLOBAL": _push(lambda machine, pair: machine.name(*pair)), "STACK_GLOBAL": _stack_global,
}


def describe(file: BinaryIO, end: int, seen: Names | None = None) -> Program:
    """What the pickle at the file's position describes; nothing is imported, called or made. Raises Broken, Truncated, TooComplex.

    `seen` gathers the names, also those of a pickle that turns out to be broken.
    """
    machine = _Machine({} if seen is None else seen)
    used: set[str] = set()
    for name, argument in operations(file, end):
        used.add(name)
        if name == "STOP":
            return Program(machine.pop(), list(machine.names), used <= WEIGHTS_ONLY_OPCODES)
        _STEPS[name](machine, argument)
    raise Broken("no end")

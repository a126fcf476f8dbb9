"""Which expressions of a script may be evaluated without starting anything: literals, names, arithmetic and a short list of calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable

_BUILTINS = {"int", "float", "str", "bool", "len", "range", "tuple", "list", "dict", "set", "frozenset", "min", "max", "sum", "abs", "round", "sorted", "slice"}
_TYPES = {"int", "float", "str", "bool", "bytes", "tuple", "list", "dict", "set", "frozenset", "object", "type", "None", "NotImplemented", "Ellipsis"}
_CALLS = {
    "torch.device", "torch.cuda.is_available", "torch.cuda.device_count", "torch.backends.mps.is_available", "torch.tensor", "torch.Size", "torch.finfo",
    "numpy.array", "numpy.sqrt", "numpy.log", "numpy.exp", "typing.TypeVar", "typing.NewType", "typing.cast", "collections.namedtuple",
    "collections.OrderedDict", "functools.partial", "logging.getLogger", "re.compile", "types.SimpleNamespace", "os.path.dirname",
    "os.path.abspath", "os.path.realpath", "os.path.join", "os.path.basename", "os.getcwd", "pathlib.Path", "packaging.version.parse", "packaging.version.Version",
}
_MATH = "math."
_METHODS = {"resolve", "absolute", "as_posix", "split", "keys", "values", "items", "copy", "lower", "upper", "strip", "startswith", "endswith", "format"}
_PLAIN = (
    ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Attribute, ast.Subscript, ast.Slice,
    ast.JoinedStr, ast.FormattedValue, ast.Starred, ast.keyword, ast.Lambda,
)


class Scope:
    """Names that a script has defined so far, and what its imports call them."""

    def __init__(self) -> None:
        self.known: set[str] = {"__name__", "__file__", "__doc__"}
        self.imported: dict[str, str] = {}
        """Local name -> dotted name of what was imported."""

    def bind(self, names: Iterable[str]) -> None:
        """These names now mean something of the script's own."""
        for name in names:
            self.known.add(name)
            self.imported.pop(name, None)

    def bind_imports(self, node: ast.Import | ast.ImportFrom) -> None:
        """What an import statement makes known."""
        for alias in node.names:
            if isinstance(node, ast.Import):
                local, dotted = (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
            else:
                local, dotted = alias.asname or alias.name, f"{node.module or ''}.{alias.name}"
            self.known.add(local)
            self.imported[local] = dotted

    def harmless(self, node: ast.AST | None, inner: frozenset[str] = frozenset()) -> bool:
        """Whether evaluating `node` calls nothing but what is on the list; `inner` are names of comprehensions around it."""
        if node is None:
            return True
        if isinstance(node, ast.Name):
            return node.id in self.known or node.id in inner or node.id in _TYPES
        if isinstance(node, ast.Call):
            return self._harmless_call(node, inner)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            return self._harmless_comprehension(node, inner)
        if isinstance(node, ast.Lambda):
            return all(self.harmless(default, inner) for default in [*node.args.defaults, *node.args.kw_defaults])
        if isinstance(node, ast.operator | ast.unaryop | ast.boolop | ast.cmpop | ast.expr_context):
            return True
        return isinstance(node, _PLAIN) and all(self.harmless(child, inner) for child in ast.iter_child_nodes(node))

    def _harmless_call(self, node: ast.Call, inner: frozenset[str]) -> bool:
        # A `key=` would be called, and so would what `**` may hide.
        given = all(self.harmless(each, inner) for each in [*node.args, *node.keywords]) and all(each.arg not in ("key", None) for each in node.keywords)
        function = node.func
        if isinstance(function, ast.Name) and function.id in _BUILTINS and function.id not in self.known:
            return given
        dotted = self.dotted(function)
        if dotted is not None and (dotted in _CALLS or dotted.startswith(_MATH)):
            return given
        # A method of a value made of literals (`"a b".split()`), or of a path (`Path(__file__).resolve()`).
        return given and isinstance(function, ast.Attribute) and function.attr in _METHODS and dotted is None and self._own(function.value, inner)

    def _own(self, node: ast.expr, inner: frozenset[str]) -> bool:
        """A value that the script made itself of harmless parts: not an imported object, whose methods may do anything."""
        if any(isinstance(part, ast.Name) and self._foreign(part, node) for part in ast.walk(node)):
            return False
        return self.harmless(node, inner)

    def _foreign(self, name: ast.Name, within: ast.expr) -> bool:
        called = {id(part) for call in ast.walk(within) if isinstance(call, ast.Call) for part in ast.walk(call.func)}
        return name.id in self.imported and id(name) not in called

    def _harmless_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, inner: frozenset[str]) -> bool:
        for part in node.generators:
            if part.is_async or not self.harmless(part.iter, inner):
                return False
            inner |= {each.id for each in ast.walk(part.target) if isinstance(each, ast.Name)}
            if not all(self.harmless(test, inner) for test in part.ifs):
                return False
        made = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        return all(self.harmless(each, inner) for each in made)

    def dotted(self, node: ast.expr) -> str | None:
        """`F.relu` as `torch.nn.functional.relu`, following the imports; None for what was not imported."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id)
        if isinstance(node, ast.Attribute) and (base := self.dotted(node.value)) is not None:
            return f"{base}.{node.attr}"
        return None

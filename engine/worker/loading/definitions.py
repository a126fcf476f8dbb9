"""A script's definitions without its deeds: imports, classes, functions and constants are executed, never its other top-level statements."""

from __future__ import annotations

import ast
import sys
import tokenize
import warnings
from pathlib import Path
from types import ModuleType

from engine.worker.loading.harmless import Scope

Statements = list[ast.stmt]
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ABSENT = {"ImportError", "ModuleNotFoundError", "Exception", "OSError"}

LEFT_OUT: dict[str, dict[str, int]] = {}
"""File -> name -> line of the statement that would have set it, had it been executed."""
TRIED: dict[str, dict[str, str]] = {}
"""File -> name -> module that a `try: import` would have bound it to."""


class Selection:
    """Walks a script's statements and keeps those that only define something."""

    def __init__(self) -> None:
        self.scope = Scope()
        self.left_out: dict[str, int] = {}
        self.tried: dict[str, str] = {}
        self._constants: set[str] = set()
        self._annotations_run = True

    def select(self, body: Statements) -> Statements:
        """The statements to execute, in order."""
        return [kept for statement in body for kept in self._kept(statement)]

    def _kept(self, node: ast.stmt) -> Statements:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._annotations_run &= not (isinstance(node, ast.ImportFrom) and node.module == "__future__")
            self.scope.bind_imports(node)
            return [node]
        if isinstance(node, _DEFINITIONS):
            return self._definition(node)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            return self._assignment(node)
        if isinstance(node, ast.Try):
            return self._try(node)
        if isinstance(node, ast.If):
            return self._if(node)
        if isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return [node]
        if isinstance(node, ast.Expr) and (added := self._added_path(node.value)) is not None:
            return [added]
        return self._leave_out(node)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Statements:
        """Kept, unless what is evaluated at once (decorators, bases, defaults) needs a name that was left out."""
        if any(isinstance(part, ast.Name) and part.id in self.left_out for outer in self._evaluated(node) for part in ast.walk(outer)):
            self.left_out[node.name] = node.lineno
            return []
        self.scope.bind([node.name])
        self.left_out.pop(node.name, None)
        self._constants.discard(node.name)
        return [node]

    def _evaluated(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[ast.AST]:
        found: list[ast.AST] = list(node.decorator_list)
        if isinstance(node, ast.ClassDef):
            return [*found, *node.bases, *node.keywords]
        arguments = node.args
        found += [*arguments.defaults, *(each for each in arguments.kw_defaults if each is not None)]
        if self._annotations_run:
            named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
            found += [each.annotation for each in named if each is not None and each.annotation is not None]
            found += [node.returns] if node.returns is not None else []
        return found

    def _assignment(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> Statements:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
        annotation = node.annotation if isinstance(node, ast.AnnAssign) and self._annotations_run else None
        if not all(self._own_place(target) for target in targets) or not self.scope.harmless(node.value) or not self.scope.harmless(annotation):
            return self._leave_out(node)
        if isinstance(node, ast.AugAssign) and not names <= self.scope.known:
            return self._leave_out(node)
        self.scope.bind(names)
        self._constants |= names
        for name in names:
            self.left_out.pop(name, None)
        return [node]

    def _own_place(self, target: ast.expr) -> bool:
        """A name, several names, or an entry of a constant of the script's own; never another module's attribute."""
        if isinstance(target, ast.Tuple | ast.List):
            return all(self._own_place(each) for each in target.elts)
        if isinstance(target, ast.Starred):
            return self._own_place(target.value)
        if isinstance(target, ast.Subscript):
            return isinstance(target.value, ast.Name) and target.value.id in self._constants and self.scope.harmless(target.slice)
        return isinstance(target, ast.Name)

    def _try(self, node: ast.Try) -> Statements:
        """An import with something in its place: `try: import x / except ImportError: x = None`."""
        caught = [handler.type for handler in node.handlers]
        if not any(isinstance(part, ast.Import | ast.ImportFrom) for part in node.body) or not all(map(_catches_absence, caught)):
            return self._leave_out(node)
        body = self.select(node.body)
        for part in node.body:
            if isinstance(part, ast.Import | ast.ImportFrom):
                self.tried |= {(alias.asname or alias.name.partition(".")[0]): _module_of(part, alias) for alias in part.names}
        for handler in node.handlers:
            handler.body = self._handled(handler.body)
        node.body, node.orelse, node.finalbody = body or [ast.Pass()], self.select(node.orelse), self.select(node.finalbody)
        return [ast.fix_missing_locations(node)]

    def _handled(self, body: Statements) -> Statements:
        return [kept for part in body for kept in ([part] if isinstance(part, ast.Raise) else self._kept(part))] or [ast.Pass()]

    def _if(self, node: ast.If) -> Statements:
        """Kept where it only chooses between definitions; `if __name__ == "__main__"` is never run."""
        if any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test)):
            return self._leave_out(node, runs_on_import=False)
        if not self.scope.harmless(node.test):
            return self._leave_out(node)
        body, other = self.select(node.body), self.select(node.orelse)
        if not body and not other:
            return []
        node.body, node.orelse = body or [ast.Pass()], other
        return [ast.fix_missing_locations(node)]

    def _added_path(self, call: ast.expr) -> ast.stmt | None:
        """`sys.path.insert(0, folder)` and `sys.path.append(folder)` both as the latter: no neighbour may take a library's place."""
        if not isinstance(call, ast.Call) or self.scope.dotted(call.func) not in ("sys.path.append", "sys.path.insert") or not call.args or call.keywords:
            return None
        folder, function = call.args[-1], call.func
        if not self.scope.harmless(folder) or not isinstance(function, ast.Attribute):
            return None
        function.attr, call.args = "append", [folder]
        return ast.copy_location(ast.Expr(call), call)

    def _leave_out(self, node: ast.stmt, runs_on_import: bool = True) -> Statements:
        """Remember what the statement would have set; a constant that it would have changed is taken back, so that no stale value is used."""
        stale = []
        for name in sorted(bound_names(node)):
            if name in self._constants and runs_on_import:
                stale.append(name)
                self._constants.discard(name)
                self.scope.known.discard(name)
            if name not in self.scope.known:
                self.left_out[name] = node.lineno
        if not stale:
            return []
        forget = ast.parse("\n".join(f"globals().pop({name!r}, None)" for name in stale)).body
        return [ast.fix_missing_locations(ast.copy_location(each, node)) for each in forget]


def bound_names(node: ast.AST) -> set[str]:
    """Names that a statement would set at the top level, however deep its blocks."""
    found: set[str] = set()
    for part in _outside_functions(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            found.add(part.id)
        elif isinstance(part, _DEFINITIONS):
            found.add(part.name)
        elif isinstance(part, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in part.names}
        elif isinstance(part, ast.ExceptHandler) and part.name:
            found.add(part.name)
    return found


def _outside_functions(node: ast.AST) -> list[ast.AST]:
    found, waiting = [], [node]
    while waiting:
        part = waiting.pop()
        found.append(part)
        if not isinstance(part, (*_DEFINITIONS, ast.Lambda)):
            waiting += ast.iter_child_nodes(part)
    return found


def _catches_absence(caught: ast.expr | None) -> bool:
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return all(kind is None or (isinstance(kind, ast.Name) and kind.id in _ABSENT) for kind in kinds)


def _module_of(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    return alias.name if isinstance(node, ast.Import) else "." * node.level + (node.module or alias.name)


def load_definitions(path: Path, name: str, package: str = "") -> ModuleType:
    """A module of what the file defines, registered in `sys.modules`; raises what an import raises."""
    with tokenize.open(path) as file:
        source = file.read()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")     # an odd escape in a string is the user's own
        tree = ast.parse(source, str(path))
        selection = Selection()
        tree.body = selection.select(tree.body)
        # Not this module's own flags: the file's `from __future__` lines stand in the tree.
        code = compile(tree, str(path), "exec", dont_inherit=True)
    module = ModuleType(name)
    module.__file__, module.__package__ = str(path), package
    LEFT_OUT[str(path)], TRIED[str(path)] = selection.left_out, selection.tried
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)     # noqa: S102  the user named this file
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module

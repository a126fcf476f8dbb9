"""TorchScript: tensors, names and classes from the archive, parameters told from buffers by the code's own lists."""

from __future__ import annotations

import io
import itertools
import re

from engine.files.archive import Archive
from engine.files.findings import Findings, add_tensors
from engine.files.machine import describe
from engine.files.nodes import Call, Global, Node
from engine.files.reading import TooComplex, clean
from engine.files.tensors import as_tensor, count_values
from engine.files.weights import Found, Named, fields

_PICKLE_LIMIT_BYTES, _CODE_LIMIT_BYTES, _VISITS = 256 << 20, 32 << 20, 500_000
_CLASS = re.compile(r"^class (\w+)\(", re.MULTILINE)
_LISTED = re.compile(r'^  __parameters__ = \[([^\]]*)\]', re.MULTILINE)
_MANGLED = re.compile(r"\.?___torch_mangle_\d+")


def read_torchscript(archive: Archive) -> Findings:
    """What a TorchScript archive is. Its own runtime reads its pickles, which calls nothing, so no question of trust arises."""
    root = _describe(archive, "data.pkl")
    findings = Findings("torchscript", architecture=_class_name(root))
    named = _named_tensors(root, _parameter_names(archive))
    constants = _describe(archive, "constants.pkl") if "constants.pkl" in archive.names else None
    if isinstance(constants, (tuple, list)):
        named += [(f"constants.{index}", tensor._replace(storage=tensor.storage._replace(key=f"constants {tensor.storage.key}"), parameter=False))
                  for index, tensor in enumerate(map(as_tensor, constants)) if tensor is not None]
    add_tensors(findings, Found("torchscript", named))
    findings.parameters = sum(count_values(tensor for _, tensor in named if tensor.parameter).values())
    findings.buffers = sum(count_values(tensor for name, tensor in named if tensor.parameter is False and not name.startswith("constants.")).values())
    if "bytecode.pkl" in archive.names:
        findings.note("note-lite-interpreter")
    return findings


def _describe(archive: Archive, name: str) -> Node:
    data = archive.read(name, _PICKLE_LIMIT_BYTES)
    return describe(io.BytesIO(data), len(data)).root


def _class_name(root: Node) -> str | None:
    if not (isinstance(root, Call) and isinstance(root.function, Global)):
        return None
    return clean(_MANGLED.sub("", root.function.qualified).removeprefix("__torch__."))


def _parameter_names(archive: Archive) -> dict[str, frozenset[str]]:
    """Qualified class name -> names of its parameters, from `__parameters__` in the code."""
    found: dict[str, frozenset[str]] = {}
    left = _CODE_LIMIT_BYTES
    for name in archive.names:
        if not (name.startswith("code/") and name.endswith(".py")) or archive.sizes[name] > left:
            continue
        left -= archive.sizes[name]
        module = name.removeprefix("code/").removesuffix(".py").replace("/", ".")
        text = archive.read(name, _CODE_LIMIT_BYTES).decode("utf-8", "replace")
        starts = [*(match.start() for match in _CLASS.finditer(text)), len(text)]
        for start, end in itertools.pairwise(starts):
            title, listed = _CLASS.match(text, start), _LISTED.search(text, start, end)
            if title:
                found[f"{module}.{title[1]}"] = frozenset(re.findall(r'"([^"]*)"', listed[1]) if listed else ())
    return found


def _named_tensors(root: Node, parameters: dict[str, frozenset[str]]) -> Named:
    found: Named = []
    seen, waiting = {id(root)}, [("", root)]
    while waiting:
        prefix, node = waiting.pop()
        owner = node.function.qualified if isinstance(node, Call) and isinstance(node.function, Global) else ""
        for name, child in reversed(fields(node).items()):
            if (tensor := as_tensor(child)) is not None:
                found.append((clean(prefix + name), tensor._replace(parameter=name in parameters.get(owner, ()))))
            elif isinstance(child, Call) and id(child) not in seen and len(prefix) < 500:
                seen.add(id(child))
                waiting.append((f"{prefix}{name}.", child))
        if len(seen) > _VISITS:
            raise TooComplex
    return found

"""What a described object is: weights, a checkpoint around them, a whole module, or no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from engine.files.nodes import Call, Global, Mapping, Node, Persistent
from engine.files.reading import Refused, clean
from engine.files.tensors import Tensor, as_tensor

Named = list[tuple[str, Tensor]]
_PREFERRED = ("state_dict", "model_state_dict", "model_state", "model", "module", "net", "network", "weights", "params", "generator", "state")
_DATA_NAMES = {"x", "y", "z", "xs", "ys", "image", "images", "img", "label", "labels", "target", "targets", "input", "inputs", "output", "outputs",
               "data", "train", "test", "val", "mean", "std", "features", "mask", "masks", "x_train", "y_train", "x_test", "y_test"}
_WEIGHT_NAME = re.compile(r"weight|bias|kernel|embed|param|gamma|beta|running_|scale|alpha|token|proj|conv|linear|norm|_ih|_hh|^w\d*$", re.IGNORECASE)
_DATA_MAX = 4
_DEPTH, _VISITS, _PLACES = 6, 200_000, 20


class Found(NamedTuple):
    """What was found: `kind` (state-dict, checkpoint or module), where, and its tensors by name."""

    kind: str
    tensors: Named
    at: str | None = None
    class_name: str | None = None
    places: tuple[str, ...] = ()
    node: Node = None
    """The module itself, where it is one."""


def entries(node: Node) -> list[tuple[Node, Node]] | None:
    """The pairs of a dict or of an OrderedDict (and its like), or None."""
    if isinstance(node, Mapping):
        return node.pairs
    if isinstance(node, Call) and isinstance(node.function, Global) and node.function.module == "collections":
        if not node.pairs and isinstance(node.arguments, tuple) and node.arguments and isinstance(node.arguments[0], list):
            return [(pair[0], pair[1]) for pair in node.arguments[0] if isinstance(pair, (tuple, list)) and len(pair) == 2]
        return node.pairs
    return None


def fields(node: Node) -> dict[str, Node]:
    """Named parts of a dict or an object: the last of each name, names that are no strings left out."""
    pairs = entries(node)
    if pairs is None and isinstance(node, Call):
        state = node.state[0] if isinstance(node.state, tuple) and node.state else node.state
        pairs = entries(state) or node.pairs
        if not pairs and isinstance(node.function, Global) and node.function.name.startswith("reduce_") and isinstance(node.arguments, tuple):
            pairs = entries(node.arguments[0]) if node.arguments else None
    return {key: value for key, value in pairs or () if isinstance(key, str)}


def class_of(node: Node) -> Global | None:
    """The class of a described object."""
    if not isinstance(node, Call):
        return None
    function = node.function
    if isinstance(function, Persistent) and isinstance(function.id, tuple) and len(function.id) > 1 and function.id[0] == "module":
        function = function.id[1]
    if isinstance(function, Global) and function.qualified in ("copyreg._reconstructor", "copyreg.__newobj__") and isinstance(node.arguments, tuple):
        function = node.arguments[0] if node.arguments else None
    return function if isinstance(function, Global) else None


def is_module(node: Node) -> bool:
    """Whether `node` is a pickled nn.Module: it carries its parameters and sub-modules by name."""
    if not isinstance(node, Call) or entries(node) is not None:
        return False
    parts = fields(node)
    return "_modules" in parts and ("_parameters" in parts or "_buffers" in parts)


def module_tensors(root: Node) -> Named:
    """Parameters and buffers of a pickled module with their dotted names."""
    found: Named = []
    seen: set[int] = set()
    waiting = [("", root)]
    while waiting and len(seen) < _VISITS:
        prefix, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        parts = fields(node)
        for group, parameter in (("_parameters", True), ("_buffers", False)):
            tensors = ((name, as_tensor(value)) for name, value in fields(parts.get(group)).items())
            found += [(clean(prefix + name), tensor._replace(parameter=parameter)) for name, tensor in tensors if tensor is not None]
        waiting += [(f"{prefix}{name}.", child) for name, child in reversed(fields(parts.get("_modules")).items()) if len(prefix) < 500]
    return found


def state_tensors(node: Node) -> Named | None:
    """Tensors of a dict that is a state dict (names lead to tensors, hardly anything else), or None."""
    pairs = entries(node)
    if not pairs or not all(isinstance(key, str) for key, _ in pairs):
        return None
    found = [(key, tensor) for key, tensor in ((key, as_tensor(value)) for key, value in pairs) if tensor is not None]
    others = [value for key, value in pairs if entries(value) or is_module(value)]
    if not found or others or 2 * len(found) < len(pairs):
        return None
    return [(clean(key, 1000), tensor) for key, tensor in dict(found).items()]


def _looks_like_data(node: Node, named: Named) -> bool:
    """Whether these are samples rather than weights: names of data, or a few tensors in a plain dict (`state_dict()` makes an OrderedDict) without a layer's name."""
    names = {key.lower() for key, _ in named}
    bare = isinstance(node, Mapping) and len(names) <= _DATA_MAX and not any("." in name or _WEIGHT_NAME.search(name) for name in names)
    return bare or (len(names) <= 8 and names <= _DATA_NAMES)


def _is_optimizer(node: Node) -> bool:
    return {"state", "param_groups"} <= fields(node).keys()


def classify(root: Node, at: str | None = None) -> Found:
    """What `root` is, taken from the place `at` where there are several; raises Refused when there is no model in it."""
    if is_module(root):
        return Found("module", module_tensors(root), class_name=_class_name(root), node=root)
    if (tensors := state_tensors(root)) is not None:
        if _looks_like_data(root, tensors):
            raise Refused("file-data-tensors", names=", ".join(key for key, _ in tensors))
        return Found("state-dict", tensors)
    found = _search(root, at)
    if found is not None:
        return found
    raise _no_model(root)


def _class_name(node: Node) -> str:
    name = class_of(node)
    return clean(name.qualified) if name else "?"


def _search(root: Node, at: str | None) -> Found | None:
    """Weights or a module somewhere inside, breadth first; optimizers are passed by."""
    states: list[tuple[str, Named]] = []
    modules: list[tuple[str, Node]] = []
    seen, waiting = {id(root)}, [("", 0, root)]
    for path, depth, node in waiting:
        if _is_optimizer(node) or depth > _DEPTH or len(seen) > _VISITS:
            continue
        for name, child in _children(node):
            place = f"{path}.{name}" if path else name
            if id(child) in seen or "optim" in name.lower():
                continue
            seen.add(id(child))
            if is_module(child):
                modules.append((place, child))
            elif (tensors := state_tensors(child)) is not None and not _looks_like_data(child, tensors):
                states.append((place, tensors))
            elif isinstance(child, (Call, Mapping, list, tuple)):
                waiting.append((place, depth + 1, child))
    if states:
        states.sort(key=lambda state: _rank(*state))
        place, named = next((state for state in states if clean(state[0]) == at), states[0])
        return Found("checkpoint", named, at=clean(place), places=_places(states))
    if modules:
        modules.sort(key=lambda module: _rank(module[0], []))
        place, node = next((module for module in modules if clean(module[0]) == at), modules[0])
        return Found("module", module_tensors(node), at=clean(place), class_name=_class_name(node), places=_places(modules), node=node)
    return None


def _places(found: Sequence[tuple[str, object]]) -> tuple[str, ...]:
    """Where each of them lies, the best first."""
    return tuple(dict.fromkeys(clean(place) for place, _ in found[:_PLACES]))


def _children(node: Node) -> list[tuple[str, Node]]:
    if isinstance(node, (list, tuple)):
        return [(str(index), child) for index, child in enumerate(node[:16])]
    return list(fields(node).items())


def _rank(place: str, tensors: Named) -> tuple[int, int, int]:
    """Order of candidates: an averaged copy last, known names first, then the one with the most numbers."""
    last = place.rsplit(".", 1)[-1].lower()
    known = _PREFERRED.index(last) if last in _PREFERRED else len(_PREFERRED)
    return int("ema" in place.lower()), known, -sum(tensor.numel for _, tensor in tensors)


def _no_model(root: Node) -> Refused:
    if _is_optimizer(root) or any(_is_optimizer(child) for _, child in _children(root)):
        return Refused("file-optimizer-only")
    if as_tensor(root) is not None:
        return Refused("file-single-tensor", shape=str(list(getattr(as_tensor(root), "shape", ()))))
    if isinstance(root, (list, tuple)) and any(as_tensor(child) is not None for child in root[:100]):
        return Refused("file-data-tensors", names=f"{len(root)}")
    name = class_of(root)
    if name is not None and entries(root) is None:
        return Refused("file-no-weights-object", cls=clean(name.qualified))
    names = list(fields(root))
    if names:
        return Refused("file-no-weights-dict", names=clean(", ".join(names[:8])))
    return Refused("file-no-weights-other", what=_plain_name(root))


def _plain_name(node: Node) -> str:
    if isinstance(node, Mapping):
        return "dict"
    return clean(type(node).__name__) if node is None or isinstance(node, (bool, int, float, str, bytes, list, tuple)) else "object"

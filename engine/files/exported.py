"""torch.export's archives (.pt2), old layouts and new: weights, declared inputs, and what loading them would run."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from engine.files.archive import Archive
from engine.files.expressions import called_by
from engine.files.findings import Findings, add_tensors
from engine.files.nested import PICKLE_LIMIT_BYTES, saved_names, saved_program
from engine.files.operators import Name, beyond_computing
from engine.files.program_inputs import declared_inputs
from engine.files.reading import Broken, Source, TooComplex, clean
from engine.files.tensors import TensorEntry, as_tensor, numbers
from engine.files.weights import Found, Named, entries

_JSON_LIMIT_BYTES = 64 << 20
DTYPE_CODES = {1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64", 9: "complex32", 10: "complex64",
               11: "complex128", 12: "bool", 13: "bfloat16", 28: "uint16", 29: "float8_e4m3fn", 30: "float8_e5m2", 31: "float8_e4m3fnuz",
               32: "float8_e5m2fnuz", 33: "float8_e8m0fnu", 34: "uint32", 35: "uint64"}
_OBJECTS = "opaque_obj"
"""How the names of constants begin that are Python objects: pickles, whatever else is said of them."""
_VISITS = 3_000_000


def read_exported(archive: Archive) -> Findings:
    """What an exported program is. Loading it evaluates its size expressions and unpickles parts of it, so these are looked at too."""
    findings, program = Findings("exported-program"), _program(archive)
    parameters, buffers = _names_of(program, "parameter"), _names_of(program, "buffer")
    _add_listed(archive, findings)
    for name in ("data/weights/model.pt", "serialized_state_dict.pt"):
        if name in archive.names and not findings.entries:
            _add_saved(archive.inner(name, PICKLE_LIMIT_BYTES), findings, parameters)
    if findings.entries:
        findings.parameters = sum(_counts(entry for entry in findings.entries if entry.key in parameters).values())
        findings.buffers = sum(_counts(entry for entry in findings.entries if entry.key in buffers).values())
    findings.inputs = declared_inputs(program, DTYPE_CODES) or None
    findings.architecture = _root_class(program)
    found = reached(archive)
    findings.globals += found.names
    if found.texts:
        findings.note("note-evaluated-text")
    if found.operators:
        findings.note("note-operators", names=", ".join(f"{module}.{name}" for module, name in found.operators[:5]))
    return findings


class Reached(NamedTuple):
    """What loading or running a program reaches beyond computing."""

    texts: list[Name]
    """Called by texts that torch evaluates."""
    operators: list[Name]
    others: list[Name]
    """Imported by pickles inside, or compiled."""

    @property
    def names(self) -> list[Name]:
        """All of them."""
        return [*self.texts, *self.operators, *self.others]


def reached(archive: Archive) -> Reached:
    """The one answer of whoever looks at a file and whoever loads it, so that they agree."""
    if archive.strays:
        # Torch looks for older programs among them, by their whole names.
        raise Broken("entries outside of its folder")
    texts: dict[Name, None] = {}
    operators: dict[Name, None] = {}
    for program in _programs(archive):
        texts |= dict.fromkeys(_of_guards(program))
        for node in _nodes(program):
            texts |= dict.fromkeys(_of_texts(node))
            operators |= dict.fromkeys(_of_operators(node))
    # Torch opens the compiled libraries that lie beside the program.
    compiled = [("torch._inductor", "aoti_load_package")] if any(name.startswith("data/aotinductor/") for name in archive.names) else []
    return Reached(list(texts), list(operators), [*dict.fromkeys(_unpickled(archive)), *compiled])


def _program(archive: Archive) -> dict[str, Any]:
    name = "models/model.json" if "models/model.json" in archive.names else "serialized_exported_program.json"
    if name not in archive.names:
        return {}
    return _json(archive, name)


def _programs(archive: Archive) -> Iterator[dict[str, Any]]:
    """Every program in the archive: torch reads them all, whichever is asked for and however the name ends."""
    for name in archive.names:
        if name == "serialized_exported_program.json" or name.startswith("models/"):
            yield _json(archive, name)


def _json(archive: Archive, name: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(archive.read(name, _JSON_LIMIT_BYTES), type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Broken(f"{name} is no JSON") from error


def _names_of(program: dict[str, Any], kind: str) -> set[str]:
    """Keys of the parameters or the buffers, as the signature lists them."""
    try:
        specs = program["graph_module"]["signature"]["input_specs"] if program else ()
        return {str(spec[kind][f"{kind}_name"]) for spec in specs if kind in spec}
    except (KeyError, TypeError) as error:
        raise Broken("the program's signature") from error


def _add_listed(archive: Archive, findings: Findings) -> None:
    """Fill in the tensors from the list that newer files have."""
    listed = "data/weights/model_weights_config.json"
    config = _json(archive, listed).get("config") if listed in archive.names else None
    for name, described in (config or {}).items():
        findings.entries.append(_entry(name, described))
    findings.dtypes = _counts(findings.entries)
    if config is not None:
        findings.weights_bytes = sum(archive.sizes.get(f"data/weights/{file}", 0) for file in {entry.storage for entry in findings.entries})


def _counts(entries: Iterable[TensorEntry]) -> dict[str, int]:
    """Numbers by type, what shares a file once."""
    counts: dict[str, int] = {}
    for entry in {entry.storage: entry for entry in entries}.values():
        counts[entry.dtype] = counts.get(entry.dtype, 0) + math.prod(entry.shape)
    return counts


def _entry(name: str, described: Any) -> TensorEntry:
    try:
        meta = described["tensor_meta"]
        shape = numbers(tuple(size["as_int"] for size in meta["sizes"]))
        if shape is None:
            raise Broken("the list of weights")
        dtype = DTYPE_CODES.get(meta["dtype"], "unknown")
        return TensorEntry(clean(name, 1000), dtype, shape, storage=clean(str(described["path_name"])), device=clean(str(meta["device"]["type"])),
                           parameter=bool(described.get("is_param")))
    except (KeyError, TypeError, AttributeError) as error:
        raise Broken("the list of weights") from error


def _add_saved(saved: Source, findings: Findings, parameters: set[str]) -> None:
    """Fill in the tensors from a state dict that torch.save wrote into the archive."""
    if not saved.size_bytes:
        return
    program = saved_program(saved)
    named: Named = [(str(key), tensor._replace(parameter=str(key) in parameters))
                    for key, tensor in ((key, as_tensor(value)) for key, value in entries(program.root) or ()) if tensor is not None]
    add_tensors(findings, Found("exported-program", [(clean(key, 1000), tensor) for key, tensor in named]))


def _unpickled(archive: Archive) -> Iterator[Name]:
    """Names that the pickles inside would import; loading falls back to the full unpickler, so they count."""
    for name in dict.fromkeys(_pickles(archive)):
        if archive.sizes[name] > 1:
            yield from saved_names(archive.inner(name, PICKLE_LIMIT_BYTES))


def _pickles(archive: Archive) -> Iterator[str]:
    """Entries that torch would unpickle: whole state dicts of older files, samples, objects, and single tensors that the lists mark so."""
    # Torch finds an entry whatever the case of its letters.
    entries = {name.lower(): name for name in archive.names}
    yield from (name for lower, name in entries.items() if lower.endswith(".pt") and lower.startswith(("data/", "serialized_")))
    yield from (entries[name] for name in ("serialized_state_dict.json", "serialized_constants.json") if name in entries)
    for name in archive.names:
        folder = next((folder for folder in ("data/weights/", "data/constants/") if name.startswith(folder)), None)
        if folder is None or not name.endswith("_config.json"):
            continue
        config = _json(archive, name).get("config")
        for described in config.values() if isinstance(config, dict) else ():
            if isinstance(described, dict) and (described.get("use_pickle") or str(described.get("path_name")).startswith(_OBJECTS)):
                entry = posixpath.join(folder, str(described.get("path_name"))).lower()
                if entry in entries:
                    yield entries[entry]


def _of_guards(program: dict[str, Any]) -> Iterator[Name]:
    for guard in program.get("guards_code") or ():
        yield from called_by(str(guard), names_are_keys=True)


def _nodes(program: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object of the program's text."""
    waiting: list[Any] = [program]
    for _ in range(_VISITS):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
        waiting += [child for child in (node.values() if isinstance(node, dict) else node) if isinstance(child, (dict, list))]
    raise TooComplex


def _of_texts(node: dict[str, Any]) -> Iterator[Name]:
    """What a size's expression would call beyond arithmetic, and the form of arguments and results: two of its containers name what is to be imported."""
    if isinstance(text := node.get("expr_str"), str):
        yield from called_by(text)
    for form in (str(node.get(name)) for name in ("in_spec", "out_spec", "treespec") if node.get(name)):
        if "__enum__" in form:
            yield "importlib", "import_module"
        if "collections.defaultdict" in form:
            yield "torch.utils._pytree", "defaultdict"


def _of_operators(node: dict[str, Any]) -> Iterator[Name]:
    """Operators that do more than compute: a node's own, and one that is handed to another operator to be called."""
    for target in (node.get("target"), node.get("as_operator")):
        if isinstance(target, str) and (found := beyond_computing(target)) is not None:
            yield found


def _root_class(program: dict[str, Any]) -> str | None:
    """The class of the module that was exported, from the first node that names it."""
    try:
        for node in program["graph_module"]["graph"]["nodes"][:50]:
            stack = str((node.get("metadata") or {}).get("nn_module_stack", ""))
            if stack.startswith("L__self__,"):
                return clean(stack.split(";", 1)[0].rsplit(",", 1)[-1]) or None
    except (KeyError, TypeError, AttributeError):
        return None
    return None

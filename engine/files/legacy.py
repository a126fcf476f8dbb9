"""torch.save's format before 1.6: a row of pickles, then the raw storages."""

from __future__ import annotations

from engine.files.findings import Findings, from_program, refuse_pickle
from engine.files.machine import describe
from engine.files.nodes import Call, Mapping, Node, Persistent, Program
from engine.files.reading import Broken, Refused, Source, TooComplex, Truncated
from engine.files.tensors import Storage, as_storage

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
MAGIC = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
_VISITS = 2_000_000


def looks_like_pickle(head: bytes) -> bool:
    """Whether a file begins as a binary pickle, or as an old text one with a call in it."""
    return (head[:1] == b"\x80" and head[1:2] <= b"\x05") or head[:4] in (b"ccop", b"cpos", b"cnt\n", b"cos\n", b"c__b", b"cbui", b"csub")


def is_legacy(head: bytes) -> bool:
    """Whether a file begins with torch's own number in a pickle."""
    return MAGIC in head[:16]


def read_legacy(source: Source) -> Findings:
    """What an unzipped torch file is; raises Refused, Broken, Truncated, TooComplex."""
    source.file.seek(0)
    programs = [describe(source.file, source.size_bytes) for _ in range(3)]
    if programs[0].root != MAGIC_NUMBER:
        raise Broken("torch's number stands in another place")
    program = describe(source.file, source.size_bytes)
    findings = from_program(program)
    findings.globals = [*(name for one in programs for name in one.globals), *program.globals]
    _check_storages(source, program)
    return findings


def _check_storages(source: Source, program: Program) -> None:
    """Raises Truncated with the missing bytes when the storages do not all lie in the file."""
    keys = describe(source.file, source.size_bytes).root
    start = source.file.tell()
    storages = all_storages(program.root)
    if not isinstance(keys, list):
        raise Broken("no list of storages")
    needed = sum(8 + storages[str(key)].size_bytes for key in keys if isinstance(key, (str, int)) and str(key) in storages)
    if needed > source.size_bytes - start:
        raise Truncated(needed - (source.size_bytes - start))


def all_storages(root: Node) -> dict[str, Storage]:
    """Every storage that a described object refers to, by key."""
    found: dict[str, Storage] = {}
    seen, waiting = {id(root)}, [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Persistent) and (storage := as_storage(node)) is not None:
            found[storage.key] = storage
            continue
        for child in _parts(node):
            if isinstance(child, (list, tuple, Mapping, Call, Persistent)) and id(child) not in seen:
                seen.add(id(child))
                waiting.append(child)
        if len(seen) > _VISITS:
            raise TooComplex
    return found


def _parts(node: Node) -> list[Node]:
    if isinstance(node, (list, tuple)):
        return list(node)
    if isinstance(node, Mapping):
        return [part for pair in node.pairs for part in pair]
    if isinstance(node, Call):
        return [node.function, node.arguments, node.state, *node.values, *(part for pair in node.pairs for part in pair)]
    return [node.id] if isinstance(node, Persistent) else []


_FOREIGN = {"sklearn": "scikit-learn", "xgboost": "XGBoost", "lightgbm": "LightGBM", "keras": "Keras", "tensorflow": "TensorFlow", "pandas": "pandas",
            "spacy": "spaCy", "catboost": "CatBoost", "joblib": "joblib"}


def read_other_pickle(source: Source) -> Findings:
    """Refuse a pickle that torch.save did not write, naming what it is and what it would call."""
    source.file.seek(0)
    program = describe(source.file, source.size_bytes)
    roots = {module.split(".", 1)[0] for module, _ in program.globals}
    for root, name in _FOREIGN.items():
        if root in roots:
            raise Refused("file-other-library", library=name)
    # Raises with a sentence of its own when torch's objects in it are no model either.
    code = "file-plain-pickle-weights" if "torch" in roots and from_program(program) else "file-plain-pickle"
    raise refuse_pickle(program, Refused(code))

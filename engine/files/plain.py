"""Pickles that torch.save did not write: pickle.dump of a model, of another library's, or of anything."""

from __future__ import annotations

import io
import zlib
from typing import NoReturn

from engine.files.findings import refuse_pickle
from engine.files.machine import Names, describe
from engine.files.nested import open_storages
from engine.files.nodes import Program
from engine.files.reading import Broken, Refused, Source, clean
from engine.files.weights import Found, classify

_FOREIGN = {"sklearn": "scikit-learn", "xgboost": "XGBoost", "lightgbm": "LightGBM", "keras": "Keras", "tensorflow": "TensorFlow", "pandas": "pandas",
            "spacy": "spaCy", "catboost": "CatBoost", "paddle": "PaddlePaddle", "jax": "JAX", "jaxlib": "JAX", "flax": "Flax", "mxnet": "MXNet",
            "chainer": "Chainer", "cupy": "CuPy", "statsmodels": "statsmodels", "joblib": "joblib"}
_UNPACKED_BYTES = 1 << 20


def looks_like_pickle(head: bytes) -> bool:
    """Whether a file begins as a binary pickle, or as an old text one with a call in it."""
    return (head[:1] == b"\x80" and head[1:2] <= b"\x05") or head[:4] in (b"ccop", b"cpos", b"cnt\n", b"cos\n", b"c__b", b"cbui", b"csub", b"(lp0", b"(dp0")


def refuse_pickled(source: Source) -> NoReturn:
    """Refuse a pickle that torch.save did not write, naming what it is and what it would call."""
    seen: Names = {}
    source.file.seek(0)
    try:
        program = describe(source.file, source.size_bytes, seen)
        seen.update(open_storages(source, program.root))
    except Broken:
        # joblib puts raw arrays between the opcodes: the names before the first one tell what it is.
        _refuse_foreign(seen)
        raise
    _refuse_foreign(seen)
    raise refuse_pickle(Program(program.root, list(seen), program.plain), _refusal(program))


def _refuse_foreign(seen: Names) -> None:
    roots = {module.split(".", 1)[0] for module, _ in seen}
    for root, name in _FOREIGN.items():
        if root in roots:
            # joblib is how scikit-learn writes; by its name alone it is dangerous, for it reads files.
            others = [each for each in seen if not each[0].startswith("joblib.numpy_pickle")]
            raise refuse_pickle(Program(None, others, plain=False), Refused("file-other-library", library=name))


def _refusal(program: Program) -> Refused:
    try:
        found = classify(program.root)
    except Refused as refused:
        arrays = sum(module.startswith("numpy") and name in ("_reconstruct", "_frombuffer") for module, name in program.globals)
        return Refused("file-plain-pickle-arrays") if arrays and refused.code in ("file-no-weights-dict", "file-no-weights-other") else refused
    return _holding(found)


def _holding(found: Found) -> Refused:
    if found.kind == "module":
        return Refused("file-plain-pickle-module", cls=clean(found.class_name or "?"))
    return Refused("file-plain-pickle-weights", tensors=len(found.tensors))


def refuse_squeezed(source: Source) -> None:
    """Raises Refused for a pickle that joblib compressed with zlib; looks at its beginning only."""
    if source.head[:1] != b"\x78" or int.from_bytes(source.head[:2], "big") % 31:
        return
    try:
        data = zlib.decompressobj().decompress(source.read_at(0, _UNPACKED_BYTES), _UNPACKED_BYTES)
    except zlib.error:
        return
    if looks_like_pickle(data[:16]):
        refuse_pickled(Source(source.path, io.BytesIO(data), len(data)))
    raise Refused("file-packed", format="zlib")

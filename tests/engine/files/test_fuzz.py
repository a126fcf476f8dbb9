"""No bytes crash the reader, hang it or bloat it: it returns an answer, in bounded time and memory."""

from __future__ import annotations

import os
import pickletools
import random
import struct
import time
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.files import inspect_file
from tests.support import model_files as make

EXAMPLES = int(os.environ.get("MODEL_DYNO_FUZZ", "300"))
WEIGHTS = make.state_dict()
SEEDS = [
    make.zipped(WEIGHTS), make.zipped({"model": WEIGHTS}), make.zipped(make.net()), make.legacy(WEIGHTS), make.legacy(make.net()), make.torchscript(),
    make.safetensors({"a.weight": ("F32", (2, 3)), "b": ("I64", (4,))}), make.pickled(WEIGHTS, 4),
    make.onnx(inputs=(make.onnx_input("x", (None, 3, "h", 7)),), initializers=(make.onnx_tensor("w", (3,)),), nodes=(make.constant("c", make.onnx_tensor("", (2,))),)),
    make.zip_of({"e/archive_format": b"pt2", "e/models/model.json": b"{}", "e/data/weights/model_weights_config.json": b'{"config": {"a": {"path_name": "w",'
                 b'"is_param": true, "tensor_meta": {"dtype": 7, "sizes": [{"as_int": 4}], "device": {"type": "cpu"}}}}}'}),
    b'{"error": "x"}', b"<html>", b"version https://git-lfs.github.com/spec/v1\nsize 3\n",
]
HEADS = [seed[:24] for seed in SEEDS] + [b"PK\x03\x04", b"\x80\x02", b"\x80\x04", b"\x08\x08"]
QUICK = settings(max_examples=EXAMPLES, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def look(tmp_path, data: bytes):
    """Inspect the bytes as a file; the answer is a model or a refusal, never both, never an exception."""
    path = tmp_path / "fuzz.pth"
    path.write_bytes(data)
    found = inspect_file(str(path))
    assert (found.info is None) != (found.refusal is None)
    return found


@QUICK
@given(st.data())
def test_mutated_files(tmp_path, data):
    """Valid files with bytes changed, taken out, put in, repeated or cut off."""
    content = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        match data.draw(st.integers(0, 4)):
            case 0:
                content[at : at + 1] = bytes([data.draw(st.integers(0, 255))])
            case 1:
                del content[at : at + data.draw(st.integers(1, 40))]
            case 2:
                content[at:at] = data.draw(st.binary(max_size=16))
            case 3:
                content[at:at] = content[at : at + 200]
            case 4:
                del content[max(1, at) :]
    look(tmp_path, bytes(content))


@QUICK
@given(st.sampled_from([b"", *HEADS]), st.binary(max_size=400))
def test_arbitrary_bytes(tmp_path, head, tail):
    """Anything, with and without the first bytes of a known format."""
    look(tmp_path, head + tail)


OPCODES = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]
PIECES = st.one_of(st.sampled_from(OPCODES), st.sampled_from([b"ctorch._utils\n_rebuild_tensor_v2\n", b"ccollections\nOrderedDict\n", b"}", b"(", b"K\x01", b"q\x00",
                   b"h\x00", b"X\x01\0\0\0a", b"\x85", b"R", b"b", b"u", b"s", b"Q", b"t", b"cposix\nsystem\n", b"\x93", b"\x8c\x01a", b"X\x07\0\0\0storage"]))


@QUICK
@given(st.lists(PIECES, max_size=60))
def test_arbitrary_pickles(tmp_path, pieces):
    """Opcodes in any order, as the pickle of a torch archive."""
    look(tmp_path, make.zip_of({"a/data.pkl": b"\x80\x02" + b"".join(pieces) + b".", "a/version": b"3"}))


@QUICK
@given(st.recursive(st.none() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False) | st.booleans(),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4), max_leaves=20))
def test_arbitrary_objects(tmp_path, value):
    """What pickle itself writes is read without fault: refused, but as what it is."""
    code = look(tmp_path, make.zipped(value)).refusal.code
    assert code in ("file-no-weights-dict", "file-no-weights-other", "file-optimizer-only")


def bounded(tmp_path, data: bytes, seconds: float, limit_bytes: int):
    """The answer, having held its bounds."""
    path = tmp_path / "bomb.pth"
    path.write_bytes(data)
    tracemalloc.start()
    started = time.process_time()
    try:
        found = inspect_file(str(path))
        spent, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert spent < seconds
    assert peak < limit_bytes
    return found


def torch_zip(data: bytes, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A torch archive with this pickle."""
    return make.zip_of({"a/data.pkl": data, "a/version": b"3"}, compression)


def test_zip_bomb(tmp_path, monkeypatch):
    """A pickle that unpacks to more than any model describes is not unpacked to its end."""
    monkeypatch.setattr("engine.files.zipped.PICKLE_LIMIT_BYTES", 4 << 20)
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    squeezed = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(128)) + squeezer.flush()
    name = b"a/data.pkl"
    local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, len(squeezed), 128 << 20, len(name), 0) + name + squeezed
    entry = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, 0, len(squeezed), 128 << 20, len(name), 0, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(local), 0)
    found = bounded(tmp_path, local + entry + end, 5, 32 << 20)
    assert found.refusal.code == "file-too-complex"


def test_declared_sizes_are_not_believed(tmp_path):
    """Sizes that the file does not have cost nothing: zip entries, strings, frames, headers, protocol buffers."""
    huge = struct.pack("<Q", 1 << 62)
    data = torch_zip(b"\x80\x02N.")
    at = data.index(b"PK\x01\x02") + 20
    liar = data[:at] + struct.pack("<II", 0xFFFFFFF0, 0xFFFFFFF0) + data[at + 8 :]
    cases = [liar, torch_zip(b"\x80\x04\x8d" + huge + b"a."), torch_zip(b"\x80\x04\x95" + huge + b"N."), torch_zip(b"\x80\x05\x96" + huge + b"N."),
             torch_zip(b"\x80\x02\x8b\xff\xff\xff\x7f."), struct.pack("<Q", 99_999_999) + b"{}" + bytes(50), b"\x08\x08\x3a\xff\xff\xff\xff\x0f" + bytes(50)]
    for case in cases:
        assert bounded(tmp_path, case, 2, 50 << 20).refusal is not None


def test_deep_nesting(tmp_path):
    """Fifty thousand levels of tuple, list, call and JSON are read or refused, without recursion."""
    deep = 50_000
    assert bounded(tmp_path, torch_zip(b"\x80\x02)" + b"\x85" * deep + b"."), 30, 500 << 20).refusal is not None
    assert bounded(tmp_path, torch_zip(b"\x80\x02" + b"]" * deep + b"a" * (deep - 1) + b"."), 30, 500 << 20).refusal is not None
    calls = b"ccollections\nOrderedDict\nq\0" + b"h\0" * (deep) + b")" + b"R" * (deep) + b"."
    assert bounded(tmp_path, torch_zip(b"\x80\x02" + calls), 30, 500 << 20).refusal is not None
    header = b'{"a":' + b"[" * deep
    assert bounded(tmp_path, struct.pack("<Q", len(header)) + header, 5, 100 << 20).refusal is not None
    assert bounded(tmp_path, b"[" * deep, 5, 100 << 20).refusal is not None


def test_shared_parts_do_not_multiply(tmp_path):
    """Lists of lists of the same list (2 to the power of 40 paths) are walked once each, in weights and in modules alike."""
    layers = b"]q\0" + b"".join(b"](h" + bytes([place]) + b"h" + bytes([place]) + b"eq" + bytes([place + 1]) for place in range(40))
    assert bounded(tmp_path, torch_zip(b"\x80\x02" + layers + b"."), 5, 100 << 20).refusal is not None
    assert bounded(tmp_path, make.zip_of({"a/data.pkl": _shared_modules(40), "a/data/0": bytes(4)}), 5, 100 << 20).info.kind == "module"


def _shared_modules(levels: int) -> bytes:
    """A module whose children are twice the same module, again and again."""
    def module(body: bytes) -> bytes:
        return b"c__main__\nNet\n)\x81}(X\x08\0\0\0_buffers}X\x08\0\0\0_modules}" + body + b"ub"

    tensor = make.pickled(make.tensor("0", 1))[2:-1]
    inner = b"c__main__\nNet\n)\x81}(X\x08\0\0\0_buffers}X\x01\0\0\0w" + tensor + b"sX\x08\0\0\0_modules}ubr\xe8\x03\0\0"
    out = b"\x80\x02" + inner + b"0"
    for level in range(levels):
        child = b"j" + struct.pack("<I", 1000 + level)
        out += module(b"(X\x01\0\0\0a" + child + b"X\x01\0\0\0b" + child + b"u") + b"r" + struct.pack("<I", 1001 + level) + b"0"
    return out + b"j" + struct.pack("<I", 1000 + levels) + b"."


def test_too_many_opcodes(tmp_path, monkeypatch):
    """A description that is longer than that of any model is refused, and says what to save instead."""
    monkeypatch.setattr("engine.files.opcodes.OPERATIONS_LIMIT", 100_000)
    assert bounded(tmp_path, torch_zip(b"\x80\x02" + b"N0" * 49_000 + b"N."), 5, 50 << 20).refusal.code == "file-no-weights-other"
    found = bounded(tmp_path, torch_zip(b"\x80\x02" + b"N0" * 50_000 + b"N."), 5, 50 << 20)
    assert found.refusal.code == "file-too-complex"


def test_endless_lines_and_memo(tmp_path):
    """A name without an end, and a memo filled with entries that nobody asks for."""
    assert bounded(tmp_path, torch_zip(b"\x80\x02c" + b"a" * 10_000_000), 5, 100 << 20).refusal.code == "file-damaged"
    memo = b"".join(b"Nr" + struct.pack("<I", place) + b"0" for place in range(50_000))
    assert bounded(tmp_path, torch_zip(b"\x80\x02" + memo + b"N."), 30, 400 << 20).refusal is not None
    names = b"".join(b"cmodule%d\nname\n0" % place for place in range(20_000))
    assert bounded(tmp_path, torch_zip(b"\x80\x02" + names + b"N."), 10, 100 << 20).refusal.code == "file-too-complex"


def test_onnx_of_endless_fields(tmp_path):
    """Many empty nodes are read within the bound; graphs within graphs have an end."""
    graph = make.proto((2, "g")) + make.proto((1, b"")) * 50_000
    data = make.proto((1, 8), (2, "x"), (7, graph), (8, make.proto((2, 17))))
    assert bounded(tmp_path, data, 30, 100 << 20).info.kind == "onnx"
    nested = b""
    for _ in range(50):
        nested = make.proto((1, make.proto((4, "If"), (5, make.proto((1, "then"), (6, nested))))))
    assert bounded(tmp_path, make.proto((1, 8), (2, "x"), (7, nested), (8, make.proto((2, 17)))), 5, 100 << 20).refusal.code == "file-too-complex"


@pytest.mark.parametrize("seed", range(3))
def test_random_damage_within_a_real_file(models_folder, tmp_path, seed):
    """Bytes of real files overwritten at random."""
    chance = random.Random(seed)
    for path in sorted(models_folder.iterdir()):
        if path.is_file() and path.suffix != ".md":
            content = bytearray(path.read_bytes())
            for _ in range(chance.randrange(1, 200)):
                content[chance.randrange(min(len(content), 20_000))] = chance.randrange(256)
            look(tmp_path, bytes(content))

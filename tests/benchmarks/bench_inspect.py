"""How long `inspect` takes: `python -m pytest -m bench tests/benchmarks/bench_inspect.py -s`."""

from __future__ import annotations

import os
import struct
import time
import zipfile

import pytest

from engine.files import inspect_file, inspect_in_child
from tests.support import model_files as make

MB = 1_000_000
BARS_S = {100: 1.0, 2000: 3.0}


def write_zip(path, size_bytes):
    """A torch archive of 50 layers."""
    layers = {f"layer{place}.weight": make.tensor(str(place), size_bytes // 200) for place in range(50)}
    chunk = os.urandom(size_bytes // 200 * 4)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", make.pickled(layers))
        for key, size in make.storages_of(layers).items():
            archive.writestr(f"m/data/{key}", chunk[:size])


def write_legacy(path, size_bytes):
    """The format before 1.6, of 50 layers."""
    layers = {f"layer{place}.weight": make.tensor(str(place), size_bytes // 200) for place in range(50)}
    empty = make.legacy(layers, {})
    sizes = make.storages_of(layers)
    with open(path, "wb") as file:
        file.write(empty.removesuffix(make.pickled([])) + make.pickled(sorted(sizes)))
        file.writelines(struct.pack("<q", size // 4) + os.urandom(size) for size in sizes.values())


def write_safetensors(path, size_bytes):
    """One large tensor."""
    header = make.safetensors({"w": ("F32", (0,))})[8:].replace(b"[0]", b"[%d]" % (size_bytes // 4)).replace(b"[0, 0]", b"[0, %d]" % size_bytes)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.writelines(os.urandom(MB) for _ in range(size_bytes // MB))


def write_onnx(path, size_bytes):
    """50 initializers."""
    raw = os.urandom(size_bytes // 50)
    tensors = [make.proto((1, len(raw) // 4), (2, 1), (8, f"w{place}"), (9, raw)) for place in range(50)]
    with open(path, "wb") as file:
        file.write(make.onnx(initializers=tuple(tensors)))


@pytest.mark.bench
@pytest.mark.parametrize("megabytes", BARS_S)
@pytest.mark.parametrize("write", [write_zip, write_legacy, write_safetensors, write_onnx])
def test_inspect_answers_in_time(tmp_path, write, megabytes):
    """From the question to the answer of the child, sha256 included, warm disk; and the reading alone."""
    path = tmp_path / "model"
    write(path, megabytes * MB)
    inspect_file(str(path))
    started = time.perf_counter()
    found = inspect_in_child(str(path))
    whole_s = time.perf_counter() - started
    started = time.perf_counter()
    inspect_file(str(path), with_hash=False)
    reading_s = time.perf_counter() - started
    path.unlink()
    print(f"\n{write.__name__.removeprefix('write_'):12} {megabytes:5} MB: {whole_s:.2f} s, without sha256 {reading_s * 1000:.1f} ms")
    assert found.info.values == megabytes * MB // 4
    assert whole_s < BARS_S[megabytes]

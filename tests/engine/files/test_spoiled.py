"""Three hundred spoiled files of every sort (ten thousand by hand: tests/benchmarks/bench_fuzz.py): an answer each, in bounds, and no effect."""

from __future__ import annotations

import os
import random
import time
import tracemalloc

import pytest

from engine.files import inspect_file
from tests.support import sorts
from tests.support.mutations import LARGEST_BYTES, mutated

COUNT = int(os.environ.get("MODEL_DYNO_FUZZ", "300"))
BATCHES = 6


@pytest.fixture(scope="module")
def seeds(tmp_path_factory, models_folder):
    """Made and real files, small enough to be spoiled quickly."""
    folder = tmp_path_factory.mktemp("whole")
    sorts.write_all(folder)
    paths = [path for path in [*sorted(folder.rglob("*")), *sorted(models_folder.iterdir())] if path.is_file()]
    return folder, [(path.name, path.read_bytes()) for path in paths if 0 < path.stat().st_size <= LARGEST_BYTES]


@pytest.mark.parametrize("batch", range(BATCHES))
def test_spoiled_files(tmp_path, seeds, batch):
    """A model or a refusal, within 5 s and 1 GB; the canary of the harmful ones never appears."""
    folder, kept = seeds
    chance = random.Random(batch)
    tracemalloc.start()
    try:
        for _ in range(COUNT // BATCHES):
            name, content = chance.choice(kept)
            path = tmp_path / name
            path.write_bytes(mutated(content, chance))
            began = time.process_time()
            found = inspect_file(str(path))
            assert time.process_time() - began < 5, name
            assert (found.info is None) != (found.refusal is None), name
            path.unlink()
        assert tracemalloc.get_traced_memory()[1] < 1 << 30
    finally:
        tracemalloc.stop()
    assert not (folder / "canary").exists()

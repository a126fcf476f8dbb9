"""The largest batch on a CUDA machine: a real out-of-memory, who held what, what fits, and the same batch in micro-batches; figures in docs/gpu.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.events import BatchTried
from engine.job import PLANS, Configuration
from engine.supervisor import Engine
from tests.support import hungry, jobs, nets

pytestmark = pytest.mark.gpu
GIB = 2**30
TALL = f"{Path(hungry.__file__).resolve()}:Tall()"
HOLDING = "import torch; x = torch.empty({bytes}, dtype=torch.uint8, device='cuda'); torch.cuda.synchronize(); print('holding', flush=True); input()"


@pytest.fixture(scope="module")
def events():
    return []


@pytest.fixture(scope="module")
def engine(events, tmp_path_factory):
    made = Engine(events.append, history_folder=tmp_path_factory.mktemp("history"))
    if not made.start().gpus:
        made.close()
        pytest.skip("no CUDA device")
    yield made
    made.close()


@pytest.fixture(scope="module")
def run(engine, tmp_path_factory):
    """The outcomes of `hungry.Tall`, which takes half a GiB for each item, under these configurations."""
    weights = jobs.save(tmp_path_factory.mktemp("weights"), nets.Linears())

    def call(*configurations):
        job, info = jobs.make_job(weights, None, configurations=configurations, plan=PLANS["quick"])
        job = msgspec.structs.replace(job, model=msgspec.structs.replace(job.model, architecture=TALL))
        return engine.run_job(job, info).outcomes

    return call


def keep(name, value):
    folder = os.environ.get("GPU_FIGURES")
    if folder:
        Path(folder, name).write_text(json.dumps(value, indent=1))


def plain(outcome):
    return msgspec.to_builtins(msgspec.structs.replace(outcome, samples=None, timeline=(), code="", log=""))


@pytest.fixture(scope="module")
def found(run, events):
    """The whole device, three quarters of it, and a batch that does not fit."""
    events.clear()
    outcomes = run(
        Configuration(device="cuda:0", options={"batch": "max"}), Configuration(device="cuda:0", options={"batch": "max:75%"}),
        Configuration(device="cuda:0", batch_size=1024), Configuration(device="cuda:0", batch_size=1024, options={"micro_batch": 16}),
    )
    keep("largest.json", [plain(outcome) for outcome in outcomes])
    return outcomes


def test_the_largest_batch_fits_and_a_few_more_do_not(found, engine):
    total = engine.facts.gpus[0].memory_bytes
    whole = found[0]
    assert (whole.status, whole.error) == ("ok", None)
    assert whole.configuration.batch_size == whole.largest.batch_size < whole.largest.fails_at
    assert whole.largest.fails_at - whole.largest.batch_size <= max(1, whole.largest.batch_size // 32)
    assert 0.85 * total < whole.memory.device_peak_bytes <= total
    assert whole.latency.p50_ms > 0


def test_three_quarters_take_no_more_than_that(found, engine):
    total = engine.facts.gpus[0].memory_bytes
    part = found[1]
    assert (part.status, part.error) == ("ok", None)
    assert part.largest.batch_size < found[0].largest.batch_size
    assert 0.65 * total < part.memory.device_peak_bytes <= 0.75 * total


def test_each_try_was_told(found, events):
    tried = [event for event in events if isinstance(event, BatchTried) and event.index == 0 and event.probe is not None]
    assert [event.probe for event in tried] == list(found[0].largest.probes)
    assert any(not event.probe.fits for event in tried)


def test_a_real_out_of_memory_says_who_holds_what_and_what_fits(found):
    failed, biggest = found[2], found[0].largest.batch_size
    assert failed.status == "out-of-memory"
    assert failed.error.say.endswith("-fits")
    assert failed.error.values["fitting"] == biggest
    assert failed.error.values["parts"] == -(-1024 // biggest)
    assert "weights" in failed.error.summary and "cached" in failed.error.summary


def test_the_same_batch_runs_in_micro_batches(found):
    cut = found[3]
    assert (cut.status, cut.error, cut.configuration.batch_size) == ("ok", None, 1024)
    assert cut.memory.device_peak_bytes < 0.75 * found[0].memory.device_peak_bytes
    assert cut.latency.p50_ms > found[0].latency.p50_ms


def test_another_program_that_holds_memory_is_named(run):
    other = subprocess.Popen([sys.executable, "-c", HOLDING.format(bytes=20 * GIB)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline()
        full, least = run(Configuration(device="cuda:0", batch_size=512), Configuration(device="cuda:0", options={"batch": "max"}))
    finally:
        other.kill()
        other.communicate()
    keep("largest_shared.json", [plain(full), plain(least)])
    assert full.status == "out-of-memory"
    assert str(other.pid) in full.error.details["holders"]
    assert least.status == "ok"
    assert least.memory.others_bytes > 20 * GIB

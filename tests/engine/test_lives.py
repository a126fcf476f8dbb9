"""Life and death of workers: however one ends, there is one clear outcome, and the next configuration runs."""

from __future__ import annotations

import os
import signal
import time

import msgspec
import psutil
import pytest

from engine.events import OutcomeUpdated, PhaseStarted, Progressed
from engine.job import Configuration
from engine.process import can_fork
from engine.supervisor import Engine
from engine.workers import default_python
from tests.support import jobs, nets


@pytest.fixture(scope="module")
def shared():
    made = Engine()
    yield made
    before = psutil.Process().children(recursive=True)
    made.close()
    ours = [process for process in before if process.is_running() and process.status() != psutil.STATUS_ZOMBIE and "engine.launch" in " ".join(process.cmdline())]
    assert ours == [], "after close() no process of the engine lives"


@pytest.fixture
def events():
    return []


@pytest.fixture
def engine(shared, events, tmp_path):
    """One engine for all tests of the module: each death happens to the engine that the next test uses."""
    shared.emit = events.append
    shared._folder = tmp_path / "history"
    shared.allow()
    return shared


def outcome_of(engine, folder, what, at=30, **fields):
    job, info = jobs.misbehaving(folder, what, at, **fields)
    (outcome,) = engine.run_job(job, info).outcomes
    return outcome


def assert_next_runs(engine, folder):
    job, info = jobs.make_job(jobs.save(folder, nets.Linears()), "Linears")
    assert [outcome.status for outcome in engine.run_job(job, info).outcomes] == ["ok"]


@pytest.mark.parametrize(
    ("what", "code", "detail"),
    [
        ("kill", "killed-by-signal", {"signal": 11}),
        ("leave", "exited", {"exit_code": 7}),
        ("exit", "exited", {}),
        ("garbage", "protocol-error", {}),
        ("half_header", "protocol-error", {}),
        ("half_message", "protocol-error", {}),
        ("two_gibibytes", "protocol-error", {}),
        ("hang_up", "protocol-error", {}),
        ("kill_server", "forward-raised", {}),      # a class file's worker is confined: it reaches neither the server nor may it fork
        ("grandchild", "forward-raised", {}),
        ("fail", "forward-raised", {}),
    ],
)
def test_each_death_is_one_outcome_and_the_next_runs(engine, events, tmp_path, what, code, detail):
    outcome = outcome_of(engine, tmp_path, what)
    assert (outcome.status, outcome.error.code) == ("failed", code)
    assert outcome.error.summary
    assert outcome.error.hint
    assert detail.items() <= outcome.error.details.items()
    assert sum(isinstance(event, OutcomeUpdated) and event.final for event in events) == 1
    assert_next_runs(engine, tmp_path)


@pytest.mark.skipif(not can_fork(), reason="no fork server on this system")
def test_a_fork_server_that_is_killed_is_one_outcome_and_the_next_runs(engine, events, tmp_path):
    job, info = jobs.misbehaving(tmp_path, "sleep", 5)

    def kill_the_server(event):
        if isinstance(event, PhaseStarted) and event.phase == "warm-up":
            (server,) = engine.workers._servers.values()
            os.kill(server.pid, signal.SIGKILL)

    engine.emit = kill_the_server
    (outcome,) = engine.run_job(job, info).outcomes
    assert (outcome.status, outcome.error.code) == ("failed", "engine-lost")
    engine.emit = events.append
    assert_next_runs(engine, tmp_path)


def test_an_interrupt_reaches_no_worker(engine, tmp_path):
    assert outcome_of(engine, tmp_path, "interrupt", at=1).status == "ok"


def test_a_hung_call_is_a_timeout(engine, tmp_path):
    for what in ("sleep", "spin", "endless"):
        outcome = outcome_of(engine, tmp_path, what, timeout_s=0.5)
        assert outcome.error.code == "timeout", what
    assert_next_runs(engine, tmp_path)


def test_what_was_measured_before_a_death_is_kept(engine, tmp_path):
    # Visits without end after a warm-up that takes at most 0.2 s: far fewer calls than it dies after, however fast the machine.
    endless = msgspec.structs.replace(jobs.TURNS, visits_min=10_000, visits_max=10_000, spread_s=0.0, warm_up_limit_s=0.2)
    outcome = outcome_of(engine, tmp_path, "leave", at=30_000, plan=endless)
    assert outcome.status == "failed"
    assert outcome.latency.count > 100
    assert outcome.samples.count >= outcome.latency.count


def test_a_flood_of_prints_costs_little_and_keeps_its_end(engine, tmp_path):
    log = outcome_of(engine, tmp_path, "shout").log
    assert "last words" in log
    assert "bytes left out" in log
    assert len(log) < 150_000


@pytest.mark.parametrize("what", ["endless", "spin", "sleep"])
def test_stop_now_ends_a_worker_within_a_second(engine, events, tmp_path, what):
    job, info = jobs.misbehaving(tmp_path, what, 5)
    stopped = []

    def stop():
        stopped.append(time.monotonic())
        engine.stop_now()

    def stop_when_it_hangs(event):
        if isinstance(event, Progressed) and event.phase == "warm-up" and not stopped:
            stop()

    engine.emit = stop_when_it_hangs
    run = engine.run_job(job, info)
    assert time.monotonic() - stopped[0] < 1.0
    assert run.outcomes[0].status == "cancelled"
    engine.allow()
    assert_next_runs(engine, tmp_path)


def test_cancel_lets_the_running_configuration_finish(engine, events, tmp_path):
    path = jobs.save(tmp_path, nets.Linears())
    job, info = jobs.make_job(path, "Linears", configurations=(Configuration(batch_size=1), Configuration(batch_size=2)))

    def cancel_in_the_first(event):
        events.append(event)
        if isinstance(event, PhaseStarted) and event.phase == "steady":
            engine.cancel()

    engine.emit = cancel_in_the_first
    first, second = engine.run_job(job, info).outcomes
    assert (first.status, second.status) == ("ok", "cancelled")
    assert first.latency.p50_ms is not None
    assert second.latency is None


def test_after_a_cancel_a_configuration_in_turns_keeps_what_it_has(engine, events, tmp_path):
    path = jobs.save(tmp_path, nets.Linears())
    both = (Configuration(batch_size=1), Configuration(batch_size=2))
    job, info = jobs.make_job(path, "Linears", configurations=both, plan=jobs.TURNS)

    def cancel_in_the_second_round(event):
        events.append(event)
        if isinstance(event, OutcomeUpdated) and sum(isinstance(each, OutcomeUpdated) for each in events) == 2:
            engine.cancel()

    engine.emit = cancel_in_the_second_round
    first, second = engine.run_job(job, info).outcomes
    assert {first.status, second.status} == {"ok", "cancelled"}
    kept = first if first.status == "cancelled" else second
    assert kept.latency.count > 0
    assert kept.stopped_because.code == "cancelled-partly"


def test_a_failure_does_not_touch_the_other_configurations(engine, tmp_path):
    path = jobs.save(tmp_path, nets.Linears())
    configurations = tuple(Configuration(batch_size=size) for size in (1, 2, 3))
    job, info = jobs.make_job(path, "Linears", inputs=("f32[3,16]",), configurations=configurations)
    assert [outcome.status for outcome in engine.run_job(job, info).outcomes] == ["ok"] * 3


@pytest.mark.skipif(not can_fork(), reason="no fork server on this system")
def test_the_fork_server_has_loaded_what_a_worker_needs(engine):
    engine.warm_up()
    link = engine.workers.start(default_python())
    server = psutil.Process(link.pid).parent()
    assert "--serve" in server.cmdline()
    maps = {os.path.basename(found.path) for found in server.memory_maps()}
    assert any(name.startswith("libtorch_cpu") for name in maps)
    worker = psutil.Process(link.pid)
    maps = {os.path.basename(found.path) for found in worker.memory_maps()}
    assert not any("Qt6" in name or "QtCore" in name for name in maps)
    descriptors = sorted(int(name) for name in os.listdir(f"/proc/{link.pid}/fd"))
    assert descriptors == [0, 1, 2, 3]
    assert os.getsid(link.pid) == link.pid
    assert worker.cwd() == str(nets.__file__).partition("/tests/")[0]
    engine.workers.end(link)


def test_a_worker_can_be_a_plain_new_process(tmp_path, monkeypatch):
    """Where there is no fork server: the same engine, the same outcomes, nothing left."""
    monkeypatch.setattr("engine.workers.can_fork", lambda: False)
    plain = Engine(history_folder=tmp_path / "history")
    try:
        assert_next_runs(plain, tmp_path)
        outcome = outcome_of(plain, tmp_path, "leave")
        assert (outcome.error.code, outcome.error.details["exit_code"]) == ("exited", 7)
        outcome = outcome_of(plain, tmp_path, "kill")
        assert (outcome.error.code, outcome.error.details["signal"]) == ("killed-by-signal", 11)
    finally:
        plain.close()

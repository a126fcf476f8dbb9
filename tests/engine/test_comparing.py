"""Comparing with real workers: two outcomes and a verdict whatever becomes of either, and no worker left."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine import comparing, history, verdict, watch
from engine.events import BlockMeasured, ComparisonFinished, ComparisonStarted, ComparisonUpdated, PhaseStarted, Progressed
from engine.job import Configuration
from engine.sampling import decode
from engine.supervisor import Engine
from tests.support import jobs, nets, spun

SPUN = Path(spun.__file__).resolve()
OTHER = Configuration(batch_size=2)


@pytest.fixture(scope="module")
def shared():
    made = Engine()
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
    yield shared
    assert shared.workers.alive == ()


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    """Rounds of milliseconds, looked at after 3 and 5."""
    plan = msgspec.structs.replace(comparing.PLAN, warm_up_s=0.01, warm_up_limit_s=0.05)
    monkeypatch.setattr(comparing, "PLAN", plan)
    monkeypatch.setattr(comparing, "BRIEFLY_WARMED", msgspec.structs.replace(plan, warm_up_calls=3))
    monkeypatch.setattr(comparing, "BLOCK_S", 0.004)
    monkeypatch.setattr(verdict, "LOOKS", (verdict.Look(3, 0.01), verdict.Look(5, 0.04)))


def linears(folder, spec="Linears", configuration=None, file=None, **fields):
    path = folder / "weights.pth"
    job, info = jobs.make_job(path if path.exists() else jobs.save(folder, nets.Linears()), spec, configurations=(configuration or Configuration(),), **fields)
    if file is not None:
        job = msgspec.structs.replace(job, model=msgspec.structs.replace(job.model, architecture=f"{file}:{spec}"))
    return job, info


def compare(engine, a, b):
    run = engine.compare(*a, *b)
    assert len(run.outcomes) == 2 and run.comparison is not None and run.finished
    return run


def only(events, kind):
    return [event for event in events if isinstance(event, kind)]


def test_two_outcomes_a_verdict_and_every_block(engine, events, tmp_path):
    run = compare(engine, linears(tmp_path), linears(tmp_path, configuration=OTHER))
    assert [outcome.status for outcome in run.outcomes] == ["ok", "ok"]
    assert [outcome.configuration.batch_size for outcome in run.outcomes] == [1, 2]
    found = run.comparison
    assert found.verdict in verdict.VERDICTS and found.blocks == len(found.medians_a_ms) == len(found.medians_b_ms)
    assert found.blocks in (2 * 3 * comparing.QUADS, 2 * 5 * comparing.QUADS)
    assert found.ci95[0] <= found.ratio <= found.ci95[1]
    assert [step[0] for step in found.steps] == [2 * comparing.QUADS * count for count in range(3, found.blocks // (2 * comparing.QUADS) + 1)]
    assert all(outcome.latency.p50_ci95_ms is None for outcome in run.outcomes)
    assert run.other_model is None


def test_a_block_is_a_visit_of_the_samples(engine, tmp_path):
    """The medians can be had from the samples again."""
    run = compare(engine, linears(tmp_path), linears(tmp_path))
    for outcome, medians in zip(run.outcomes, (run.comparison.medians_a_ms, run.comparison.medians_b_ms), strict=True):
        steady = decode(outcome.samples).steady()
        again = [float(np.median(steady.latency_ns[steady.visit == block])) / 1e6 for block in range(run.comparison.blocks)]
        assert again == pytest.approx(medians)


def test_what_takes_half_as_long_again_is_slower_and_the_other_way_round_faster(engine, tmp_path):
    plain, slower = linears(tmp_path, "SpunLinears(0.0)", file=SPUN), linears(tmp_path, "SpunLinears(0.5)", file=SPUN)
    run = compare(engine, plain, slower)
    assert run.comparison.verdict == verdict.SLOWER and run.comparison.ci95[0] > 1.1
    assert run.other_model.path == run.model.path       # another class: another model
    assert compare(engine, slower, plain).comparison.verdict == verdict.FASTER


def test_events_come_in_order_and_the_run_is_kept(engine, events, tmp_path):
    run = compare(engine, linears(tmp_path), linears(tmp_path))
    (started,), (finished,) = only(events, ComparisonStarted), only(events, ComparisonFinished)
    updates = only(events, ComparisonUpdated)
    assert events[0] is started and events[-1] is finished
    assert finished.failure is None and finished.save_failure is None
    assert [update.rounds for update in updates[:-1]] == list(range(1, updates[-1].rounds + 1))
    assert updates[-1].is_final and updates[-1].comparison == run.comparison
    assert all(update.comparison.verdict == verdict.CANNOT_TELL for update in updates[:-1]), "no verdict before the rules say so"
    assert {event.index for event in only(events, BlockMeasured)} == {0, 1}
    assert only(events, Progressed)
    loaded = history.load_run(Path(finished.run_path))
    assert loaded.comparison == run.comparison and loaded.command.startswith("python3 main.py compare ")


def test_blocks_are_taken_in_turn(engine, events, tmp_path):
    """A B B A, then B A A B: neither has the better places."""
    compare(engine, linears(tmp_path), linears(tmp_path))
    order = "".join("AB"[event.index] for event in only(events, BlockMeasured) if event.steady)
    assert order[:24] == "ABBABAABABBA" + "BAABABBABAAB"


def test_each_round_has_workers_of_its_own(engine, events, tmp_path):
    run = compare(engine, linears(tmp_path), linears(tmp_path))
    rounds = only(events, ComparisonUpdated)[-1].rounds
    begun = [event.index for event in only(events, PhaseStarted) if event.phase == "starting"]
    assert begun == [*([0, 1, 1, 0] * 3)[: 2 * rounds]]
    assert all("compare-fresh-workers" in {note.code for note in outcome.notes} for outcome in run.outcomes)


def test_what_starts_slowly_keeps_its_workers_and_says_so(engine, events, tmp_path, monkeypatch):
    monkeypatch.setattr(comparing, "REFRESH_S", 0.0)
    run = compare(engine, linears(tmp_path), linears(tmp_path))
    assert len([event for event in only(events, PhaseStarted) if event.phase == "starting"]) == 2
    assert all("compare-same-workers" in {note.code for note in outcome.notes} for outcome in run.outcomes)


def test_long_calls_make_rounds_of_one_quad(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(comparing, "LONG_CALL_S", 0.0)
    run = compare(engine, linears(tmp_path), linears(tmp_path))
    assert run.comparison.blocks <= 2 * comparing.QUADS + 2 * 4


def test_the_limit_of_time_ends_it_and_says_so(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(comparing, "LIMIT_S", 0.0)
    run = compare(engine, linears(tmp_path), linears(tmp_path))
    assert run.comparison.verdict == verdict.CANNOT_TELL and run.comparison.ci95 is None and run.comparison.samples_needed > 0
    assert [outcome.stopped_because.code for outcome in run.outcomes] == ["compare-time-limit"] * 2
    assert [outcome.status for outcome in run.outcomes] == ["ok", "ok"]


@pytest.mark.parametrize(("what", "code"), [("kill", "killed-by-signal"), ("leave", "exited"), ("garbage", "protocol-error"), ("fail", "forward-raised")])
@pytest.mark.parametrize("at", [1, 60])
def test_a_death_is_its_own_outcome_and_ends_the_other(engine, events, tmp_path, what, code, at):
    run = compare(engine, linears(tmp_path), jobs.misbehaving(tmp_path, what, at))
    a, b = run.outcomes
    assert (a.status, a.stopped_because.code) == ("cancelled", "compare-other-ended")
    assert (b.status, b.error.code) == ("failed", code) and b.error.summary and b.error.hint
    assert run.comparison.verdict == verdict.CANNOT_TELL
    assert only(events, ComparisonFinished)[0].failure == b.error


def test_a_hung_call_is_a_timeout(engine, tmp_path):
    run = compare(engine, jobs.misbehaving(tmp_path, "sleep", 60, timeout_s=0.5), linears(tmp_path))
    assert run.outcomes[0].error.code == "timeout" and run.outcomes[1].status == "cancelled"


def test_what_does_not_fit_beside_the_other_is_refused_in_words(engine, tmp_path):
    run = compare(engine, linears(tmp_path), jobs.misbehaving(tmp_path, "hoard", 1))
    error = run.outcomes[1].error
    assert (run.outcomes[1].status, error.code, error.say) == ("out-of-memory", "out-of-memory", "compare-no-room")
    assert "beside fp32 b1 cpu" in error.summary and error.hint


def test_what_does_not_fit_alone_is_not_blamed_on_the_other(engine, tmp_path):
    run = compare(engine, jobs.misbehaving(tmp_path, "hoard", 1), linears(tmp_path))
    assert run.outcomes[0].error.code == "out-of-memory" and run.outcomes[0].error.say != "compare-no-room"


def test_both_go_before_the_machine_runs_out_of_memory(engine, events, tmp_path, monkeypatch):
    """The guard's word comes while a block runs."""
    short = []
    monkeypatch.setattr(watch, "shortage", lambda: {"free": "1 MiB", "total": "8 GiB"} if short else None)
    engine.emit = lambda event: (events.append(event), short.append(1) if isinstance(event, ComparisonUpdated) else None)
    monkeypatch.setattr(comparing, "BLOCK_S", 0.3)
    run = compare(engine, linears(tmp_path), linears(tmp_path))
    errors = [outcome.error for outcome in run.outcomes if outcome.error]
    assert [(error.code, error.say) for error in errors] == [("out-of-memory", "compare-no-room")]
    assert "1 MiB of 8 GiB" in errors[0].summary


def test_what_cannot_exist_here_starts_no_worker(engine, events, tmp_path):
    engine.start()
    run = compare(engine, linears(tmp_path), linears(tmp_path, configuration=Configuration(device="cuda:0")))
    assert [outcome.status for outcome in run.outcomes] == ["cancelled", "unsupported"]
    assert not only(events, PhaseStarted)
    assert only(events, ComparisonFinished)[0].failure.code == "unsupported"


@pytest.mark.parametrize("how", ["cancel", "stop_now"])
def test_stopping_keeps_what_was_measured_and_says_no_verdict(engine, events, tmp_path, how):
    """Who stops when the interval pleases has chosen the number of rounds: that is no verdict."""

    def stop(event):
        events.append(event)
        if isinstance(event, ComparisonUpdated):
            getattr(engine, how)()

    engine.emit = stop
    run = compare(engine, linears(tmp_path), linears(tmp_path))
    assert [outcome.status for outcome in run.outcomes] == ["cancelled", "cancelled"]
    assert [outcome.stopped_because.code for outcome in run.outcomes] == ["cancelled-partly"] * 2
    assert run.comparison.verdict == verdict.CANNOT_TELL and run.comparison.blocks == 2 * comparing.QUADS
    assert run.comparison.samples_needed > 0


def test_stopping_before_anything_was_measured(engine, events, tmp_path):
    def stop(event):
        events.append(event)
        if isinstance(event, PhaseStarted) and event.phase == "load":
            engine.stop_now()

    engine.emit = stop
    run = compare(engine, linears(tmp_path), linears(tmp_path))
    assert [outcome.status for outcome in run.outcomes] == ["cancelled", "cancelled"]
    assert run.comparison.ratio is None and run.comparison.verdict == verdict.CANNOT_TELL


def test_a_side_has_one_configuration(engine, tmp_path):
    job, info = linears(tmp_path)
    several = msgspec.structs.replace(job, configurations=(Configuration(), OTHER))
    with pytest.raises(ValueError, match="one configuration"):
        engine.compare(several, info, job, info)


def test_other_inputs_are_told(engine, tmp_path):
    run = compare(engine, linears(tmp_path), linears(tmp_path, inputs=("f32[B,3,16]",)))
    assert [note.values for note in run.outcomes[1].notes if note.code == "compare-inputs"] == [{"inputs": "f32[B,3,16]"}]


def test_a_crash_costs_the_last_seconds_not_the_rounds(engine, events, tmp_path, monkeypatch):
    """What lies on the disk while it still runs has the rounds so far, without a verdict."""
    from engine.history import load_run

    seen = []
    monkeypatch.setattr("engine.keeper.PARTIAL_S", 0.0)

    def look(event):
        events.append(event)
        started = only(events, ComparisonStarted)
        if isinstance(event, ComparisonUpdated) and event.rounds >= 2 and not event.is_final:
            seen.append(load_run(Path(started[0].run_path)))

    engine.emit = look
    compare(engine, linears(tmp_path), linears(tmp_path))
    unfinished = [run for run in seen if run.comparison is not None]
    assert unfinished and not any(run.finished for run in unfinished)
    assert unfinished[-1].comparison.steps and unfinished[-1].outcomes

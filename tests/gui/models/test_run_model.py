"""The run on the screen follows the engine's events, and the user's selection."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from engine import events
from engine.job import PLANS, Configuration, Job, ModelSource
from gui.models.run_model import RunModel
from tests.support.fake_engine import block, finished_run, replay
from tests.support.runs import make_model, make_outcome, make_run

JOB = Job(
    id="j1", model=ModelSource("/m.pt", "torchscript"), inputs=(), plan=PLANS["quick"],
    configurations=tuple(Configuration(batch_size=size) for size in (1, 8, 32)),
)
INFO = make_model("/m.pt")


@pytest.fixture
def model(qapp):
    return RunModel()


def started(model, follow=True):
    model.set_queued(JOB, INFO)
    model.apply(events.JobStarted(JOB, INFO, 0, None))
    return model


def test_an_empty_model_says_so(model):
    """Nothing is selected and nothing is shown before there is a model."""
    assert (model.state, model.rows, model.selected, model.selected_row) == ("empty", [], None, None)
    model.set_ready(True)
    assert model.state == "ready"


def test_a_whole_run_ends_done(model):
    """Every configuration has its samples, readings, outcome and state."""
    model.set_queued(JOB, INFO)
    assert model.state == "queued"
    assert [row.state for row in model.rows] == ["queued"] * 3
    for event in replay(JOB, INFO):
        model.apply(event)
    assert model.state == "done"
    assert [row.state for row in model.rows] == ["done"] * 3
    assert [len(row.samples.steady_xy()[0]) for row in model.rows] == [50] * 3
    assert [len(row.samples.warm_up_xy()[0]) for row in model.rows] == [20] * 3
    assert model.rows[1].timeline["worker_resident_bytes"].xy()[1].tolist() == [3e8]
    assert model.run is not None and model.run_path == "/history/run.json"
    assert model.progress is None


def test_units_on_the_axes_are_seconds_and_milliseconds(model):
    """Nanoseconds of the wire become what the axes say."""
    started(model)
    model.apply(block(0, count=2, start_s=1.5, ms=4.0))
    t_s, ms = model.rows[0].samples.steady_xy()
    assert t_s.tolist() == [1.5, 1.504]
    assert ms.tolist() == [4.0, 4.0]


def test_visits_are_bands(model):
    """A band spans a visit's blocks, warm-up has none."""
    started(model)
    model.apply(block(0, 10, 0.5, steady=False))
    model.apply(block(0, 10, 1.0, visit=0))
    model.apply(block(0, 10, 1.1, visit=0))
    model.apply(block(0, 5, 3.0, visit=1))
    assert np.allclose(model.rows[0].visits, [(1.0, 1.12), (3.0, 3.01)])


def test_the_newest_row_is_followed_until_the_user_picks_one(model):
    """A user's choice holds; following again returns to the newest."""
    started(model)
    model.apply(events.PhaseStarted(0, "starting"))
    model.apply(events.PhaseStarted(1, "starting"))
    assert model.selected == 1
    model.select(0, by_user=True)
    assert not model.is_following
    model.apply(events.PhaseStarted(2, "starting"))
    assert model.selected == 0
    model.follow_live()
    assert (model.selected, model.is_following) == (2, True)


def test_turns_do_not_move_the_selection(model):
    """Visits of several configurations alternate; only a row that begins is newer."""
    started(model)
    for index in (0, 1):
        model.apply(events.PhaseStarted(index, "starting"))
    for index in (0, 1, 0):
        model.apply(events.PhaseStarted(index, "steady"))
    assert model.selected == 1


def test_one_outcome_each_even_when_the_job_is_stopped(model):
    """What the finished run says fills the rows that had no final outcome."""
    started(model)
    model.apply(events.OutcomeUpdated(0, make_outcome(JOB.configurations[0]), True))
    cancelled = [make_outcome(each, status="cancelled") for each in JOB.configurations[1:]]
    model.apply(events.JobFinished(finished_run(JOB, INFO, (make_outcome(JOB.configurations[0]), *cancelled)), None))
    assert [row.state for row in model.rows] == ["done", "cancelled", "cancelled"]
    assert model.state == "done"


def test_a_stopped_run_with_figures_is_done(model):
    """Stop now keeps what was measured, and the report can be saved."""
    started(model)
    measured = msgspec.structs.replace(make_outcome(JOB.configurations[0]), status="cancelled")
    rest = [make_outcome(each, status="cancelled") for each in JOB.configurations[1:]]
    model.apply(events.JobFinished(finished_run(JOB, INFO, (measured, *rest)), None))
    assert (model.state, model.rows[0].state) == ("done", "cancelled")


@pytest.mark.parametrize(("status", "state"), [("failed", "failed"), ("out-of-memory", "out-of-memory"), ("unsupported", "unsupported")])
def test_a_run_without_an_ok_row_has_failed(model, status, state):
    """The state of the run and of the row are what the outcomes say."""
    started(model)
    outcomes = tuple(make_outcome(each, status=status) for each in JOB.configurations)
    model.apply(events.JobFinished(finished_run(JOB, INFO, outcomes), None))
    assert (model.state, model.rows[0].state) == ("failed", state)


def test_figures_so_far_do_not_end_a_row(model):
    """An outcome after a visit is shown, and the row goes on."""
    started(model)
    model.apply(events.PhaseStarted(0, "steady"))
    model.apply(events.OutcomeUpdated(0, make_outcome(JOB.configurations[0]), False))
    assert model.rows[0].outcome is not None and model.rows[0].state == "steady"


def test_keeping_on_measuring_keeps_the_samples(model):
    """The same job started again appends to its rows."""
    for event in replay(JOB, INFO):
        model.apply(event)
    model.apply(events.JobStarted(JOB, INFO, 0, None))
    model.apply(events.PhaseStarted(1, "steady"))
    model.apply(block(1, 30, 9.0, visit=5))
    assert model.state == "running"
    assert len(model.rows[1].samples) == 100


def test_each_event_is_told(model, qtbot):
    """Views learn of a change by signal and by revision."""
    started(model)
    before = model.revision
    with qtbot.waitSignals([model.samples_appended, model.timeline_appended, model.progress_changed]):
        model.apply(block(0))
        model.apply(events.MonitorSampled(0, 1, {"worker_resident_bytes": 1.0}))
        model.apply(events.Progressed(0.5, 3.0, 0, "steady"))
    assert model.revision >= before + 3


def test_idle_readings_reach_the_device_strip_only(model):
    """Machine-wide values between jobs belong to no row."""
    started(model)
    model.apply(events.MonitorSampled(None, 1, {"machine_cpu_percent": 12.0}))
    assert model.readings["machine_cpu_percent"] == 12.0
    assert all(not row.timeline for row in model.rows)


@pytest.mark.parametrize("event", [block(7), events.PhaseStarted(-1, "load"), events.OutcomeUpdated(9, make_outcome(), True), object()])
def test_what_names_no_row_changes_no_row(model, event):
    """A late event of an older job is harmless."""
    started(model)
    model.apply(event)
    assert all(row.state == "queued" and not len(row.samples) for row in model.rows)


def test_a_saved_run_fills_rows_as_a_finished_one_does(qapp):
    """Samples, timeline and visits come back when a row is looked at."""
    run = make_run()
    model = RunModel.from_run(run)
    row = model.rows[0]
    assert model.state == "done" and model.selected == 0 and row.outcome is run.outcomes[0]
    assert len(row.samples.steady_xy()[0]) == run.outcomes[0].latency.count
    assert len(row.samples.warm_up_xy()[0]) == run.outcomes[0].samples.count - run.outcomes[0].latency.count
    assert len(row.visits) == run.outcomes[0].latency.visits
    assert set(row.timeline) == {track.name for track in run.outcomes[0].timeline}


def test_a_saved_run_with_broken_samples_keeps_its_figures(qapp):
    """Figures do not depend on the samples; the row says that there are none."""
    run = make_run()
    broken = msgspec.structs.replace(run.outcomes[0], samples=msgspec.structs.replace(run.outcomes[0].samples, latency_ns="!!"))
    row = RunModel.from_run(msgspec.structs.replace(run, outcomes=(broken,))).rows[0]
    assert len(row.samples) == 0
    assert row.are_samples_broken
    assert row.outcome.latency is not None

"""Going on with a finished configuration: samples, readings and figures as they were, times after all old ones."""

from __future__ import annotations

import time

import msgspec
import pytest

from engine import resume
from engine.job import PLANS
from engine.sampling import decode
from engine.workers import ConfigurationEnded
from tests.support import runs


@pytest.fixture
def run():
    return msgspec.structs.replace(runs.make_run(), plan=msgspec.to_builtins(PLANS["standard"]))


def first_ok(run):
    return next(index for index, outcome in enumerate(run.outcomes) if outcome.samples is not None and outcome.status == "ok")


def test_the_job_is_the_runs(run):
    job = resume.job_of(run)
    assert (job.id, job.model.path, job.model.kind, job.inputs) == (run.id, run.model.path, run.model.kind, run.inputs)
    assert job.configurations == tuple(outcome.configuration for outcome in run.outcomes)
    assert job.plan == PLANS["standard"]


@pytest.mark.parametrize(("architecture", "kept"), [("/a/net.py:Net", "/a/net.py:Net"), ("ResNet", None), (None, None)])
def test_only_a_class_that_can_be_found_again_is_asked_for(run, architecture, kept):
    run = msgspec.structs.replace(run, model=msgspec.structs.replace(run.model, architecture=architecture))
    assert resume.job_of(run).model.architecture == kept


def test_new_samples_come_after_all_old_ones(run):
    old_ns = max(int(arrays.start_ns[-1] + arrays.latency_ns[-1]) for arrays in (decode(each.samples) for each in run.outcomes if each.samples))
    zero_ns = resume.zero_ns(run)
    now_ns = time.perf_counter_ns() - zero_ns
    assert old_ns + resume.PAUSE_NS <= now_ns < old_ns + resume.PAUSE_NS + 1_000_000_000


def test_the_record_holds_what_was_measured(run):
    index = first_ok(run)
    outcome = run.outcomes[index]
    record = resume.recorder(run, resume.job_of(run), index, 4)
    again = record.outcome(with_samples=True)
    assert decode(again.samples).latency_ns.tolist() == decode(outcome.samples).latency_ns.tolist()
    assert (again.latency.count, again.latency.p50_ms) == (outcome.latency.count, pytest.approx(outcome.latency.p50_ms))
    assert again.memory == msgspec.structs.replace(outcome.memory, saved_bytes=None)
    assert {track.name for track in again.timeline} == {track.name for track in outcome.timeline}
    assert record.visits == int(decode(outcome.samples).visit.max()) + 1
    assert not record.over


def test_a_configuration_that_never_ran_begins_from_nothing(run):
    outcomes = (msgspec.structs.replace(run.outcomes[0], samples=None, latency=None, timeline=()), *run.outcomes[1:])
    record = resume.recorder(msgspec.structs.replace(run, outcomes=outcomes), resume.job_of(run), 0, None)
    assert (len(record.samples), record.visits) == (0, 0)


def test_a_reduction_is_never_taken_for_all_samples(run):
    index = first_ok(run)
    resume.check(run, index)
    samples = msgspec.structs.replace(run.outcomes[index].samples, reduced_from=1_000_000)
    outcomes = tuple(msgspec.structs.replace(each, samples=samples) if number == index else each for number, each in enumerate(run.outcomes))
    with pytest.raises(ConfigurationEnded) as caught:
        resume.check(msgspec.structs.replace(run, outcomes=outcomes), index)
    assert "1,000,000" in caught.value.failure.summary
    assert caught.value.failure.hint


@pytest.mark.parametrize("name", sorted(PLANS))
@pytest.mark.parametrize("visits", [0, 1, 5, 12])
def test_the_longer_plan_appends_at_least_two_visits_and_ends(name, visits):
    plan = resume.longer(PLANS[name], visits)
    assert plan.visits_min == visits + resume.MORE_VISITS
    assert plan.visits_max > plan.visits_min
    assert plan.total_samples >= 662, "p99 may be shown"
    assert plan.target_relative is not None
    assert plan.measuring_limit_s > PLANS[name].measuring_limit_s

"""Going on with a finished configuration: its job and its record, made again from the run."""

from __future__ import annotations

import time

import msgspec

from engine import devices
from engine.job import Job, ModelSource, Plan
from engine.recorder import Recorder
from engine.result import Run
from engine.sampling import SampleArrays, decode
from engine.statistics import sample_floor
from engine.words import failure
from engine.workers import ConfigurationEnded

MORE_VISITS = 2
SPREAD_S = 4.0
"""Between the first and the last of the fewest visits appended: visits close together share what disturbs them."""
PAUSE_NS = 1_000_000_000
"""On the run's clock, between what was measured and what is appended."""


def check(run: Run, index: int) -> None:
    """Raise ConfigurationEnded where figures of all samples could not be had: of a great many, a run keeps a reduction for drawing only."""
    device = run.outcomes[index].configuration.device
    if devices.is_joint(device):
        raise ConfigurationEnded(failure("unsupported", "replicas-keep", {"device": device}))
    samples = run.outcomes[index].samples
    if samples is not None and samples.reduced_from is not None:
        raise ConfigurationEnded(failure("failed", "samples-reduced", {"count": samples.reduced_from}))


def job_of(run: Run) -> Job:
    """The job that made the run."""
    model = run.model
    source = ModelSource(
        path=model.path, kind=model.kind, architecture=model.architecture if ":" in (model.architecture or "") else None,
        trusted=model.trusted, weights_at=model.weights_at,
    )
    configurations = tuple(outcome.configuration for outcome in run.outcomes)
    return Job(id=run.id, model=source, inputs=run.inputs, configurations=configurations, plan=msgspec.convert(run.plan, Plan))


def zero_ns(run: Run) -> int:
    """A zero of the run's clock that puts new samples after all old ones."""
    ends = [arrays.start_ns[-1] + arrays.latency_ns[-1] for arrays in _all_samples(run) if len(arrays)]
    return time.perf_counter_ns() - int(max(ends, default=0)) - PAUSE_NS


def _all_samples(run: Run) -> list[SampleArrays]:
    return [decode(outcome.samples) for outcome in run.outcomes if outcome.samples is not None]


def recorder(run: Run, job: Job, index: int, cores: int | None) -> Recorder:
    """The record of one configuration as it stood, ready to take more visits; its plan asks for as many again."""
    outcome = run.outcomes[index]
    arrays = decode(outcome.samples) if outcome.samples is not None else None
    record = Recorder(index, msgspec.structs.replace(job, plan=longer(job.plan, outcome.latency.visits if outcome.latency else 0)), outcome.configuration, run.model, cores)
    visits = 0
    if arrays is not None:
        record.samples.extend(
            arrays.start_ns, arrays.latency_ns, phase=arrays.phase, visit=arrays.visit, device_ns=arrays.device_ns, enqueue_ns=arrays.enqueue_ns
        )
        visits = int(arrays.visit.max()) + 1 if len(arrays) else 0
    for track in outcome.timeline:
        for t_ns, value in zip(track.t_ns, track.values, strict=False):
            record.timeline.add(t_ns, {track.name: value})
    record.restore(outcome, visits)
    return record


def longer(plan: Plan, visits: int) -> Plan:
    """The plan for appending: at least two more visits and until p99 may be shown, at most as many visits as the plan's own besides those made."""
    more = max(plan.visits_max, 5)
    return msgspec.structs.replace(
        plan, visits_min=visits + MORE_VISITS, visits_max=visits + more, spread_s=SPREAD_S, target_relative=plan.target_relative or 0.02,
        total_samples=max(plan.total_samples, sample_floor(0.99)), visit_needs_both=False, visit_s=0.6, visit_samples=16,
        measuring_limit_s=plan.measuring_limit_s + 20.0,
    )

"""Rows of a saved run, as if it had just finished."""

from __future__ import annotations

import numpy as np

from engine.result import Outcome, Run
from gui.models.row import Row, state_of
from gui.models.series import SeriesBuffer


def rows_of(run: Run) -> list[Row]:
    """One row an outcome; samples are decoded when a row is first looked at."""
    return [_row(index, outcome) for index, outcome in enumerate(run.outcomes)]


def _row(index: int, outcome: Outcome) -> Row:
    row = Row(index, outcome.configuration, fill=lambda row: _fill(row, outcome))
    row.state = state_of(outcome)
    row.outcome = outcome
    return row


def _fill(row: Row, outcome: Outcome) -> None:
    for track in outcome.timeline:
        series = row.timeline.setdefault(track.name, SeriesBuffer())
        series.extend(np.asarray(track.t_ns, dtype=np.float64) / 1e9, np.asarray(track.values, dtype=np.float64))
    if outcome.samples is not None:
        _fill_samples(row, outcome)


def _fill_samples(row: Row, outcome: Outcome) -> None:
    from engine.sampling import SamplesError, decode  # late: a window without history needs none of it

    assert outcome.samples is not None
    try:
        samples = decode(outcome.samples)
    except SamplesError:
        row.are_samples_broken = True  # the figures stand for themselves; the plot says why it is empty
        return
    steady = samples.phase == 1
    for part, warm_up in ((~steady, True), (steady, False)):
        row.samples.extend(samples.start_ns[part] / 1e9, samples.latency_ns[part] / 1e6, warm_up=warm_up)
    ends_ns = samples.start_ns + samples.latency_ns
    for visit in np.unique(samples.visit[steady]):
        inside = steady & (samples.visit == visit)
        row.widen_visit(int(visit), float(samples.start_ns[inside].min()) / 1e9, float(ends_ns[inside].max()) / 1e9)

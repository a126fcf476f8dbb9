"""Arrays behind the charts: small, in order, and true to the samples."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from engine.job import Configuration
from engine.report.series import ALL_POINTS, SERIES_POINTS, make_series
from engine.result import EncodedSamples, Outcome, Track
from engine.sampling import SampleArrays, encode_for_run
from tests.support.runs import Samples, make_latency, make_outcome, make_run, make_samples


def _arrays(samples: Samples) -> SampleArrays:
    return SampleArrays(
        start_ns=samples.start_ns, latency_ns=samples.latency_ns, phase=samples.phase.astype(np.uint8), visit=samples.visit.astype(np.int32),
    )


def test_few_samples_are_all_drawn() -> None:
    """Each with its time in seconds and its latency in ms, warm-up apart."""
    samples = make_samples(count=300, warm_up=20)
    (one,), broken = make_series(make_run((make_outcome(samples=samples),)))
    assert broken == [] and (len(one.warm_up[0]), len(one.steady[0]), one.total) == (20, 300, 320)
    np.testing.assert_allclose(one.steady[0], samples.start_ns[20:] / 1e9, rtol=1e-6)
    np.testing.assert_allclose(one.steady[1], samples.latency_ns[20:] / 1e6, rtol=1e-6)


def test_many_samples_keep_their_extremes() -> None:
    """50,000 samples become at most 4,000 dots, with the slowest and the quickest among them."""
    samples = make_samples(count=50_000)
    (one,), _ = make_series(make_run((make_outcome(samples=samples),)))
    assert SERIES_POINTS // 2 < one.shown <= SERIES_POINTS and one.total == 50_040
    steady_ms = samples.latency_ns[samples.phase == 1] / 1e6
    assert one.steady[1].max() == pytest.approx(steady_ms.max()) and one.steady[1].min() == pytest.approx(steady_ms.min())


def test_many_configurations_share_one_budget() -> None:
    """60 rows of 3,000 samples stay below what the page may carry."""
    outcome = make_outcome(samples=make_samples(count=3_000))
    series, _ = make_series(make_run(tuple([outcome] * 60)))
    assert sum(one.shown for one in series) <= ALL_POINTS
    assert [one.slot for one in series] == list(range(60))


def test_visits_are_the_stretches_of_steady_samples() -> None:
    """From the start of the first to the end of the last sample of each."""
    samples = make_samples(count=500, visits=5)
    (one,), _ = make_series(make_run((make_outcome(samples=samples),)))
    for visit, (start, end) in enumerate(one.visits):
        inside = (samples.phase == 1) & (samples.visit == visit)
        assert start == samples.start_ns[inside][0] / 1e9
        assert end == (samples.start_ns + samples.latency_ns)[inside][-1] / 1e9
    assert len(one.visits) == 5


def test_the_curve_is_the_share_of_calls_that_took_at_most_as_long() -> None:
    """Checked against counting, at each point of the curve."""
    samples = make_samples(count=5_000)
    (one,), _ = make_series(make_run((make_outcome(samples=samples),)))
    steady_ms = np.sort(samples.latency_ns[samples.phase == 1]) / 1e6
    shares = np.searchsorted(steady_ms, one.curve[0] * (1 + 1e-6), side="right") / len(steady_ms) * 100
    np.testing.assert_allclose(one.curve[1], shares, atol=0.06)  # float32 holds seven digits: neighbours fall together
    assert one.curve[1][-1] == 100 and not one.curve_is_of_figures and len(one.curve[0]) < 500


def test_a_reduction_gives_no_distribution() -> None:
    """Smallest and largest of each bucket are no fair sample: the curve joins the exact percentiles instead."""
    samples = make_samples(count=250_000, median_ms=0.05)
    encoded = encode_for_run(_arrays(samples))
    assert encoded.reduced_from == 250_040
    latency = make_latency(samples)
    (one,), _ = make_series(make_run((_with(samples, encoded),)))
    assert one.curve_is_of_figures and one.total == 250_040
    assert dict(zip(one.curve[1].tolist(), one.curve[0].tolist(), strict=True))[50.0] == pytest.approx(latency.p50_ms)


def _with(samples: Samples, encoded: EncodedSamples) -> Outcome:
    return msgspec.structs.replace(make_outcome(samples=samples), samples=encoded)


def test_damaged_samples_cost_the_row_its_dots_only() -> None:
    """The row is named, its memory is drawn, the others are untouched."""
    good = make_outcome()
    assert good.samples is not None
    bad = msgspec.structs.replace(good, samples=msgspec.structs.replace(good.samples, latency_ns="AAAA"))
    series, broken = make_series(make_run((bad, good)))
    assert [(row.index, row.code) for row in broken] == [(0, "samples-broken")]
    assert series[0].shown == 0 and series[0].tracks and series[1].shown == good.samples.count


def test_memory_is_the_device_s_own() -> None:
    """A CPU row shows the process; a GPU row its GPU, by process where that is known."""
    cpu, gpu = make_outcome(), make_outcome(Configuration(device="cuda:0"))
    (one, two), _ = make_series(make_run((cpu, gpu)))
    assert [track.kind for track in one.tracks] == ["worker_resident_bytes"]
    assert [track.kind for track in two.tracks] == ["memory_bytes", "reserved_bytes", "allocated_bytes"]
    by_process = Track(name="gpu0_process_bytes", unit="bytes", t_ns=[0, 1], values=[1.0, 2.0])
    (three,), _ = make_series(make_run((msgspec.structs.replace(gpu, timeline=(*gpu.timeline, by_process)),)))
    assert [track.kind for track in three.tracks] == ["reserved_bytes", "allocated_bytes", "process_bytes"]


def test_a_long_track_keeps_its_peak() -> None:
    """A spike of one reading among 100,000 is drawn."""
    values = [1.0] * 100_000
    values[54_321] = 9e9
    track = Track(name="worker_resident_bytes", unit="bytes", t_ns=list(range(100_000)), values=values)
    (one,), _ = make_series(make_run((make_outcome(timeline=(track,)),)))
    assert one.tracks[0].values.max() == 9e9 and len(one.tracks[0].values) <= 1_002


def test_a_process_that_ended_is_not_drawn_as_empty() -> None:
    """Its last reading, without memory, is left out; a process never seen has no line."""
    ended = Track(name="worker_resident_bytes", unit="bytes", t_ns=[0, 1, 2], values=[5.0, 6.0, 0.0])
    (one,), _ = make_series(make_run((make_outcome(timeline=(ended,)),)))
    assert one.tracks[0].values.tolist() == [5.0, 6.0]
    unseen = Track(name="worker_resident_bytes", unit="bytes", t_ns=[0], values=[0.0])
    (two,), _ = make_series(make_run((make_outcome(timeline=(unseen,)),)))
    assert two.tracks == []

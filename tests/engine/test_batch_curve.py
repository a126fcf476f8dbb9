"""Curves over the batch: which rows belong together, the knee, the band, the wall, and where CPU and GPU cross."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.batch_curve import BAND, GAIN, Point, band, crossovers, curves, gain_of_doubling, knee
from engine.job import Configuration
from engine.result import Largest, Latency, Memory, Outcome, Probe

MIB = 2**20


def ok(batch, rate, peak=None, **configuration):
    made = Configuration(batch_size=batch, **configuration)
    memory = Memory(process_peak_bytes=peak) if made.device == "cpu" else Memory(device_peak_bytes=peak)
    latency = Latency(count=100, visits=1, mean_ms=1.0, stdev_ms=0.1, min_ms=0.9, max_ms=2.0, p50_ms=batch / rate * 1e3)
    return Outcome(configuration=made, status="ok", throughput_per_s=rate, latency=latency, memory=memory)


def failed(batch, **configuration):
    return Outcome(configuration=Configuration(batch_size=batch, **configuration), status="out-of-memory")


def points(*pairs):
    return [Point(size, float(rate), 1.0, None) for size, rate in pairs]


def test_rows_that_differ_in_the_batch_alone_make_a_curve():
    found = curves([ok(4, 350.0), ok(1, 100.0), ok(1, 50.0, precision="bf16"), ok(2, 190.0), failed(64)])
    assert [[point.batch_size for point in curve.points] for curve in found] == [[1, 2, 4]], "one size alone is no curve"
    assert (found[0].knee, found[0].is_open, found[0].wall, found[0].configuration.batch_size) == (4, True, 64, 1)


def test_a_batch_that_was_found_belongs_to_its_curve_and_its_search_knows_the_wall():
    probes = (Probe(batch_size=40, fits=False, code="timeout"), Probe(batch_size=48, fits=False), Probe(batch_size=32, fits=True))
    searched = ok(32, 400.0, options={"batch": "max"})
    searched = Outcome(configuration=searched.configuration, status="ok", throughput_per_s=400.0, latency=searched.latency, largest=Largest(batch_size=32, probes=probes))
    (curve,) = curves([ok(16, 399.0), searched])
    assert [point.batch_size for point in curve.points] == [16, 32]
    assert (curve.wall, curve.knee) == (48, None), "a batch that hung is no wall"


def test_the_knee_is_the_last_doubling_that_paid():
    assert knee(points((1, 100), (2, 190), (4, 300), (8, 310), (16, 312))) == 4
    assert knee(points((1, 100), (2, 101), (4, 200), (8, 201))) == 4, "a step before it may fall short"
    assert knee(points((1, 100), (2, 90))) is None
    # Two doublings at once: 8 % together are less than 5 % each.
    assert knee(points((1, 100), (4, 108))) is None
    assert knee(points((1, 100), (4, 100 * (1 + GAIN + 0.001) ** 2))) == 4


@given(st.floats(1, 1e6), st.floats(1.0, 4.0), st.integers(1, 10))
def test_a_gain_is_of_one_doubling(rate, factor, doublings):
    before, after = points((3, rate), (3 * 2**doublings, rate * factor**doublings))
    assert gain_of_doubling(before, after) == pytest.approx(factor - 1.0, abs=1e-6)


def test_the_band_lies_where_peaks_fill_it():
    known = [Point(1, 1.0, 1.0, 110 * MIB), Point(10, 1.0, 1.0, 200 * MIB), Point(20, 1.0, 1.0, 300 * MIB)]
    assert band(known, 1000 * MIB) == pytest.approx((60.0, 70.0)), "on from the last two"
    assert band(known, 300 * MIB) == pytest.approx((11.0, 14.0)), "between two"
    assert band(known, 100 * MIB) is None
    assert band(points((1, 1), (2, 2)), MIB) is None
    assert band([Point(1, 1.0, 1.0, MIB), Point(2, 1.0, 1.0, MIB)], 10 * MIB) is None, "memory that does not grow says nothing"


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=8, unique=True), st.integers(1, 10**10))
def test_the_band_is_in_order(peaks, total):
    known = [Point(place + 1, 1.0, 1.0, peak) for place, peak in enumerate(sorted(peaks))]
    found = band(known, total)
    assert found is None or 1 <= found[0] < found[1]
    assert BAND[0] < BAND[1]


@pytest.mark.parametrize(
    ("rates", "first"), [((50, 150, 400), 4), ((200, 300, 400), 1), ((50, 60, 70), None), ((200, 100, 400), 16), ((200, 200, 100), None)],
)
def test_where_the_gpu_overtakes(rates, first):
    cpu = [ok(size, rate, threads=2) for size, rate in ((1, 100.0), (4, 120.0), (16, 130.0))]
    slower = [ok(size, 10.0, threads=1) for size in (1, 4, 16)]
    gpu = [ok(size, float(rate), device="cuda:0", threads=1) for size, rate in zip((1, 4, 16), rates, strict=True)]
    (line,) = crossovers(curves([*slower, *cpu, *gpu]))
    assert (line.first, line.batches, line.cpu.threads) == (first, (1, 4, 16), 2)


def test_only_what_is_equal_otherwise_is_set_against_one_another():
    cpu, gpu = [ok(size, 100.0) for size in (1, 2)], [ok(size, 900.0, device="cuda:0", precision="fp16") for size in (1, 2)]
    assert crossovers(curves([*cpu, *gpu])) == ()
    far = [ok(size, 900.0, device="cuda:0") for size in (64, 128)]
    assert crossovers(curves([*cpu, *far])) == (), "no batch was measured on both"

"""Figures are the nearest-rank ones, shown only above their floors, with an interval that holds what it says."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import statistics
from engine.statistics import (
    median_interval,
    percentile_ns,
    rank,
    relative_half_width,
    relative_iqr,
    sample_floor,
    samples_missing,
    split_visits,
    summarize,
    t_cdf,
    t_quantile,
    throughput_per_s,
    visit_medians,
)

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
LATENCIES = st.lists(st.integers(1, 10**12), min_size=1, max_size=300)


def series(name: str) -> np.ndarray:
    """A recorded series without its first second."""
    path = DATA / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"the recorded series {name} is not beside the repository")
    with np.load(path) as data:
        return data["host_ns"].astype(np.int64)[data["start_ns"] >= 10**9]


@pytest.mark.parametrize(("p", "floor"), [(0.5, 11), (0.9, 64), (0.95, 130), (0.99, 662), (0.999, 6636)])
def test_sample_floors_are_those_of_loadgen(p: float, floor: int) -> None:
    """The binomial gives the published numbers."""
    assert sample_floor(p) == floor


@pytest.mark.parametrize("p", [0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_a_floor_is_the_smallest_number_that_does(p: float, confidence: float) -> None:
    """By the binomial in exact fractions: enough at the floor, too few one below."""
    tail = min(Fraction(str(p)), 1 - Fraction(str(p)))

    def surely(n: int) -> Fraction:
        return 1 - (1 - tail) ** n - n * tail * (1 - tail) ** (n - 1)

    floor = sample_floor(p, confidence)
    assert surely(floor) >= Fraction(str(confidence)) > surely(floor - 1)


def test_a_floor_by_simulation() -> None:
    """With 64 samples, two or more lie beyond the true p90 in 99 % of draws."""
    draws = np.random.default_rng(0).random((20_000, 64))
    assert abs(np.mean((draws > 0.9).sum(axis=1) >= 2) - 0.9904) < 0.003


@pytest.mark.parametrize("p", [0.0, 1.0, -1.0, 2.0])
def test_no_floor_outside_the_open_interval(p: float) -> None:
    """0 and 1 are no percentiles."""
    with pytest.raises(ValueError, match="not between 0 and 1"):
        sample_floor(p)


def test_samples_missing() -> None:
    """What the window says beside a grey figure."""
    assert samples_missing(300, 0.99) == 362
    assert samples_missing(5000, 0.99) == 0


@given(n=st.integers(1, 10_000), percent=st.integers(1, 999))
def test_rank_is_the_ceiling_in_exact_arithmetic(n: int, percent: int) -> None:
    """Binary fractions move no rank: 0.07 of 100 is the 7th."""
    assert rank(n, percent / 1000) == math.ceil(Fraction(percent, 1000) * n) - 1


@given(samples=LATENCIES, p=st.sampled_from([0.01, 0.07, 0.25, 0.5, 0.9, 0.99]))
def test_percentile_is_a_sample_with_the_right_neighbours(samples: list[int], p: float) -> None:
    """At least p of the samples are at or below it, and less than p below."""
    found = percentile_ns(np.array(samples), p)
    share = Fraction(str(p)) * len(samples)
    assert found in samples
    assert sum(value <= found for value in samples) >= share > sum(value < found for value in samples) - 1
    assert sum(value < found for value in samples) < share


def test_no_percentile_of_nothing() -> None:
    """There is no figure without a sample."""
    with pytest.raises(ValueError, match="no samples"):
        percentile_ns(np.array([], np.int64), 0.5)


def test_relative_iqr() -> None:
    """The middle half over the median, unmoved by the ends."""
    assert relative_iqr(np.array([1, 90, 100, 110, 10**9])) == pytest.approx(0.2)
    assert relative_iqr(np.array([0, 0, 0])) == 0.0


@pytest.mark.parametrize(
    ("p", "df", "value"),
    [
        (0.975, 1, 12.7062), (0.975, 2, 4.30265), (0.975, 3, 3.18245), (0.975, 4, 2.77645), (0.975, 9, 2.26216), (0.975, 11, 2.20099),
        (0.975, 39, 2.02269), (0.975, 120, 1.97993), (0.995, 4, 4.60409), (0.95, 7, 1.89458), (0.9, 1, 3.07768), (0.5, 5, 0.0),
    ],
)
def test_t_quantiles_as_printed(p: float, df: int, value: float) -> None:
    """The tables of any textbook."""
    assert t_quantile(p, df) == pytest.approx(value, abs=1e-4)


@given(t=st.floats(-50, 50), df=st.integers(1, 60))
def test_t_distribution_is_one(t: float, df: int) -> None:
    """Symmetric, within 0 and 1, rising, and the integral of its density."""
    assert t_cdf(t, df) + t_cdf(-t, df) == pytest.approx(1.0, abs=1e-9)
    assert -1e-12 <= t_cdf(t, df) <= t_cdf(t + 0.1, df) + 1e-12 <= 1.0 + 1e-9


def test_t_density() -> None:
    """The finite series is the integral of Student's density."""
    for df in (1, 2, 3, 7, 10):
        x = np.linspace(0.0, 1.7, 20_001)
        scale = math.gamma((df + 1) / 2) / (math.sqrt(df * math.pi) * math.gamma(df / 2))
        density = scale * (1 + x * x / df) ** (-(df + 1) / 2)
        area = float(np.sum((density[1:] + density[:-1]) / 2) * (x[1] - x[0]))
        assert t_cdf(1.7, df) - 0.5 == pytest.approx(area, abs=1e-7)


@pytest.mark.parametrize(("p", "df"), [(0.975, 0), (0.2, 3), (1.0, 3)])
def test_no_t_quantile_outside_its_domain(p: float, df: int) -> None:
    """One visit has no interval."""
    with pytest.raises(ValueError, match="no t quantile"):
        t_quantile(p, df)


def test_interval_by_hand() -> None:
    """Mean 10, deviation 1, three visits: 10 -+ 4.303 / root 3."""
    low, high = median_interval(np.array([9, 10, 11])) or (0.0, 0.0)
    assert (low, high) == pytest.approx((10 - 4.30265 / math.sqrt(3), 10 + 4.30265 / math.sqrt(3)), abs=1e-4)


def test_interval_holds_the_median_of_all_samples() -> None:
    """Visits that were disturbed pull the mean away: the interval reaches from one to the other."""
    low, high = median_interval(np.array([10, 10, 40]), 10.0) or (0.0, 0.0)
    assert low == 0.0
    assert high == pytest.approx(20 + 4.30265 * 17.3205 / math.sqrt(3), abs=1e-3)
    assert median_interval(np.array([10, 10, 10]), 10.0) == (10.0, 10.0)


def test_one_visit_has_no_interval() -> None:
    """Its error is unknown, and nothing is made up."""
    assert median_interval(np.array([5])) is None
    assert median_interval(np.array([])) is None
    assert summarize(np.arange(1, 100), np.zeros(99, np.int32)).p50_ci95_ms is None


def test_interval_holds_the_truth_as_often_as_it_says() -> None:
    """5 visits whose levels differ: about 95 in 100 intervals hold the true median."""
    generator = np.random.default_rng(7)
    held = 0
    for _ in range(600):
        levels = generator.normal(1_000_000, 20_000, 5)
        samples = (levels[:, None] + generator.normal(0, 5_000, (5, 60))).astype(np.int64)
        interval = summarize(samples.ravel(), np.repeat(np.arange(5), 60)).p50_ci95_ms
        held += interval is not None and interval[0] <= 1.0 <= interval[1]
    assert 0.92 <= held / 600 <= 0.995


@given(visits=st.lists(st.integers(0, 6), min_size=1, max_size=80))
def test_visits_are_told_apart_in_any_order(visits: list[int]) -> None:
    """Each visit's samples stay together, whatever order they came in."""
    samples = np.arange(len(visits)) + 100
    parts = split_visits(samples, np.array(visits))
    expected = [[100 + i for i, visit in enumerate(visits) if visit == wanted] for wanted in sorted(set(visits))]
    assert [part.tolist() for part in parts] == expected
    assert visit_medians(samples, np.array(visits)).tolist() == [percentile_ns(np.array(part), 0.5) for part in expected]


def test_columns_of_different_length_are_a_mistake() -> None:
    """A sample without a visit cannot be summarized."""
    with pytest.raises(ValueError, match="3 samples but 2 visit numbers"):
        split_visits(np.arange(3), np.arange(2))


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, set()), (1, set()), (10, set()), (11, {"p50_ms"}), (24, {"p50_ms", "p25_ms", "p75_ms"}), (64, {"p50_ms", "p25_ms", "p75_ms", "p90_ms"}),
        (661, {"p50_ms", "p25_ms", "p75_ms", "p90_ms", "p95_ms"}), (662, {"p50_ms", "p25_ms", "p75_ms", "p90_ms", "p95_ms", "p99_ms"}),
    ],
)
def test_a_percentile_below_its_floor_is_none(count: int, shown: set[str]) -> None:
    """The floor decides whether a percentile stands there at all."""
    latency = summarize(np.arange(1, count + 1), np.zeros(count, np.int32))
    names = ("p25_ms", "p50_ms", "p75_ms", "p90_ms", "p95_ms", "p99_ms")
    assert {name for name in names if getattr(latency, name) is not None} == shown
    assert (latency.stdev_ms is None) == (count < 2)
    assert (latency.mean_ms is None) == (latency.min_ms is None) == (count == 0)


def test_figures_of_a_known_series() -> None:
    """1..1000 us: every figure by hand."""
    latency = summarize(np.random.default_rng(0).permutation(np.arange(1, 1001)) * 1000, np.repeat(np.arange(5), 200))
    assert (latency.count, latency.visits, latency.min_ms, latency.max_ms, latency.mean_ms) == (1000, 5, 0.001, 1.0, 0.5005)
    assert (latency.p25_ms, latency.p50_ms, latency.p75_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms) == (0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
    assert latency.stdev_ms == pytest.approx(math.sqrt(1000 * 1001 / 12) / 1000)


@given(samples=LATENCIES, visits=st.integers(1, 8))
def test_figures_are_in_order(samples: list[int], visits: int) -> None:
    """Smallest <= percentiles <= max, and the interval holds the median."""
    latency = summarize(np.array(samples), np.arange(len(samples)) % visits)
    chain = [latency.min_ms, latency.p25_ms, latency.p50_ms, latency.p75_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms, latency.max_ms]
    present = [value for value in chain if value is not None]
    assert present == sorted(present)
    assert latency.visits == min(visits, len(samples))
    if latency.p50_ci95_ms is not None and latency.p50_ms is not None:
        assert 0.0 <= latency.p50_ci95_ms[0] <= latency.p50_ms <= latency.p50_ci95_ms[1]


def test_half_width_is_the_larger_side() -> None:
    """The +- of a lopsided interval is its longer arm."""
    latency = summarize(np.repeat([100, 100, 130], 20), np.repeat([0, 1, 2], 20))
    assert latency.p50_ci95_ms is not None and latency.p50_ms is not None
    assert relative_half_width(latency) == pytest.approx((latency.p50_ci95_ms[1] - latency.p50_ms) / latency.p50_ms)
    assert relative_half_width(summarize(np.arange(1, 5), np.arange(4))) is None


def test_throughput_counts_items() -> None:
    """Ten calls of 2 ms with 8 items each: 4,000 items a second."""
    assert throughput_per_s(np.full(10, 2_000_000), 8) == pytest.approx(4000.0)
    assert throughput_per_s(np.array([], np.int64), 8) is None


def test_recorded_series_keep_their_figures() -> None:
    """A steady GPU series is tight, a disturbed CPU series is not, and both are what numpy's own methods say."""
    steady, disturbed = series("h100_resnet50_fp32_b32"), series("cpu_linear8_1thread")
    for samples in (steady, disturbed):
        latency = summarize(samples, np.zeros(len(samples), np.int32))
        for p, shown in ((50, latency.p50_ms), (99, latency.p99_ms)):
            assert shown == np.percentile(samples, p, method="inverted_cdf") / 1e6
    assert relative_iqr(steady) < 0.01 < 0.2 < relative_iqr(disturbed)


def test_a_million_samples_are_summarized_without_python_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sort for the percentiles and one partition a visit: the work is numpy's, which frees the interpreter."""
    calls = {"sort": 0, "partition": 0}
    for name in calls:
        whole = getattr(np, name)

        def counted(*arguments: object, _whole: object = whole, _name: str = name, **options: object) -> object:
            calls[_name] += 1
            return _whole(*arguments, **options)  # type: ignore[operator]

        monkeypatch.setattr(statistics.np, name, counted)
    summarize(np.random.default_rng(0).integers(1, 10**6, 1_000_000), np.repeat(np.arange(10, dtype=np.int32), 100_000))
    assert calls == {"sort": 1, "partition": 10}

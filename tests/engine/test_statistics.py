"""Figures are the nearest-rank ones, shown only above their floors, with an interval that holds what it says."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import statistics
from engine.statistics import (
    median_interval,
    order_rank,
    percentile_ns,
    rank,
    relative_half_width,
    relative_iqr,
    sample_floor,
    samples_missing,
    share_interval,
    split_visits,
    summarize,
    t_cdf,
    t_quantile,
    throughput_per_s,
    trend_score,
    visit_medians,
    visits_interval,
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


LEVELS = st.lists(st.lists(st.integers(10**6, 2 * 10**6), min_size=3, max_size=20), min_size=2, max_size=14)


def interval_of(parts: list[list[int]], confidence: float = 0.95) -> tuple[float, float]:
    """The interval that is shown, of these visits."""
    arrays = [np.array(part) for part in parts]
    found = visits_interval(np.sort(np.concatenate(arrays)), arrays, confidence)
    assert found is not None
    return found


def as_documented(parts: list[list[int]]) -> tuple[float, float]:
    """The interval as docs/measurement.md tells it, with the two numbers that stand there."""
    page = " ".join((Path(__file__).resolve().parents[2] / "docs" / "measurement.md").read_text(encoding="utf-8").split())
    told = page.partition("**The interval** of the median")[2].partition("## ")[0]
    unseen, from_visits = (re.search(pattern, told) for pattern in (r"plus ([0-9.]+) of one visit's share", r"From ([0-9]+) visits on"))
    assert unseen is not None and from_visits is not None
    count, ordered = len(parts), sorted(sample for part in parts for sample in part)
    middle = ordered[math.ceil(len(ordered) / 2) - 1]
    medians = sorted(sorted(part)[math.ceil(len(part) / 2) - 1] for part in parts)
    t = t_quantile(0.975, count - 1)
    reach = t * float(np.std(medians, ddof=1)) / math.sqrt(count)
    centres = (float(np.mean(medians)), middle)
    low, high = max(0.0, min(centres) - reach), max(centres) + reach
    if count >= int(from_visits[1]):
        k = max(k for k in range(1, count) if 2 * sum(math.comb(count, j) for j in range(k)) <= 0.05 * 2**count)
        low, high = max(low, medians[k - 1]), min(high, medians[-k])
    shares = [sum(sample <= middle for sample in part) / len(part) for part in parts]
    weights = [len(part) / len(ordered) for part in parts]
    mean = sum(weight * share for weight, share in zip(weights, shares, strict=True))
    error = math.sqrt(count / (count - 1) * sum((weight * (share - mean)) ** 2 for weight, share in zip(weights, shares, strict=True)))
    half = min(t * error + float(unseen[1]) / count, 0.5 - 0.5 / count)
    ends = [ordered[rank(len(ordered), 0.5 + side * half)] for side in (-1, 1)]
    return min(low, ends[0], middle), max(high, ends[1], middle)


@given(parts=LEVELS)
def test_the_interval_is_the_one_that_the_documents_tell(parts: list[list[int]]) -> None:
    """By another hand."""
    assert interval_of(parts) == pytest.approx(as_documented(parts), rel=1e-9)


@given(samples=LATENCIES, percent=st.integers(1, 999))
def test_percentiles_are_numpys_inverted_cdf(samples: list[int], percent: int) -> None:
    """Nearest rank by another hand. numpy multiplies in binary, so only ranks that are not whole numbers can be compared."""
    if (percent * len(samples)) % 1000:
        assert percentile_ns(np.array(samples), percent / 1000) == np.percentile(samples, percent / 10, method="inverted_cdf")


@pytest.mark.parametrize(("count", "k"), [(5, None), (6, 1), (8, 1), (9, 2), (11, 2), (12, 3), (20, 6), (40, 14)])
def test_ends_of_the_sign_test_as_printed(count: int, k: int | None) -> None:
    """Tables of nonparametric confidence intervals of the median, 95 %."""
    assert order_rank(count) == k


@given(count=st.integers(1, 60), percent=st.integers(50, 99))
def test_ends_of_the_sign_test_by_exact_binomials(count: int, percent: int) -> None:
    """The k-th from both ends enclose the median as surely as asked, the next ones in no longer."""
    def surely(k: int) -> Fraction:
        return 1 - 2 * sum((Fraction(math.comb(count, j), 2**count) for j in range(k)), Fraction(0))

    k = order_rank(count, percent / 100)
    if k is not None:
        assert surely(k) >= Fraction(percent, 100)
    following = (k or 0) + 1
    assert following > count // 2 or surely(following) < Fraction(percent, 100)


@given(parts=LEVELS, factor=st.integers(1, 1000))
def test_the_interval_follows_the_unit(parts: list[list[int]], factor: int) -> None:
    """In ns or in ms: the same interval."""
    low, high = interval_of(parts)
    assert interval_of([[value * factor for value in part] for part in parts]) == pytest.approx((low * factor, high * factor), rel=1e-9)


@given(parts=LEVELS, shift=st.integers(0, 10**9))
def test_the_interval_moves_along(parts: list[list[int]], shift: int) -> None:
    """A constant on every call moves both ends by as much; nothing is below zero."""
    far = 10**8
    low, high = interval_of([[value + far for value in part] for part in parts])
    assert interval_of([[value + far + shift for value in part] for part in parts]) == pytest.approx((low + shift, high + shift), rel=1e-9)


@given(parts=LEVELS, confidences=st.tuples(st.floats(0.5, 0.995), st.floats(0.5, 0.995)))
def test_surer_is_never_narrower(parts: list[list[int]], confidences: tuple[float, float]) -> None:
    """The interval of a greater confidence holds that of a smaller one."""
    inner, outer = interval_of(parts, min(confidences)), interval_of(parts, max(confidences))
    assert outer[0] <= inner[0] + 1e-6 and inner[1] <= outer[1] + 1e-6


@given(parts=LEVELS)
def test_the_interval_holds_the_median_and_woodruffs(parts: list[list[int]]) -> None:
    """Whatever the visits are: the ends are in order, with the median of all samples between them."""
    ordered = np.sort(np.concatenate(parts))
    shares = share_interval(ordered, [np.array(part) for part in parts])
    low, high = interval_of(parts)
    assert shares is not None
    assert 0.0 <= low <= shares[0] <= ordered[rank(len(ordered), 0.5)] <= shares[1] <= high


def test_a_model_with_two_speeds_may_be_at_either() -> None:
    """Seven visits fast, five slow: the median of a longer time may be the slow one, and the interval reaches there."""
    fast, slow = [1_000_000 + n for n in range(20)], [1_500_000 + n for n in range(20)]
    low, high = interval_of([fast] * 7 + [slow] * 5)
    assert low < 1_000_020 and high >= 1_500_000


def test_two_disturbed_visits_of_twelve_do_not_blow_it_up() -> None:
    """By t alone the interval would be wider than the median."""
    quiet = [[1_000_000 + 100 * n + visit for n in range(30)] for visit in range(10)]
    low, high = interval_of([*quiet, [9_000_000] * 30, [12_000_000] * 30])
    assert 999_000 < low < high < 1_010_000
    by_t = median_interval(np.array([1_001_500] * 10 + [9_000_000, 12_000_000]))
    assert by_t is not None and by_t[1] - by_t[0] > 4_000_000


def test_visits_that_agree_still_leave_a_doubt() -> None:
    """Equal visits have no spread between them, but their calls have one."""
    low, high = interval_of([[1_000_000 + 1000 * n for n in range(100)]] * 5)
    assert low < 1_049_000 < 1_050_000 < high < 1_060_000


@pytest.mark.parametrize(("values", "sign"), [([1, 2, 3, 4, 5, 6], -1), ([1, 6, 2, 5, 3, 4], 1), ([7, 7, 7, 7, 7], 0), ([1, 2, 3], 0)])
def test_values_that_follow_one_another(values: list[int], sign: int) -> None:
    """A rising row scores low, one that jumps to and fro high; equal ones and too few say nothing."""
    score = trend_score(values)
    assert (score < -1.64) if sign < 0 else (score > 1.0) if sign > 0 else (score == 0.0)


@pytest.mark.parametrize("count", [5, 8, 12, 40])
def test_scores_by_chance(count: int) -> None:
    """Values in no order fall below -1.28 in about 10 of 100 cases, below -1.64 in about 5."""
    generator = np.random.default_rng(3)
    scores = np.array([trend_score(generator.random(count)) for _ in range(3000)])
    assert abs(np.mean(scores < -1.28) - 0.10) < 0.035
    assert abs(np.mean(scores < -1.64) - 0.05) < 0.025


@given(values=st.lists(st.integers(0, 50), min_size=4, max_size=30))
def test_scores_know_order_only(values: list[int]) -> None:
    """Backwards, or on another scale that keeps the order: the same score."""
    score = trend_score(values)
    assert trend_score(values[::-1]) == pytest.approx(score)
    assert trend_score([value**3 + 7 for value in values]) == pytest.approx(score)


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

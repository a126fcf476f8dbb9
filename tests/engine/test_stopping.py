"""Measuring stops when the plan says so: "at most" always wins over "at least"."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.job import PLANS, Plan
from engine.result import Latency
from engine.stopping import (
    MEASURED_CALLS_MIN,
    Decision,
    configuration_over,
    next_visit_due_s,
    re_warmed,
    visit_limit_s,
    visit_over,
    warm_up_settled,
    window_change,
)

QUICK, STANDARD, PUBLICATION = PLANS["quick"], PLANS["standard"], PLANS["publication"]
EVERY_PLAN = st.sampled_from([QUICK, STANDARD, PUBLICATION])


def latency(count: int = 700, half: float | None = 0.01) -> Latency:
    """Figures with an interval of that half width."""
    return Latency(count=count, visits=5, p50_ms=10.0, p50_ci95_ms=None if half is None else (10.0 - 10.0 * half, 10.0 + 10.0 * half))


def falling(count: int) -> np.ndarray:
    """Calls that get faster by 5 % each."""
    return (1e9 * 0.95 ** np.arange(count)).astype(np.int64)


def test_a_steady_model_is_warm_after_ten_calls_and_a_fifth_of_a_second() -> None:
    """Both are needed, neither alone."""
    steady = np.full(40, 1_000_000)
    assert warm_up_settled(steady, 0.2, STANDARD).code == "warm-up-settled"
    assert not warm_up_settled(steady, 0.19, STANDARD).over
    assert not warm_up_settled(steady[:9], 5.0, STANDARD).over
    assert warm_up_settled(steady[:10], 5.0, STANDARD).over


def test_a_model_that_still_gets_faster_is_not_warm() -> None:
    """Until the limit, which then says so with its numbers."""
    assert not warm_up_settled(falling(40), 9.9, STANDARD).over
    ended = warm_up_settled(falling(40), 10.0, STANDARD)
    assert (ended.over, ended.code) == (True, "warm-up-never-settled")
    assert "40 calls" in ended.reason().sentence and "10.0 s" in ended.reason().sentence


def test_warm_up_is_never_shorter_than_one_call() -> None:
    """A first call of a minute ends the warm-up, no call does not."""
    assert not warm_up_settled(np.array([], np.int64), 60.0, STANDARD).over
    assert warm_up_settled(np.array([60 * 10**9]), 60.0, STANDARD).code == "warm-up-never-settled"


def test_the_cold_beginning_drops_out_of_the_windows() -> None:
    """Ten cold calls before thirty steady ones do not keep it from settling."""
    mixed = np.concatenate((falling(10), np.full(20, 600_000_000)))
    assert window_change(mixed) == 0.0
    assert window_change(falling(9)) is None


@given(calls=st.integers(0, 200), elapsed_s=st.floats(0, 100), seed=st.integers(0, 20), plan=EVERY_PLAN)
def test_warm_up_always_ends(calls: int, elapsed_s: float, seed: int, plan: Plan) -> None:
    """Whatever the timings are, the limit of time ends it after one call, and nothing ends it before both minima."""
    samples = np.random.default_rng(seed).integers(1, 10**9, calls)
    decision = warm_up_settled(samples, elapsed_s, plan)
    if calls and elapsed_s >= plan.warm_up_limit_s:
        assert decision.over
    if decision.over:
        assert elapsed_s >= plan.warm_up_limit_s or (calls >= plan.warm_up_calls and elapsed_s >= plan.warm_up_s)
        assert decision.reason().sentence


def test_warming_again_after_a_rest_is_short() -> None:
    """Three calls and 50 ms; one call as long as a visit is enough."""
    assert not re_warmed(2, 0.3, STANDARD)
    assert not re_warmed(100, 0.04, STANDARD)
    assert re_warmed(3, 0.05, STANDARD)
    assert re_warmed(1, 0.6, STANDARD)
    assert not re_warmed(0, 9.0, STANDARD)


@pytest.mark.parametrize(
    ("samples", "elapsed_s", "over"),
    [
        (63, 4.9, False), (64, 0.99, False), (64, 1.0, True), (5000, 0.5, False), (10, 5.0, True), (2, 60.0, False), (3, 90.0, True), (1, 1.5, False),
    ],
)
def test_a_quick_visit_needs_64_samples_and_a_second(samples: int, elapsed_s: float, over: bool) -> None:
    """At most 5 s, but never fewer than three calls."""
    assert visit_over(samples, elapsed_s, QUICK) is over


@pytest.mark.parametrize(
    ("samples", "elapsed_s", "over"),
    [
        (10_000, 0.5, False), (10_000, 0.6, True), (15, 3.0, False), (16, 3.2, True), (8, 4.0, True), (1, 0.7, True), (1, 30.0, True), (0, 30.0, False),
        (2, 1.3, True), (2, 1.1, False),
    ],
)
def test_a_standard_visit_is_the_longer_of_time_and_samples(samples: int, elapsed_s: float, over: bool) -> None:
    """Fast models take their 0.6 s, slow ones 16 samples within a fifth of the limit, and a call longer than a visit is a visit."""
    assert visit_over(samples, elapsed_s, STANDARD) is over


def test_the_fewest_visits_fit_the_time_limit() -> None:
    """Five visits at their longest are not more than the 20 s that may be measured."""
    assert visit_limit_s(STANDARD) * STANDARD.visits_min <= STANDARD.measuring_limit_s
    assert visit_limit_s(QUICK) == 5.0


@given(samples=st.integers(0, 10**6), elapsed_s=st.floats(0, 1000), plan=EVERY_PLAN)
def test_a_visit_always_ends(samples: int, elapsed_s: float, plan: Plan) -> None:
    """Three calls beyond the limit end any visit, and more of both never undo it."""
    if samples >= MEASURED_CALLS_MIN and elapsed_s >= plan.visit_limit_s:
        assert visit_over(samples, elapsed_s, plan)
    if visit_over(samples, elapsed_s, plan) and samples >= plan.visit_samples:
        assert visit_over(samples + 1, elapsed_s + 0.1, plan)


def over(figures: Latency, visits: int, measured_s: float, span_s: float, plan: Plan = STANDARD) -> str | None:
    """The code of the decision."""
    decision = configuration_over(figures, visits, measured_s, span_s, plan)
    return None if decision is None else decision.code


def test_a_quick_plan_is_done_after_its_visit() -> None:
    """Or out of time, where the 64 samples did not fit."""
    assert over(latency(64, None), 1, 1.0, 1.0, QUICK) == "plan-done"
    assert over(latency(20, None), 1, 5.0, 5.0, QUICK) == "time-limit"
    assert over(latency(0, None), 0, 0.0, 0.0, QUICK) is None


@pytest.mark.parametrize(
    ("figures", "visits", "span_s", "code"),
    [
        (latency(), 5, 12.0, "target-reached"),
        (latency(), 4, 12.0, None),
        (latency(), 5, 11.0, None),
        (latency(count=661), 5, 12.0, None),
        (latency(half=0.021), 5, 12.0, None),
        (latency(half=None), 5, 12.0, None),
    ],
)
def test_the_target_needs_visits_span_samples_and_width(figures: Latency, visits: int, span_s: float, code: str | None) -> None:
    """Each of the four alone is not enough."""
    assert over(figures, visits, 3.0, span_s) == code


def test_limits_of_the_standard_plan() -> None:
    """12 visits or 20 s end it whatever is missing, but never before three calls."""
    wide = latency(half=0.5)
    assert over(wide, 12, 7.2, 33.0) == "visits-exhausted"
    assert over(wide, 5, 20.0, 12.0) == "time-limit"
    assert over(latency(2, None), 2, 60.0, 60.0) is None
    assert over(latency(3, None), 3, 90.0, 90.0) == "time-limit"
    assert over(latency(half=0.001), 12, 20.0, 40.0) == "target-reached"


def test_limits_of_the_publication_plan() -> None:
    """Ten visits over a minute with half a percent, or forty; its limit of time is for calls of many seconds only."""
    tight, wide = latency(half=0.004), latency(half=0.006)
    assert over(tight, 10, 10.0, 61.0, PUBLICATION) == "target-reached"
    assert over(tight, 9, 9.0, 61.0, PUBLICATION) is None
    assert over(tight, 10, 10.0, 59.0, PUBLICATION) is None
    assert over(latency(661, 0.004), 10, 10.0, 61.0, PUBLICATION) is None
    assert over(wide, 39, 39.0, 160.0, PUBLICATION) is None
    assert over(wide, 40, 40.0, 161.0, PUBLICATION) == "visits-exhausted"
    assert visit_limit_s(PUBLICATION) * PUBLICATION.visits_max <= PUBLICATION.measuring_limit_s
    assert over(wide, 15, 900.0, 900.0, PUBLICATION) == "time-limit"
    assert PUBLICATION.fresh_workers and not STANDARD.fresh_workers


@pytest.mark.parametrize(("samples", "elapsed_s", "over"), [(500, 0.9, False), (500, 1.0, True), (63, 12.0, False), (64, 12.8, True), (30, 20.0, True), (1, 1.2, True)])
def test_a_visit_of_a_publication(samples: int, elapsed_s: float, over: bool) -> None:
    """A second and 64 samples, at most 20 s; a call longer than a second is a visit."""
    assert visit_over(samples, elapsed_s, PUBLICATION) is over


@given(count=st.integers(0, 2000), visits=st.integers(1, 15), measured_s=st.floats(0, 100), span_s=st.floats(0, 100), half=st.none() | st.floats(0, 1), plan=EVERY_PLAN)
def test_a_configuration_always_ends_with_a_sentence(count: int, visits: int, measured_s: float, span_s: float, half: float | None, plan: Plan) -> None:
    """Past both limits it is over, and every end has its words."""
    decision = configuration_over(latency(count, half), visits, measured_s, span_s, plan)
    if visits >= plan.visits_max or (measured_s >= plan.measuring_limit_s and count >= MEASURED_CALLS_MIN):
        assert decision is not None
    if decision is not None:
        assert decision.reason().sentence
        assert msgspec.json.decode(msgspec.json.encode(decision.reason()))["code"] == decision.code


def test_an_undecided_decision_has_no_sentence() -> None:
    """Nothing is said before it is over."""
    assert Decision(over=False).reason().sentence == ""


def test_visits_of_a_lone_configuration_span_the_plan() -> None:
    """Five visits started when due lie 12 s apart from first to last; later ones keep half the distance."""
    starts = [100.0]
    for visits in range(1, 8):
        starts.append(next_visit_due_s(visits, starts[0], starts[-1], STANDARD))
    assert starts[4] - starts[0] == pytest.approx(12.0)
    assert np.diff(starts[:5]) == pytest.approx([3.0] * 4)
    assert np.diff(starts[4:]) == pytest.approx([1.5] * 3)


@given(delays=st.lists(st.floats(0, 9), min_size=4, max_size=4))
def test_late_turns_still_span_the_plan(delays: list[float]) -> None:
    """Other configurations may keep it waiting: the fewest visits span the plan's time all the same."""
    starts = [0.0]
    for visits, delay in enumerate(delays, start=1):
        due_s = next_visit_due_s(visits, starts[0], starts[-1], STANDARD)
        assert due_s >= starts[-1]
        starts.append(due_s + delay)
    assert starts[-1] - starts[0] >= STANDARD.spread_s - 1e-9


def test_a_plan_of_one_visit_waits_for_nothing() -> None:
    """The quick plan has no spread."""
    assert next_visit_due_s(0, 0.0, 7.0, STANDARD) == 7.0
    assert next_visit_due_s(1, 0.0, 7.0, QUICK) == 7.0

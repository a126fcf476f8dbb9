"""The time left: of made-up standings, and of jobs whose whole course is known."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.job import PLANS, Plan
from engine.stopping import next_visit_due_s, visit_limit_s
from engine.time_left import (
    Pace,
    Standing,
    estimate_job_s,
    fraction_done,
    seconds_left,
    spread_between,
    spread_within,
    visit_seconds,
    visits_expected,
)

QUICK, STANDARD, PUBLICATION = PLANS["quick"], PLANS["standard"], PLANS["publication"]
EVERY_PLAN = st.sampled_from([QUICK, STANDARD, PUBLICATION])
RE_WARM_S = 0.11


class Course:
    """A job that takes its turns as the engine does, with a clock of its own: calls of `call_s`, visits that are too wide or not until `needed` of them."""

    def __init__(self, plan: Plan, needed: list[int], call_s: float = 0.002, start_s: float = 1.3, spread: float = 0.001) -> None:
        self.plan, self.needed, self.call_s, self.start_s, self.spread = plan, needed, call_s, start_s, spread
        self.samples = max(1, round(visit_seconds(call_s, plan) / call_s))
        self.spans: list[list[tuple[float, float]]] = [[] for _ in needed]
        self.moments: list[tuple[float, list[Standing]]] = []
        self.now = 0.0
        for index in range(len(needed)):
            self._act(index, fresh=True)
        while waiting := [index for index, spans in enumerate(self.spans) if len(spans) < self.needed[index]]:
            due = {index: next_visit_due_s(len(self.spans[index]), self.spans[index][0][0], self.spans[index][-1][0], plan) for index in waiting}
            ready = [index for index in waiting if due[index] <= self.now]
            if ready:
                self._act(min(ready, key=lambda index: len(self.spans[index])), fresh=plan.fresh_workers)
            else:
                self._pass(min(due.values()), None, None)

    def _pass(self, until_s: float, starting: tuple[int, float] | None, visiting: tuple[int, float] | None) -> None:
        """Let time pass, with a look at the standings every quarter of a second."""
        while self.now < until_s:
            self.moments.append((self.now, [self._standing(index, starting, visiting) for index in range(len(self.needed))]))
            self.now = min(until_s, self.now + 0.25)

    def _standing(self, index: int, starting: tuple[int, float] | None, visiting: tuple[int, float] | None) -> Standing:
        spans = self.spans[index]
        measured_s = sum(end - begin for begin, end in spans)
        levels = tuple(1.0 + self.spread * (-1.0) ** number for number in range(len(spans)))
        seen = bool(spans) or (visiting is not None and visiting[0] == index)
        return Standing(
            over=len(spans) >= self.needed[index], starting_s=self.now - starting[1] if starting and starting[0] == index else None,
            start_s=self.start_s if seen else None, visits=len(spans), count=len(spans) * self.samples, measured_s=measured_s,
            visit_s=measured_s / len(spans) if spans else None, first_age_s=self.now - spans[0][0] if spans else None,
            last_age_s=self.now - spans[-1][0] if spans else 0.0, visiting_s=self.now - visiting[1] if visiting and visiting[0] == index else None,
            call_s=self.call_s if seen or (starting and starting[0] == index and self.now - starting[1] > 0.6) else None, medians=levels,
            hint=self.spread if seen else None,
        )

    def _act(self, index: int, fresh: bool) -> None:
        if fresh:
            self._pass(self.now + self.start_s, (index, self.now), None)
        else:
            self._pass(self.now + RE_WARM_S, None, None)
        began = self.now
        self._pass(began + visit_seconds(self.call_s, self.plan), None, (index, began))
        self.spans[index].append((began, self.now))

    def ratios(self) -> Iterator[float]:
        """Estimate over truth, from the first tenth of the job to its last twentieth."""
        for at, standings in self.moments:
            if 0.1 * self.now <= at <= 0.95 * self.now:
                yield seconds_left(standings, self.plan) / (self.now - at)


@pytest.mark.parametrize("configurations", [1, 2, 4, 9])
@pytest.mark.parametrize(("plan", "visits", "spread"), [(QUICK, 1, 0.0), (STANDARD, 5, 0.001), (STANDARD, 12, 0.05), (PUBLICATION, 10, 0.0005), (PUBLICATION, 40, 0.03)])
def test_it_is_right_within_30_percent_after_the_first_tenth(plan: Plan, visits: int, spread: float, configurations: int) -> None:
    """Steady jobs that stop after the fewest visits and restless ones that take the most, one and several in turn."""
    ratios = list(Course(plan, [visits] * configurations, spread=spread).ratios())
    assert len(ratios) > 3
    assert min(ratios) >= 0.7 and max(ratios) <= 1.3


@pytest.mark.parametrize(("plan", "visits"), [(QUICK, 1), (STANDARD, 7), (PUBLICATION, 11)])
def test_slow_calls_too(plan: Plan, visits: int) -> None:
    """Calls of 0.2 s: a standard job ends with its limit of time, the others when they have their samples."""
    ratios = list(Course(plan, [visits], call_s=0.2, start_s=3.5).ratios())
    assert min(ratios) >= 0.7 and max(ratios) <= 1.3


def test_fresh_workers_cost_their_start_each_time() -> None:
    """A publication whose model loads for 4 s takes as much longer."""
    quick_start, slow_start = (Course(PUBLICATION, [40], start_s=start_s, spread=0.03) for start_s in (0.5, 4.0))
    assert slow_start.now > quick_start.now + 90.0
    assert all(0.7 <= ratio <= 1.3 for ratio in slow_start.ratios())


@pytest.mark.parametrize(
    ("standing", "plan", "expected"),
    [
        (Standing(visits=1, count=300, hint=0.001, medians=(1.0,)), STANDARD, 5), (Standing(visits=1, count=300, hint=0.1, medians=(1.0,)), STANDARD, 12),
        (Standing(visits=3, count=900, hint=0.002, medians=(1.0, 1.001, 0.999)), STANDARD, 5), (Standing(visits=3, count=900, hint=0.002, medians=(1.0, 1.2, 1.1)), STANDARD, 12),
        (Standing(visits=5, count=400, hint=0.001, medians=(1.0,) * 5), STANDARD, 9), (Standing(visits=5, count=1500, hint=0.001, medians=(1.0,) * 5), STANDARD, 6),
        (Standing(visits=12, count=1500, hint=0.001, medians=(1.0,) * 12), STANDARD, 12), (Standing(call_s=2.0), STANDARD, 10), (Standing(call_s=0.2), STANDARD, 7),
        (Standing(), QUICK, 1), (Standing(visits=4, count=4000, hint=0.0005, medians=(1.0, 1.0005, 1.0, 0.9995)), PUBLICATION, 10),
    ],
)
def test_visits_to_come(standing: Standing, plan: Plan, expected: int) -> None:
    """By what visits differ by, by the samples that p99 needs, and by the limits of number and time."""
    assert visits_expected(standing, plan) == expected


def test_width_decides_between_the_fewest_and_the_most() -> None:
    """Visits that differ by 2 % narrow their interval to 2 % after some eight of them."""
    generator = np.random.default_rng(0)
    standing = Standing(visits=5, count=1500, medians=tuple(1.0 + 0.022 * generator.standard_normal(5)))
    assert 6 <= visits_expected(standing, STANDARD) <= 11


def test_spread_of_few_visits_leans_on_the_first_ones_own() -> None:
    """One visit has only that; many have their own."""
    assert spread_between(Standing()) is None
    assert spread_between(Standing(hint=0.01, medians=(1.0,))) == pytest.approx(0.01)
    assert spread_between(Standing(hint=0.5, medians=(1.0, 1.0))) == pytest.approx(0.5 * np.sqrt(2 / 3))
    assert spread_between(Standing(medians=(99.0, 101.0))) == pytest.approx(0.01 * np.sqrt(2))


def test_spread_within_a_visit() -> None:
    """Noise of single calls averages out, a level that moves does not, one disturbed chunk is passed over."""
    noise = np.random.default_rng(0).normal(1e6, 1e4, 4000).astype(np.int64)
    moving = (noise * np.linspace(0.9, 1.1, 4000)).astype(np.int64)
    disturbed = noise.copy()
    disturbed[:500] *= 9
    assert (spread_within(noise) or 1.0) < 0.002
    assert (spread_within(moving) or 0.0) > 0.05
    assert (spread_within(disturbed) or 1.0) < 0.002
    assert spread_within(noise[:15]) is None


def test_pace_tells_starts_visits_and_rests_apart() -> None:
    """As the phases come: a start that took 2 s, a visit that runs, one that is over."""
    pace, block = Pace(), np.full(40, 5_000_000, np.int64)
    pace.entered("starting", 10.0)
    pace.entered("warm-up", 11.5)
    standing = pace.standing(11.9, [], over=False, visits=0, count=0, call_s=None)
    assert (standing.starting_s, standing.start_s, standing.visiting_s) == (pytest.approx(1.9), None, None)
    pace.entered("steady", 12.0)
    pace.took(0, block)
    pace.took(0, block)
    standing = pace.standing(12.5, [], over=False, visits=0, count=80, call_s=0.005)
    assert (standing.starting_s, standing.start_s, standing.visiting_s, standing.medians) == (None, 2.0, 0.5, ())
    standing = pace.standing(14.0, [(12.0, 12.6)], over=False, visits=1, count=80, call_s=0.005)
    assert (standing.visiting_s, standing.first_age_s, standing.last_age_s, standing.visit_s) == (None, 2.0, 2.0, pytest.approx(0.6))
    assert standing.medians == (5e6,) and standing.hint == 0.0
    pace.entered("warm-up", 15.0)
    pace.entered("steady", 15.1)
    pace.took(1, block * 2)
    standing = pace.standing(15.2, [(12.0, 12.6)], over=False, visits=1, count=120, call_s=0.005)
    assert standing.visiting_s == pytest.approx(0.1) and standing.start_s == 2.0
    assert pace.standing(16.0, [(12.0, 12.6), (15.1, 15.8)], over=False, visits=2, count=120, call_s=0.005).medians == (5e6, 1e7)


def test_appended_visits_are_estimated_from_what_they_need() -> None:
    """Two more visits to a row of five: a start, two visits and the rest between them; not the plan from its beginning."""
    plan = msgspec.structs.replace(STANDARD, visits_min=7, visits_max=17, spread_s=4.0)
    left = seconds_left([Standing(visits=5, count=1500, medians=(), hint=None, starting_s=0.0, start_s=1.0)], plan)
    assert 2.0 < left < 15.0


def test_length_of_a_visit_by_the_calls_time() -> None:
    """Fast: the plan's time and the block queued behind. Slow: its samples. Slower: the limit and half a call. A call as long as a visit: one call."""
    assert [round(visit_seconds(call_s, STANDARD), 6) for call_s in (0.001, 0.1, 0.2, 0.5, 2.0)] == [0.66, 1.7, 3.2, 4.25, 2.0]
    assert visit_seconds(3.0, QUICK) == pytest.approx(9.0)
    assert visit_limit_s(STANDARD) == 4.0


def test_the_estimate_before_anything_is_known() -> None:
    """More configurations take longer; two share the time in which one would rest."""
    one, two, eight = (estimate_job_s(STANDARD, count) for count in (1, 2, 8))
    assert 12.0 < one < 30.0
    assert one <= two < 2.0 * one < eight
    assert estimate_job_s(QUICK, 4) == pytest.approx(4.0 * estimate_job_s(QUICK, 1))
    assert estimate_job_s(STANDARD, 0) == 0.0
    assert 60.0 < estimate_job_s(PUBLICATION, 1) < 200.0


@given(
    visits=st.integers(0, 45), measured_s=st.floats(0, 50), call_s=st.none() | st.floats(1e-6, 100), plan=EVERY_PLAN, others=st.integers(0, 4),
    medians=st.lists(st.floats(0.1, 10.0), max_size=12), hint=st.none() | st.floats(0, 10), ages=st.tuples(st.floats(0, 300), st.floats(0, 300)),
    now=st.tuples(st.none() | st.floats(0, 50), st.none() | st.floats(0, 50)),
)
def test_time_left_is_finite_and_never_negative(
    visits: int, measured_s: float, call_s: float | None, plan: Plan, others: int, medians: list[float], hint: float | None, ages: tuple[float, float],
    now: tuple[float | None, float | None],
) -> None:
    """Any standing has an estimate, and progress stays within 0 and 1."""
    standings = [Standing(
        visits=visits, count=visits * 20, measured_s=measured_s, visit_s=measured_s / visits if visits else None, first_age_s=max(ages) if visits else None,
        last_age_s=min(ages), call_s=call_s, medians=tuple(medians), hint=hint, starting_s=now[0], visiting_s=now[1],
    )] + [Standing()] * others
    left = seconds_left(standings, plan)
    assert 0.0 <= left < 1e5
    assert 0.0 <= fraction_done(standings, measured_s, plan) <= 1.0


def test_progress_of_a_finished_job() -> None:
    """Nothing left is all done; nothing begun is nothing done."""
    assert fraction_done([Standing(over=True)], 30.0, STANDARD) == 1.0
    assert fraction_done([Standing()], 0.0, STANDARD) == 0.0
    assert fraction_done([], 0.0, STANDARD) == 0.0

"""How long a job will still take: what is left of each configuration's plan, and how they share the time. Pure; the engine asks four times a second."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from engine.job import Plan
from engine.statistics import t_quantile
from engine.stopping import MEASURED_CALLS_MIN, RE_WARM_CALLS, RE_WARM_S, WARM_UP_WINDOW, next_visit_due_s, visit_limit_s

START_S = 1.0
"""Start, load, prepare and first call of a small model, until this job has shown better."""
TYPICAL_EXTRA = 0.3
"""Share of the visits between fewest and most that a configuration is thought to take before anything is known of it."""
CHUNKS = 8
HINT_VISITS = 2.0
"""What is seen within the first visit counts as much as so many visits."""
UNCERTAIN = (0.5, 1.5)
"""Spread of the visits over the plan's target between which it may go either way, before two visits are known."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where one configuration of a job stands; times in s."""

    over: bool = False
    starting_s: float | None = None
    """Since its worker began to start; None while none starts."""
    start_s: float | None = None
    """From a worker's birth to its first counted call, as it was the first time."""
    visits: int = 0
    """That are over, those of an earlier session included."""
    count: int = 0
    measured_s: float = 0.0
    visit_s: float | None = None
    """Mean time of a visit so far."""
    first_age_s: float | None = None
    """Since the first visit of this session began; None before it is over."""
    last_age_s: float = 0.0
    """Since its last visit (that is over) began."""
    visiting_s: float | None = None
    """Since the running visit began; None while none runs."""
    call_s: float | None = None
    """Median of a call, once known."""
    medians: tuple[float, ...] = ()
    """Of the visits, in any unit."""
    hint: float | None = None
    """Spread of the level within the first visit, over the level: what visits may differ by at least."""
    beside_s: float = 0.0
    """What figures beside the loop take at the end."""


class Pace:
    """What of one configuration's way the estimate needs: when its worker started, when visits began, what their medians were."""

    def __init__(self) -> None:
        self.start_s: float | None = None
        self.hint: float | None = None
        self._starting_since_s: float | None = None
        self._visiting_since_s: float | None = None
        self._visit: int | None = None
        self._parts: list[npt.NDArray[np.int64]] = []
        self._medians: list[float] = []

    def entered(self, phase: str, now_s: float) -> None:
        """A phase begins, as the events name it."""
        if phase == "starting":
            self._starting_since_s, self._visiting_since_s = now_s, None
        elif phase == "steady":
            if self._starting_since_s is not None and self.start_s is None:
                self.start_s = now_s - self._starting_since_s
            self._starting_since_s, self._visiting_since_s = None, now_s

    def took(self, visit: int, latency_ns: npt.NDArray[np.int64]) -> None:
        """Counted calls of a visit."""
        if visit != self._visit:
            self._settle()
            self._visit = visit
        self._parts.append(latency_ns)

    def _settle(self) -> None:
        """The median of the visit that is over."""
        if self._parts:
            whole = np.concatenate(self._parts)
            self._medians.append(float(np.median(whole)))
            if self.hint is None:
                self.hint = spread_within(whole)
        self._parts = []

    def standing(
        self, now_s: float, spans_s: Sequence[tuple[float, float]], *, over: bool, visits: int, count: int, call_s: float | None, beside_s: float = 0.0
    ) -> Standing:
        """Where the configuration stands; `spans_s` are the visits of this session that are over."""
        if self._visiting_since_s is not None and spans_s and spans_s[-1][1] >= self._visiting_since_s:
            self._visiting_since_s = None
            self._settle()
        hint = self.hint
        if hint is None and self._parts:
            hint = spread_within(np.concatenate(self._parts))
        measured_s = sum(end - start for start, end in spans_s)
        return Standing(
            over=over, starting_s=_since(self._starting_since_s, now_s), start_s=self.start_s, visits=visits, count=count, measured_s=measured_s,
            visit_s=measured_s / len(spans_s) if spans_s else None, first_age_s=now_s - spans_s[0][0] if spans_s else None,
            last_age_s=now_s - spans_s[-1][0] if spans_s else 0.0, visiting_s=_since(self._visiting_since_s, now_s), call_s=call_s,
            medians=tuple(self._medians), hint=hint, beside_s=beside_s,
        )


def _since(then_s: float | None, now_s: float) -> float | None:
    return None if then_s is None else now_s - then_s


def spread_within(latency_ns: npt.NDArray[np.int64]) -> float | None:
    """How much the level moves within one visit, as a standard deviation over the level, from the quartiles of its chunks' medians; None for few samples."""
    if len(latency_ns) < 2 * CHUNKS:
        return None
    size = len(latency_ns) // CHUNKS
    medians = np.median(latency_ns[: size * CHUNKS].reshape(CHUNKS, size), axis=1)
    low, middle, high = np.percentile(medians, (25, 50, 75))
    return float((high - low) / 1.35 / middle) if middle > 0 else None


def visit_seconds(call_s: float | None, plan: Plan) -> float:
    """How long the measured part of one visit will take."""
    call = call_s or 0.0
    single = call >= plan.visit_s and not plan.visit_needs_both
    wanted = call if single else max(plan.visit_s, plan.visit_samples * call)
    calls_min = MEASURED_CALLS_MIN if plan.visits_max == 1 else 1
    limited = min(wanted, visit_limit_s(plan))
    # Where calls are short, the block that was queued ahead is done too; where time ends a visit of long calls, half a call is over.
    by_samples = wanted == limited == plan.visit_samples * call
    beyond = max(call, plan.block_s) if call < 2.0 * plan.block_s else 0.0 if single or by_samples else call / 2.0
    return max(calls_min * call, limited + beyond)


def _warming_s(call_s: float | None, plan: Plan, start_s: float) -> float:
    """What comes before a visit after a rest: warming again, or a worker of its own that starts and warms up."""
    call = call_s or 0.0
    return start_s if plan.fresh_workers else max(RE_WARM_S + plan.block_s, min(RE_WARM_CALLS * call, max(call, plan.visit_s + call / 2.0)))


def _start_seconds(call_s: float | None, plan: Plan) -> float:
    """What a worker takes until it is warm, before one was seen to."""
    return START_S + min(plan.warm_up_limit_s, max(plan.warm_up_s, max(plan.warm_up_calls, 2 * WARM_UP_WINDOW) * (call_s or 0.0)))


def spread_between(standing: Standing) -> float | None:
    """How much visits differ, as a standard deviation over their level: from their medians, and while these are few from the first visit itself too."""
    squares = weight = 0.0
    if standing.hint is not None:
        squares, weight = HINT_VISITS * standing.hint**2, HINT_VISITS
    if len(standing.medians) >= 2:
        array = np.array(standing.medians)
        squares += float(np.sum((array / np.mean(array) - 1.0) ** 2))
        weight += len(array) - 1
    return math.sqrt(squares / weight) if weight else None


def visits_expected(standing: Standing, plan: Plan, extra: float = TYPICAL_EXTRA) -> int:
    """How many visits a configuration will have had in the end: what samples and interval need, within the plan's and the time's limits.

    `extra` is the share of the visits beyond the fewest that is likely where nothing is known of it.
    """
    per_visit = standing.count / standing.visits if standing.visits else _samples_in_visit(standing.call_s, plan)
    by_samples = math.ceil(plan.total_samples / per_visit) if per_visit else plan.visits_min
    by_width = plan.visits_min if plan.target_relative is None else _visits_by_width(standing, plan, plan.target_relative, extra)
    wanted = min(plan.visits_max, max(plan.visits_min, by_samples, by_width, standing.visits + 1))
    one_s = visit_seconds(standing.call_s, plan) if standing.visit_s is None else standing.visit_s
    by_time = standing.visits + max(1, math.ceil((plan.measuring_limit_s - standing.measured_s) / max(one_s, 1e-9)))
    return min(wanted, by_time)


def _samples_in_visit(call_s: float | None, plan: Plan) -> float | None:
    return None if not call_s else max(1.0, visit_seconds(call_s, plan) / call_s)


def _visits_by_width(standing: Standing, plan: Plan, target: float, extra: float) -> int:
    """After how many visits the interval will be as narrow as the target, were they to differ as they did so far."""
    spread = spread_between(standing)
    if spread is None:
        return plan.visits_min + round(extra * (plan.visits_max - plan.visits_min))
    if len(standing.medians) < 2:
        low, high = (share * target for share in UNCERTAIN)
        return plan.visits_min if spread < low else plan.visits_max if spread > high else (plan.visits_min + plan.visits_max) // 2
    for count in range(max(2, plan.visits_min, standing.visits + 1), plan.visits_max):
        if t_quantile(0.975, count - 1) * spread / math.sqrt(count) <= target:
            return count
    return plan.visits_max


def _own_seconds(standing: Standing, plan: Plan, start_s: float, extra: float, delay_s: float) -> tuple[float, float, float]:
    """Of one configuration: seconds until its present or first visit is over, its work in all, and seconds to its end were it alone after `delay_s`."""
    visit_s, before_s = visit_seconds(standing.call_s, plan), _warming_s(standing.call_s, plan, start_s)
    first_s, last_s = -(standing.first_age_s or 0.0), -standing.last_age_s
    began, wanted = standing.visits, visits_expected(standing, plan, extra)
    work_s = at_s = 0.0
    if (now_s := _present_seconds(standing, visit_s, start_s)) is not None:
        began, at_s, work_s = began + 1, delay_s + now_s, now_s
        last_s = at_s - visit_s
        first_s = last_s if standing.first_age_s is None else first_s
    present_end_s = at_s
    for visits in range(began, wanted):
        last_s = max(at_s, next_visit_due_s(visits, first_s, last_s, plan)) + before_s
        at_s = last_s + visit_s
        work_s += before_s + visit_s
    return present_end_s, work_s + standing.beside_s, at_s + standing.beside_s


def _present_seconds(standing: Standing, visit_s: float, start_s: float) -> float | None:
    """To the end of the visit that runs, or that a starting worker (or one that has not begun) will take; None while it rests."""
    if standing.visiting_s is not None:
        return max(0.1 * visit_s, visit_s - standing.visiting_s)
    if standing.starting_s is not None or standing.first_age_s is None:
        spent_s = standing.starting_s or 0.0
        return max(0.1 * spent_s, start_s - spent_s) + visit_s
    return None


def seconds_left(standings: Sequence[Standing], plan: Plan) -> float:
    """Seconds until the last configuration is over: all the work in turn, but no less than any one's visits need to be spread."""
    known = [standing.start_s for standing in standings if standing.start_s is not None]
    mean_s = float(np.mean(known)) if known else None
    extra = _extra_seen(standings, plan)
    work_s = spread_s = delay_s = 0.0
    # Whoever is at work now goes first, those that have not begun follow in order.
    for standing in sorted((each for each in standings if not each.over), key=lambda each: each.visiting_s is None and each.starting_s is None):
        start_s = standing.start_s or mean_s or _start_seconds(standing.call_s, plan)
        present_end_s, own_work_s, end_s = _own_seconds(standing, plan, start_s, extra, delay_s)
        work_s, spread_s, delay_s = work_s + own_work_s, max(spread_s, end_s), max(delay_s, present_end_s)
    return max(work_s, spread_s)


def _extra_seen(standings: Sequence[Standing], plan: Plan) -> float:
    """The share of visits beyond the fewest that the configurations of which something is known take: the machine is the same for the others."""
    room = plan.visits_max - plan.visits_min
    seen = [
        ((standing.visits if standing.over else visits_expected(standing, plan)) - plan.visits_min) / room
        for standing in standings if room and (standing.hint is not None or len(standing.medians) > 1)
    ]
    return max(0.0, float(np.mean(seen))) if seen else TYPICAL_EXTRA


def estimate_job_s(plan: Plan, configurations: int) -> float:
    """How long a job of so many configurations will take, before anything is known of them."""
    return seconds_left([Standing()] * configurations, plan)


def fraction_done(standings: Sequence[Standing], elapsed_s: float, plan: Plan) -> float:
    """Progress in 0..1 from the time spent and the estimate of the time left."""
    left_s = seconds_left(standings, plan)
    return float(np.clip(elapsed_s / (elapsed_s + left_s), 0.0, 1.0)) if elapsed_s + left_s > 0.0 else 0.0

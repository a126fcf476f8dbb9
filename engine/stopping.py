"""When to stop: decisions on values, drawn from the samples so far; the supervisor asks, nothing here acts.

The plan's table is in docs/measurement.md. Everywhere "at most" wins over "at least", down to one warm-up call and three measured calls.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine.job import Plan
from engine.result import Latency, Reason
from engine.statistics import Int64s, percentile_ns, relative_half_width
from engine.words import say

SETTLED_WITHIN = 0.02
"""Two consecutive windows of the warm-up whose medians differ by less are the steady state."""
WARM_UP_WINDOW = 5
"""Calls in a window at least."""
MEASURED_CALLS_MIN = 3
RE_WARM_CALLS = 3
RE_WARM_S = 0.05


class Decision(msgspec.Struct, frozen=True):
    """Whether it is over, and the coded reason with its values."""

    over: bool
    code: str = ""
    values: dict[str, Any] = {}

    def reason(self) -> Reason:
        """The decision as it stands in an outcome, with its English sentence."""
        return Reason(self.code, self.values, say(self.code, self.values) if self.code else "")


def window_change(latency_ns: Int64s) -> float | None:
    """How far the medians of the last two windows lie apart, over the larger; None with too few calls for two windows.

    A window is a third of the calls so far: it grows, so noise averages out, and the coldest calls drop out of both.
    """
    size = max(WARM_UP_WINDOW, len(latency_ns) // 3)
    if len(latency_ns) < 2 * size:
        return None
    before, after = percentile_ns(latency_ns[-2 * size : -size], 0.5), percentile_ns(latency_ns[-size:], 0.5)
    return abs(after - before) / max(before, after, 1)


def warm_up_settled(latency_ns: Int64s, elapsed_s: float, plan: Plan) -> Decision:
    """Whether the warm-up of an input shape is over: settled, or out of time (never before one call)."""
    calls = len(latency_ns)
    if calls == 0:
        return Decision(over=False)
    change = window_change(latency_ns)
    values = {"calls": calls, "seconds": elapsed_s, "percent": SETTLED_WITHIN * 100.0, "change_percent": None if change is None else change * 100.0}
    if calls >= plan.warm_up_calls and elapsed_s >= plan.warm_up_s and change is not None and change < SETTLED_WITHIN:
        return Decision(True, "warm-up-settled", values)
    if elapsed_s >= plan.warm_up_limit_s:
        return Decision(True, "warm-up-never-settled", values)
    return Decision(over=False)


def re_warmed(calls: int, elapsed_s: float, plan: Plan) -> bool:
    """Whether a settled worker that rested is warm again: 3 calls and 0.05 s; a call as long as a visit is enough alone."""
    return calls >= 1 and (elapsed_s >= plan.visit_s or (calls >= RE_WARM_CALLS and elapsed_s >= RE_WARM_S))


def visit_limit_s(plan: Plan) -> float:
    """The longest a visit may take, so that the plan's fewest visits fit its measuring limit."""
    return min(plan.visit_limit_s, plan.measuring_limit_s / plan.visits_min)


def visit_over(samples_in_visit: int, elapsed_s: float, plan: Plan) -> bool:
    """Whether a visit is over: it lasted `visit_s` and has `visit_samples`, or it reached the limit of time.

    "0.6 s or 16 samples" is the longer of the two: the shorter would give a 50 us model 1 ms long visits that never reach 662 samples. Where not
    both are needed, a call longer than `visit_s` is a visit by itself. A plan's only visit holds three calls whatever they take.
    """
    if samples_in_visit < (MEASURED_CALLS_MIN if plan.visits_max == 1 else 1):
        return False
    if elapsed_s >= visit_limit_s(plan):
        return True
    if elapsed_s < plan.visit_s:
        return False
    call_is_a_visit = not plan.visit_needs_both and elapsed_s >= samples_in_visit * plan.visit_s
    return call_is_a_visit or samples_in_visit >= plan.visit_samples


def configuration_over(latency: Latency, visits: int, measured_s: float, span_s: float, plan: Plan) -> Decision | None:
    """Why a configuration is measured, after a visit; None while it needs more.

    `measured_s` is the time spent in visits, `span_s` the time from the first visit's start to the last one's end.
    """
    if visits == 0:
        return None
    half = relative_half_width(latency)
    values = {
        "count": latency.count,
        "visits": visits,
        "seconds": measured_s,
        "percent": None if half is None else half * 100.0,
        "target_percent": None if plan.target_relative is None else plan.target_relative * 100.0,
        "planned": plan.total_samples,
    }
    if plan.target_relative is None and visits >= plan.visits_max:
        return Decision(True, "plan-done" if latency.count >= plan.total_samples else "time-limit", values)
    if target_reached(latency, visits, span_s, plan):
        return Decision(True, "target-reached", values)
    if visits >= plan.visits_max:
        return Decision(True, "visits-exhausted", values)
    if measured_s >= plan.measuring_limit_s and latency.count >= MEASURED_CALLS_MIN:
        return Decision(True, "time-limit", values)
    return None


def target_reached(latency: Latency, visits: int, span_s: float, plan: Plan) -> bool:
    """Whether the interval is as narrow as the plan wants, from enough visits over a long enough time."""
    half = relative_half_width(latency)
    enough = visits >= plan.visits_min and span_s >= plan.spread_s and latency.count >= plan.total_samples
    return enough and half is not None and plan.target_relative is not None and half <= plan.target_relative


def next_visit_due_s(visits: int, first_start_s: float, last_start_s: float, plan: Plan) -> float:
    """When the next visit of a configuration should start, on the clock of the two starts given.

    What is left of the plan's spread is divided among the visits left, so that the fewest visits span it even when turns came late. Visits beyond
    them keep half that distance: visits close together share what disturbs them, and a longer rest would keep the user waiting.
    """
    if visits == 0 or plan.visits_min < 2:
        return last_start_s
    left = plan.visits_min - visits
    if left <= 0:
        return last_start_s + plan.spread_s / (plan.visits_min - 1) / 2.0
    return last_start_s + max(0.0, plan.spread_s - (last_start_s - first_start_s)) / left

"""Is B faster than A? A verdict from blocks that were measured in turn; pure functions on medians.

**Quad.** Blocks are taken in the order A B B A (the next time B A A B). The logarithm of the ratio of its medians,
(log b1 + log b2 - log a1 - log a2) / 2, is free of any drift that is linear over the quad: the design of blocks in balanced turns, as in
Kalibera and Jones, "Rigorous Benchmarking in Reasonable Time", ISMM 2013.

**Round.** A few quads of one pair of workers; its value is the median of their log ratios, so that one disturbed quad does not count. Each round has
fresh workers: two processes of the very same model differ by up to a few percent for as long as they live (where their memory lies), which no
number of blocks in one pair can tell from a real difference. So rounds, not quads, are the independent cases.

**Interval.** Student's t on the 20 % trimmed mean of the rounds with winsorized variance: Tukey and McLaughlin, Sankhya A 25 (1963); Yuen, "The
two-sample trimmed t for unequal population variances", Biometrika 61 (1974). A percentile bootstrap of so few values is too narrow (with 8 of them
a nominal 95 % interval holds the truth in about 90 %: tests/engine/test_verdict.py); a plain t is thrown wide by a single disturbed round.

**Looks.** Stopping as soon as an interval looks good makes any level a lie. So it is looked at after fixed numbers of rounds only, and the 5 % of
errors are divided among these looks (Bonferroni; the repeated intervals of Jennison and Turnbull, "Interim analyses: the repeated confidence
interval approach", JRSS B 51 (1989)): the interval that is shown holds with 95 % whenever it stops.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.result import Comparison
from engine.statistics import t_quantile

FASTER, SLOWER, SAME, CANNOT_TELL = "FASTER", "SLOWER", "SAME", "CANNOT-TELL"
VERDICTS = (FASTER, SLOWER, SAME, CANNOT_TELL)
SAME_WITHIN = 0.02
"""Of the ratio; an interval wholly within is SAME, even where it leaves out 1: such a difference is of no use to anybody."""
PAIR_DOUBT = 0.03
"""Logarithm of the ratio: how far two processes of the very same model may lie apart. Where one pair of workers serves all rounds, none of them can tell it
from a real difference, so the interval is as much wider on either side: SAME is then out of reach, and a smaller difference is no verdict."""
TRIMMED = 0.2
ROUNDS_MIN = 3
"""Fewer do not know their own error."""


class Look(NamedTuple):
    """After so many rounds the interval is looked at, on this share of the errors."""

    rounds: int
    alpha: float


LOOKS = (Look(8, 0.01), Look(12, 0.01), Look(18, 0.015), Look(26, 0.015))


class Estimate(NamedTuple):
    """Of the logarithm of the ratio: the centre and both ends."""

    centre: float
    low: float
    high: float


def quad_log_ratio(outer: tuple[float, float], inner: tuple[float, float]) -> float:
    """Logarithm of the inner blocks' medians over the outer ones' (of A B B A: B over A); the medians must be above 0."""
    return (math.log(inner[0]) + math.log(inner[1]) - math.log(outer[0]) - math.log(outer[1])) / 2.0


def round_value(quads: Sequence[float]) -> float:
    """What a round says: the median of its quads' log ratios."""
    return float(np.median(quads))


def trimmed_interval(values: Sequence[float], alpha: float) -> Estimate | None:
    """The Tukey-McLaughlin interval of the 20 % trimmed mean at level 1 - `alpha`; None for fewer than three values."""
    count = len(values)
    if count < ROUNDS_MIN:
        return None
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    cut = int(TRIMMED * count)
    kept = count - 2 * cut
    winsorized = np.clip(ordered, ordered[cut], ordered[count - 1 - cut])
    centre = float(np.mean(ordered[cut : count - cut]))
    spread = float(np.std(winsorized, ddof=1)) * math.sqrt((count - 1) / (kept * (kept - 1)))
    half = t_quantile(1.0 - alpha / 2.0, kept - 1) * spread
    return Estimate(centre, centre - half, centre + half)


def look_ahead(rounds: int) -> Look:
    """The look that is due now or next; after the last one, the last."""
    return next((look for look in LOOKS if look.rounds >= rounds), LOOKS[-1])


def estimate(rounds: Sequence[Sequence[float]], doubt: float = 0.0) -> Estimate | None:
    """The interval so far, at the level of the look that is due now or next; where time ends between two looks, the clock chose the number of rounds,
    not the figures, and that level is still unspent. `doubt` widens it on either side (`PAIR_DOUBT`).
    """
    found = trimmed_interval([round_value(quads) for quads in rounds], look_ahead(len(rounds)).alpha)
    return None if found is None else Estimate(found.centre, found.low - doubt, found.high + doubt)


def verdict_of(found: Estimate | None) -> str:
    """What an interval shows; SAME comes before a difference that is too small to matter."""
    if found is None:
        return CANNOT_TELL
    if math.log1p(-SAME_WITHIN) <= found.low and found.high <= math.log1p(SAME_WITHIN):
        return SAME
    if found.high < 0.0:
        return FASTER
    return SLOWER if found.low > 0.0 else CANNOT_TELL


def judge(rounds: Sequence[Sequence[float]], doubt: float = 0.0) -> Comparison:
    """The standing after these rounds; whether it may be acted upon, `is_over` says."""
    found, blocks = estimate(rounds, doubt), 2 * sum(len(quads) for quads in rounds)
    verdict = verdict_of(found)
    if found is None:
        return Comparison(verdict=verdict, ratio=_ratio_of_few(rounds), blocks=blocks, samples_needed=blocks_needed(rounds, found, doubt))
    ends = math.exp(found.low), math.exp(found.high)
    return Comparison(verdict=verdict, ratio=math.exp(found.centre), ci95=ends, blocks=blocks, samples_needed=blocks_needed(rounds, found, doubt))


def _ratio_of_few(rounds: Sequence[Sequence[float]]) -> float | None:
    return math.exp(float(np.mean([round_value(quads) for quads in rounds]))) if rounds else None


def is_over(rounds: Sequence[Sequence[float]], doubt: float = 0.0) -> bool:
    """Whether this is the number of rounds at which to look, and what is seen is a verdict; or the last look."""
    count = len(rounds)
    if count >= LOOKS[-1].rounds:
        return True
    return count in {look.rounds for look in LOOKS} and verdict_of(estimate(rounds, doubt)) != CANNOT_TELL


def blocks_needed(rounds: Sequence[Sequence[float]], found: Estimate | None, doubt: float = 0.0) -> int:
    """Blocks of each that are still needed for a verdict, if the centre stays and the width shrinks with the root of their number; 0 with a verdict, and where
    no number of them would do.
    """
    if found is not None and (verdict_of(found) != CANNOT_TELL or _reach(found, doubt) <= 0.0):
        return 0
    of_a_round = 2.0 * float(np.mean([len(quads) for quads in rounds])) if rounds else 2.0
    return math.ceil((rounds_expected(rounds, doubt) - len(rounds)) * of_a_round)


def _reach(found: Estimate, doubt: float) -> float:
    """How far the interval without its doubt may extend for a verdict."""
    within = min(math.log1p(SAME_WITHIN) - found.centre, found.centre - math.log1p(-SAME_WITHIN))
    return max(within, abs(found.centre)) - doubt


def rounds_expected(rounds: Sequence[Sequence[float]], doubt: float = 0.0) -> int:
    """How many rounds it takes in all: up to the look at which the interval would do; beyond the last one, what its width says."""
    count, found = len(rounds), estimate(rounds, doubt)
    if found is None:
        return LOOKS[0].rounds
    half, reach = (found.high - found.low) / 2.0 - doubt, _reach(found, doubt)
    if reach <= 0.0:
        return max(count, LOOKS[-1].rounds)
    wanted = max(count + (verdict_of(found) == CANNOT_TELL), math.ceil(count * (half / reach) ** 2))
    return next((look.rounds for look in LOOKS if look.rounds >= wanted), wanted)


def drawable(steps: Sequence[tuple[int, float, float, float]]) -> tuple[tuple[int, float, float, float], ...]:
    """Of the steps in a run's file, which may hold anything, those that can be drawn."""
    return tuple(step for step in steps if step[0] > 0 and all(0.0 <= value < 1e6 for value in step[1:]))

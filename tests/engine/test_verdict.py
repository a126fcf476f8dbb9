"""Verdicts: the interval holds what it says, stopping early costs nothing, and a verdict is what its interval shows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import verdict
from engine.verdict import CANNOT_TELL, FASTER, LOOKS, SAME, SLOWER

LOGS = st.floats(-2.0, 2.0).map(lambda value: round(value, 6))
ROUNDS = st.lists(st.lists(LOGS, min_size=1, max_size=5).map(tuple), max_size=30)
MEDIANS = st.floats(1.0, 1e12)


# -- a machine that is simulated ---------------------------------------------------------------------------------------


def block_medians(random, count, ratio=1.0, noise=0.01, drift=0.0, wander=0.0, spikes=0.0):
    """Medians of `count` blocks in the order A B B A, B A A B ..., B's true median being `ratio` times A's.

    `drift`: over a quad; `wander`: step of an AR(1) that all blocks share; `spikes`: share of blocks that something disturbed.
    """
    shared = np.zeros(count)
    for block in range(1, count):
        shared[block] = 0.95 * shared[block - 1] + random.normal(0.0, wander)
    logs = shared + drift / 4.0 * np.arange(count) + random.normal(0.0, noise, count)
    logs[random.random(count) < spikes] += random.uniform(0.1, 0.6)
    is_b = np.array([(block % 4 in (1, 2)) != (block // 4 % 2 == 1) for block in range(count)])
    return np.exp(logs + math.log(ratio) * is_b), is_b


def simulated_round(random, quads=3, workers=0.01, ratio=1.0, **machine):
    """A round on a pair of workers that differ by chance (`workers`)."""
    medians, is_b = block_medians(random, 4 * quads, ratio * math.exp(random.normal(0.0, workers)), **machine)
    found = []
    for quad in medians.reshape(quads, 4):
        value = verdict.quad_log_ratio((quad[0], quad[3]), (quad[1], quad[2]))
        found.append(-value if is_b[4 * len(found)] else value)
    return tuple(found)


def simulated_verdict(random, **machine):
    """What the whole procedure says: rounds until it is over."""
    rounds = []
    while not rounds or not verdict.is_over(rounds):
        rounds.append(simulated_round(random, **machine))
    return verdict.judge(rounds).verdict


MACHINES = {
    "quiet": {"noise": 0.005, "workers": 0.004},
    "workers differ": {"noise": 0.02, "workers": 0.014},
    "drifting": {"noise": 0.01, "workers": 0.01, "drift": 0.2},
    "wandering": {"noise": 0.01, "workers": 0.01, "wander": 0.02},
    "spikes": {"noise": 0.01, "workers": 0.01, "spikes": 0.05},
}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_against_itself_is_same_and_hardly_ever_anything_else(machine):
    """The issue's bar: FASTER or SLOWER in at most 5 of 100, SAME in at least 80."""
    random = np.random.default_rng(1)
    said = [simulated_verdict(random, **MACHINES[machine]) for _ in range(200)]
    assert said.count(FASTER) + said.count(SLOWER) <= 10, machine
    assert said.count(SAME) >= 160, machine


@pytest.mark.parametrize("machine", MACHINES)
def test_five_percent_slower_is_slower(machine):
    """The issue's bar: SLOWER in at least 90 of 100, never FASTER; and B A is FASTER as often."""
    random = np.random.default_rng(2)
    said = [simulated_verdict(random, ratio=1.05, **MACHINES[machine]) for _ in range(100)]
    assert said.count(SLOWER) >= 90 and FASTER not in said, machine
    said = [simulated_verdict(random, ratio=1 / 1.05, **MACHINES[machine]) for _ in range(100)]
    assert said.count(FASTER) >= 90 and SLOWER not in said, machine


@pytest.mark.parametrize("ratio", [0.979, 1.021])
def test_just_outside_the_band_is_hardly_ever_same(ratio):
    random = np.random.default_rng(3)
    said = [simulated_verdict(random, ratio=ratio, noise=0.01, workers=0.012) for _ in range(200)]
    assert said.count(SAME) <= 10


def test_on_a_machine_too_noisy_to_tell_it_says_so():
    random = np.random.default_rng(4)
    said = [simulated_verdict(random, noise=0.15, workers=0.08) for _ in range(100)]
    assert said.count(CANNOT_TELL) >= 90
    assert said.count(FASTER) + said.count(SLOWER) <= 5


@pytest.mark.parametrize("distribution", ["normal", "heavy tails", "disturbed"])
def test_the_interval_shown_holds_the_truth_whenever_it_stops(distribution):
    """Looked at four times and stopped at the first that pleases: still 95 % (about: 0.93 at the least)."""
    random = np.random.default_rng(5)
    draw = {
        "normal": lambda: random.normal(0.0, 0.012, 26), "heavy tails": lambda: 0.008 * random.standard_t(3, 26),
        "disturbed": lambda: random.normal(0.0, 0.01, 26) + (random.random(26) < 0.08) * random.normal(0.0, 0.2, 26),
    }[distribution]
    held = 0
    for _ in range(1000):
        rounds = [(value,) for value in draw()]
        stopped = next(count for count in range(1, 27) if verdict.is_over(rounds[:count]))
        low, high = verdict.judge(rounds[:stopped]).ci95
        held += low <= 1.0 <= high
    assert held >= 930


def test_a_percentile_bootstrap_of_eight_rounds_would_be_too_narrow():
    """Why it is not used: with eight values its nominal 95 % holds the truth in about 90 of 100; the trimmed t holds what it says."""
    random = np.random.default_rng(6)
    bootstrap = trimmed = 0
    for _ in range(1000):
        values = random.normal(0.0, 0.01, 8)
        means = values[random.integers(0, 8, (400, 8))].mean(axis=1)
        bootstrap += np.percentile(means, 2.5) <= 0.0 <= np.percentile(means, 97.5)
        found = verdict.trimmed_interval(values, 0.05)
        trimmed += found.low <= 0.0 <= found.high
    assert bootstrap < 915
    assert trimmed >= 935


def test_one_disturbed_round_of_twelve_does_not_blow_the_interval_up():
    random = np.random.default_rng(7)
    rounds = [(value,) for value in random.normal(0.0, 0.004, 12)]
    calm = verdict.judge(rounds).ci95
    disturbed = verdict.judge([*rounds[:-1], (0.5,)]).ci95
    assert disturbed[1] - disturbed[0] < 2.0 * (calm[1] - calm[0])


def test_one_disturbed_quad_does_not_move_its_round():
    assert verdict.round_value((0.001, 0.7, -0.001)) == 0.001


# -- properties --------------------------------------------------------------------------------------------------------


@given(a=MEDIANS, b=MEDIANS, drift=st.floats(-0.1, 0.1))
def test_a_quad_is_free_of_drift_that_is_linear_in_the_logarithm(a, b, drift):
    first, second, third, fourth = (value * math.exp(drift * place) for place, value in enumerate((a, b, b, a)))
    assert verdict.quad_log_ratio((first, fourth), (second, third)) == pytest.approx(math.log(b / a), abs=1e-9)


@given(ROUNDS)
def test_a_verdict_is_what_its_interval_shows(rounds):
    found = verdict.judge(rounds)
    assert found.verdict in verdict.VERDICTS
    assert found.blocks == 2 * sum(len(quads) for quads in rounds)
    assert (found.ratio is None) == (not rounds)
    if found.ci95 is None:
        assert len(rounds) < verdict.ROUNDS_MIN and found.verdict == CANNOT_TELL
        return
    low, high = found.ci95
    assert 0.0 < low <= found.ratio <= high
    inside = low >= 0.98 and high <= 1.02
    assert (found.verdict == SAME) == inside
    assert (found.verdict == FASTER) == (high < 1.0 and not inside)
    assert (found.verdict == SLOWER) == (low > 1.0 and not inside)


@given(ROUNDS)
def test_what_cannot_tell_says_how_much_it_needs_and_a_verdict_needs_nothing(rounds):
    found = verdict.judge(rounds)
    assert (found.samples_needed > 0) == (found.verdict == CANNOT_TELL)
    assert verdict.rounds_expected(rounds) >= len(rounds)


@given(ROUNDS)
def test_swapping_a_and_b_swaps_the_verdict(rounds):
    found, swapped = verdict.judge(rounds), verdict.judge([tuple(-value for value in quads) for quads in rounds])
    assert swapped.ratio == (None if found.ratio is None else pytest.approx(1.0 / found.ratio))
    mirrored = {FASTER: SLOWER, SLOWER: FASTER}
    edges = [abs(math.log(end) - edge) for end in found.ci95 or () for edge in (0.0, math.log(1.02), math.log(0.98), -math.log(1.02), -math.log(0.98))]
    if min(edges, default=1.0) > 1e-3:      # the band is +-2 % of the ratio: not quite symmetrical in its logarithm
        assert swapped.verdict == mirrored.get(found.verdict, found.verdict)


@given(st.lists(LOGS, min_size=3, max_size=30), st.floats(0.001, 0.2))
def test_an_interval_holds_its_centre_and_grows_with_certainty(values, alpha):
    found, surer = verdict.trimmed_interval(values, alpha), verdict.trimmed_interval(values, alpha / 2.0)
    assert found.low <= found.centre <= found.high
    assert surer.low <= found.low and found.high <= surer.high
    assert min(values) - 1e-9 <= found.centre <= max(values) + 1e-9


@settings(max_examples=50)
@given(st.lists(LOGS, min_size=3, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_rounds_does_not_matter(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    assert verdict.trimmed_interval(values, 0.05) == pytest.approx(verdict.trimmed_interval(shuffled, 0.05))


def test_the_errors_of_all_looks_are_five_percent():
    assert sum(look.alpha for look in LOOKS) == pytest.approx(0.05)
    assert [look.rounds for look in LOOKS] == sorted({look.rounds for look in LOOKS})


def test_it_is_looked_at_after_fixed_numbers_of_rounds_only():
    """However clear it seems, nothing is over before the first look or between two."""
    clear = [(0.1 + 0.001 * (number % 3),) for number in range(30)]
    over = [count for count in range(1, 27) if verdict.is_over(clear[:count])]
    assert over == [look.rounds for look in LOOKS]


def test_a_tiny_difference_that_is_surely_there_is_same():
    assert verdict.judge([(0.005 + 1e-5 * (number % 2),) for number in range(8)]).verdict == SAME


@pytest.mark.parametrize("spread", [0.005, 0.01])
def test_one_pair_for_all_rounds_is_no_proof(spread: float) -> None:
    """A against itself, each time with one pair that lies apart by chance: hardly ever a difference; and a large one is still told."""
    random = np.random.default_rng(7)
    told = slower = 0
    for _ in range(200):
        apart = random.normal(0.0, spread)
        rounds = [tuple(random.normal(apart, 0.004, 3)) for _ in range(26)]
        told += verdict.judge(rounds, verdict.PAIR_DOUBT).verdict in (verdict.FASTER, verdict.SLOWER)
        slower += verdict.judge([tuple(value + 0.1 for value in each) for each in rounds], verdict.PAIR_DOUBT).verdict == verdict.SLOWER
    assert told <= 10 and slower >= 190


def test_where_no_number_of_blocks_would_do_none_is_asked_for() -> None:
    rounds = [(0.001, 0.0, -0.001)] * 8 + [(0.002, 0.001, 0.0)] * 4
    found = verdict.judge(rounds, verdict.PAIR_DOUBT)
    assert (found.verdict, found.samples_needed) == (verdict.CANNOT_TELL, 0)
    assert verdict.rounds_expected(rounds, verdict.PAIR_DOUBT) == verdict.LOOKS[-1].rounds
    assert verdict.judge(rounds).verdict == verdict.SAME

"""Which rounds count, and when there are no more of them."""

from __future__ import annotations

import pytest

from engine.self_cost.rounds import OTHERS_MOST, Rounds
from tests.support.costs import MEDIANS, SPEC, a_round

QUIET, DISTURBED = 0.01, OTHERS_MOST + 0.01


class Machine:
    """Rounds that take `length_s` each, of which these are disturbed; its clock is theirs."""

    def __init__(self, *others, length_s=20.0):
        self.now, self._others, self._length_s = 100.0, iter(others), length_s
        self.told = []

    def rounds(self, wanted, limit_s=1e9):
        made = Rounds(self._take, wanted, limit_s, self.told.append, lambda: self.now)
        made.run()
        return made

    def _take(self):
        self.now += self._length_s
        return a_round(next(self._others))


def test_a_disturbed_round_is_repeated_and_said():
    """Four per cent of the machine is still quiet."""
    machine = Machine(QUIET, DISTURBED, OTHERS_MOST, DISTURBED, QUIET)
    rounds = machine.rounds(3)
    assert (len(rounds.quiet), rounds.disturbed, rounds.ran_out) == (3, 2, False)
    assert [(now.quiet, now.disturbed) for now in machine.told] == [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (3, 2)]
    result = rounds.result(SPEC, "demo.pth")
    assert (result.rounds, result.wanted, result.disturbed) == (3, 3, 2)


def test_a_machine_that_is_never_quiet_is_given_up():
    """After three times the rounds that were wanted."""
    rounds = Machine(*[DISTURBED] * 6).rounds(2)
    assert (len(rounds.quiet), rounds.disturbed, rounds.ran_out) == (0, 6, False)


def test_no_round_begins_that_would_not_end_in_time():
    """The first one tells how long one takes."""
    rounds = Machine(*[QUIET] * 10).rounds(10, limit_s=65)
    assert (len(rounds.quiet), rounds.ran_out) == (3, True)


def test_the_time_left_counts_the_rounds_that_are_missing():
    machine = Machine(QUIET, DISTURBED, QUIET)
    machine.rounds(2)
    assert [now.seconds_left for now in machine.told] == [None, 20.0, 20.0, 0.0]


def test_the_result_says_what_stands_behind_it():
    rounds = Machine(QUIET, QUIET).rounds(2)
    result = rounds.result(SPEC, "demo.pth")
    assert result.own.ratio == pytest.approx(1.003)
    assert result.watching.ratio == pytest.approx(1.003 / 0.98)
    assert result.frames_per_s == (30.0, 32.0)
    assert (result.place.kind, result.place.cpu, result.device, result.window, result.seconds) == ("cpu", "Test CPU", "cpu", "offscreen", 2.0)
    assert result.rounds_ns == (MEDIANS, MEDIANS)

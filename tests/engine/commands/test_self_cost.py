"""`doctor --self-cost`: its settings, what it prints and keeps, and how it ends."""

from __future__ import annotations

import itertools
import json

import pytest

from engine import storage
from engine.commands import doctor, self_cost
from engine.result import Failure
from engine.self_cost import result as kept
from engine.workers import ConfigurationEnded
from tests.support.costs import MEDIANS, a_round, make_cost, make_environment


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture
def machine(monkeypatch):
    """A machine with these devices, on which rounds come from a list instead of a window."""

    def set_(*rounds, devices=("cpu",)):
        given = itertools.cycle(rounds)

        class Rounds:
            def __init__(self, spec, home, hear):
                self._hear = hear

            def take(self):
                self._hear(0)
                taken = next(given)
                if isinstance(taken, BaseException):
                    raise taken
                return taken

        monkeypatch.setattr(self_cost, "RoundProcess", Rounds)
        monkeypatch.setattr(self_cost, "devices", lambda: devices)

    return set_


def test_it_prints_both_figures_with_their_doubts_and_keeps_them(machine, capsys, tmp_path):
    """The goal, the disturbed rounds and the conditions stand beside them."""
    machine(a_round(), a_round(others=0.3), a_round(medians=(1.0e6, 1e6, 1e6, 1e6, 1e6, 1.0e6)))
    assert doctor.main(["--self-cost", "--rounds", "4", "--json", str(tmp_path / "out.json")]) == 0
    said, errors = capsys.readouterr()
    assert errors == ""
    (result,), broken = kept.load()
    assert broken is None
    low, high = result.own.ci95
    assert f"cpu: own cost {result.own.ratio:.3f} [{low:.3f}, {high:.3f}]" in said
    assert "within the goal, 0.97 to 1.03" in said
    assert f"cost of watching {result.watching.ratio:.3f} [" in said
    assert "4 of 4 rounds, 2 besides were disturbed by other programs (over 4 % of the machine)" in said
    assert str(storage.self_cost_path()) in said
    (written,) = json.loads((tmp_path / "out.json").read_bytes())["results"]
    assert written["own"]["ratio"] == result.own.ratio
    assert written["rounds_ns"] == [list(MEDIANS), [1e6] * 6, list(MEDIANS), [1e6] * 6]


def test_each_device_has_its_figures_and_its_goal(machine, capsys):
    machine(a_round(), devices=("cpu", "cuda:0"))
    assert doctor.main(["--self-cost", "--rounds", "2"]) == 0
    said = capsys.readouterr().out
    assert "cpu: the interval lies within the goal, 0.97 to 1.03" in said
    assert "cuda:0: the interval lies within the goal, 0.99 to 1.01" in said
    assert {result.device for result in kept.load()[0]} == {"cpu", "cuda:0"}


def test_one_device_may_be_chosen(machine, capsys):
    machine(a_round(), devices=("cpu", "cuda:0"))
    assert doctor.main(["--self-cost", "--rounds", "2", "--device", "cuda:0"]) == 0
    assert [result.device for result in kept.load()[0]] == ["cuda:0"]


def test_a_missed_goal_is_said(machine, capsys):
    machine(a_round(medians=(1.1e6, 1e6, 1e6, 1e6, 1e6, 1.1e6)))
    assert doctor.main(["--self-cost", "--rounds", "2"]) == 0
    assert "does not lie within the goal" in capsys.readouterr().out


def test_a_single_round_is_shown_but_not_kept(machine, capsys):
    """It has no interval."""
    machine(a_round())
    assert doctor.main(["--self-cost", "--rounds", "1"]) == 0
    assert "one round gives no interval" in capsys.readouterr().out
    assert kept.load() == ((), None)


def test_a_machine_that_is_never_quiet_gives_no_figure(machine, capsys):
    """What was known stays."""
    kept.store(make_cost())
    machine(a_round(others=0.5))
    assert doctor.main(["--self-cost", "--rounds", "2"]) == 1
    said, errors = capsys.readouterr()
    assert "own cost 1." not in said
    assert errors.splitlines()[0] == "The own cost on cpu was not measured: of 6 rounds 0 were quiet."
    assert len(errors.splitlines()) == 2
    assert kept.load()[0] == (make_cost(),)


def test_a_round_that_cannot_be_measured_is_two_lines(machine, capsys):
    machine(ConfigurationEnded(Failure("failed", "It broke.", "Mend it.")))
    assert doctor.main(["--self-cost"]) == 1
    assert capsys.readouterr().err == "It broke.\nMend it.\n"


@pytest.mark.parametrize(("ended", "code"), [(ConfigurationEnded(Failure("failed", "It broke.", "Mend it.")), 1), (KeyboardInterrupt(), 130)])
def test_a_second_device_that_fails_costs_the_first_nothing(machine, capsys, ended, code):
    machine(a_round(), a_round(), ended, devices=("cpu", "cuda:0"))
    assert doctor.main(["--self-cost", "--rounds", "2"]) == code
    assert [found.device for found in kept.load()[0]] == ["cpu"]


def test_ctrl_c_keeps_nothing(machine, capsys):
    machine(a_round(), KeyboardInterrupt())
    assert doctor.main(["--self-cost", "--rounds", "2"]) == 130
    assert kept.load() == ((), None)


def test_a_file_that_cannot_be_written_is_told_and_the_figures_are_kept(machine, capsys, tmp_path):
    machine(a_round())
    assert doctor.main(["--self-cost", "--rounds", "2", "--json", str(tmp_path / "no" / "out.json")]) == 5
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert len(kept.load()[0]) == 1


@pytest.mark.parametrize(("arguments", "word"), [
    (["--rounds", "3"], "--rounds belongs to --self-cost"), (["--self-cost", "--rounds", "0"], "from 1 to 100"), (["--self-cost", "--rounds", "2.5"], "from 1 to 100"),
    (["--self-cost", "--seconds", "nan"], "from 0.2 to 60"), (["--self-cost", "--limit", "soon"], "from 0.1 to 600"),
])
def test_what_cannot_be_is_refused_in_two_lines(arguments, word, capsys):
    assert doctor.main(arguments) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert word in errors[0]


def test_a_device_that_is_not_there_is_refused(machine, capsys):
    machine(a_round())
    assert doctor.main(["--self-cost", "--device", "cuda:0"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_doctor_says_what_is_known(monkeypatch):
    """For this machine with these versions; else the way to it."""
    monkeypatch.setattr(doctor.environment, "collect", make_environment)
    (finding,) = doctor.look_at_own_cost()
    assert (finding.level, finding.hint) == (doctor.NOTE, "Some minutes on a quiet machine: python3 main.py doctor --self-cost")
    kept.store(make_cost())
    kept.store(make_cost(cpu="Another CPU"))
    (finding,) = doctor.look_at_own_cost()
    assert (finding.level, finding.sentence) == (doctor.OK, "cpu: own cost 1.003 [0.991, 1.015], cost of watching 1.024; 10 rounds, 2026-11-24")


def test_doctor_says_that_the_file_is_broken():
    path = storage.self_cost_path()
    path.parent.mkdir(parents=True)
    path.write_text("{")
    (finding,) = doctor.look_at_own_cost()
    assert finding.level == doctor.NOTE
    assert str(path) in finding.sentence

"""Ranking one candidate after another: what brings its worker down costs that candidate and nobody else."""

from __future__ import annotations

import pytest
import torch

from engine import messages, ranking
from engine.candidates import Candidate, Fit
from engine.confinement import memory_bound
from engine.job import ModelSource
from engine.process import can_fork
from engine.ranking import BUDGET_S, Ranking
from engine.supervisor import Engine
from engine.words import failure, say
from engine.workers import ConfigurationEnded, Interrupted
from tests.support import jobs, nets

SOURCE = ModelSource("/models/net.pth", "state-dict")
KILLED = failure("killed-by-signal", "killed-by-signal", {"signal": 11, "name": "SIGSEGV", "phase": "load"})
HUNG = failure("timeout", "timeout", {"seconds": 60, "phase": "load"})
SHORT = failure("out-of-memory", "memory-ran-out", {"file": "net.pth", "held": "6 GiB", "free": "300 MiB", "total": "7 GiB"})


def candidates(*names):
    return tuple(Candidate(spec=f"/models/net.py:{name}", origin="file", score=0.5) for name in names)


def built(candidate, matching=1):
    return Candidate(spec=candidate.spec, origin="file", score=matching / 2, fit=Fit(matching=matching, keys=2))


class Worker:
    """Does with each candidate what is written for its name: a failure is raised and ends it, a number is how many keys match."""

    def __init__(self, acts):
        self.acts, self.commands, self.ended, self.data_bytes = acts, [], False, 0

    def ask(self, command, kind, timeout_s):
        assert not self.ended
        self.commands.append(command)
        if not command.candidates:
            act = self.acts.get("weights", 0)
        else:
            (candidate,) = command.candidates
            act = self.acts.get(candidate.spec.rpartition(":")[2], 1)
        if callable(act):
            act = act(self)
        if isinstance(act, BaseException):
            raise act
        return messages.ClassesFound(tuple(built(each, act) for each in command.candidates))

    def end(self):
        self.ended = True


class Start:
    """Hands out workers and keeps them."""

    def __init__(self, **acts):
        self.acts, self.workers = acts, []

    def __call__(self):
        assert all(worker.ended for worker in self.workers), "one worker at a time"
        self.workers.append(Worker(self.acts))
        return self.workers[-1]


def ranked(start, *names, **named):
    found = Ranking(start, SOURCE, {"depth": 3}, **named).run(candidates(*names))
    assert all(worker.ended for worker in start.workers)
    for code, values in found.notes:
        assert say(code, values, "en") != say(code, values, "zh")
    return [each.spec.rpartition(":")[2] for each in found.candidates], {values["spec"].rpartition(":")[2]: code for code, values in found.notes}


def test_one_worker_for_all_that_go_well_and_the_best_first():
    start = Start(B=2)
    assert ranked(start, "A", "B", "C") == (["B", "A", "C"], {})
    (worker,) = start.workers
    assert [len(command.candidates) for command in worker.commands] == [0, 1, 1, 1]
    assert [command.search for command in worker.commands[1:]] == [True, True, False], "once one fits, the others are built as they are"
    assert worker.commands[1].config == {"depth": 3}


@pytest.mark.parametrize(("why", "code"), [(KILLED, "search-killed"), (HUNG, "search-hung"), (SHORT, "search-memory"),
                                           (failure("exited", "exited", {"exit_code": 3, "phase": "load"}), "search-exited"),
                                           (failure("protocol-error", "protocol-error", {"error": "?", "phase": "load"}), "search-garbled"),
                                           (failure("load-failed", "load-failed", {"error": "odd"}), "search-not-built")])
def test_a_worker_that_ends_costs_its_candidate_only(why, code):
    start = Start(B=ConfigurationEnded(why))
    assert ranked(start, "A", "B", "C") == (["A", "C"], {"B": code})


def test_what_died_where_others_had_been_is_tried_once_more_in_a_new_worker():
    """Its death may have been theirs: A's thread ends the worker while B is built."""
    start = Start(B=lambda worker: ConfigurationEnded(KILLED) if len(worker.commands) > 2 else 2)
    assert ranked(start, "A", "B") == (["B", "A"], {})
    assert len(start.workers) == 2


@pytest.mark.parametrize(("why", "workers"), [(KILLED, 3), (HUNG, 2)])
def test_it_is_tried_twice_at_most_and_not_again_where_that_takes_a_minute(why, workers):
    start = Start(B=ConfigurationEnded(why))
    ranked(start, "A", "B", "C")
    assert len(start.workers) == workers


def test_memory_that_is_left_behind_is_not_the_next_ones_burden():
    def hoard(worker):
        worker.data_bytes += ranking.LEFT_BYTES_LIMIT + 1
        return 1

    start = Start(A=hoard)
    ranked(start, "A", "B", "C")
    assert [[each.candidates[0].spec[-1] for each in worker.commands[1:]] for worker in start.workers] == [["A"], ["B", "C"]]


def test_weights_that_cannot_be_read_are_the_rankings_failure():
    with pytest.raises(ConfigurationEnded, match="SIGSEGV"):
        ranked(Start(weights=ConfigurationEnded(KILLED)), "A")


def test_what_was_found_outlives_a_worker_that_cannot_read_the_weights_again():
    start = Start(B=ConfigurationEnded(HUNG), weights=lambda worker: ConfigurationEnded(SHORT) if len(start.workers) > 1 else 0)
    assert ranked(start, "A", "B", "C") == (["A"], {"B": "search-hung", "C": "search-memory"})


def test_a_stop_leaves_no_worker():
    start = Start(B=Interrupted())
    with pytest.raises(Interrupted):
        ranked(start, "A", "B")
    assert start.workers[0].ended


def test_what_there_was_no_time_for_is_told_and_time_lost_on_others_does_not_count():
    now = [0.0]

    def takes(seconds, act):
        def do(worker):
            now[0] += seconds
            return act

        return do

    start = Start(A=takes(500, ConfigurationEnded(HUNG)), B=takes(BUDGET_S - 4, 1), C=takes(5, 1))
    assert ranked(start, "A", "B", "C", "D", clock=lambda: now[0]) == (["B", "C"], {"A": "search-hung", "D": "search-out-of-time"})
    assert start.workers[-1].commands[-1].limit_s == pytest.approx(4), "the search for arguments ends with the time that is left"


def test_no_more_than_twenty_are_built():
    start = Start()
    assert len(ranked(start, *map(str, range(30)))[0]) == 20


HARMFUL = """
import ctypes, itertools, mmap, os, signal
from torch import nn
hoard = []
class Fits(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, 4)
class Leaves(Fits):
    def __init__(self):
        os._exit(3)
class Crashes(Fits):
    def __init__(self):
        ctypes.string_at(0)
class Spins(Fits):
    def __init__(self):
        sum(itertools.repeat(0))
class Hoards(Fits):
    def __init__(self):
        while True:
            hoard.append(mmap.mmap(-1, 256 << 20, mmap.MAP_PRIVATE))
class Garbles(Fits):
    def __init__(self):
        for number in range(3, 20):
            try:
                os.write(number, b"\\x7f" * 64)
            except OSError:
                pass
        signal.pause()
"""


@pytest.mark.skipif(not can_fork() or memory_bound() is None, reason="each layer of this is Linux's")
def test_whatever_a_class_does_the_others_are_ranked(tmp_path, monkeypatch):
    """In real workers, confined as they are: each harmful class with its reason, and behind all of them the one that fits."""
    monkeypatch.setattr(ranking, "CANDIDATE_S", 1.5)
    path = tmp_path / "net.py"
    path.write_text(HARMFUL)
    harmful = {"Leaves": "search-exited", "Crashes": "search-killed", "Spins": "search-hung", "Hoards": "search-not-built", "Garbles": "search-garbled"}
    asked = tuple(Candidate(spec=f"{path}:{name}", origin="file", score=0.5) for name in (*harmful, "Fits"))
    engine = Engine(keep_history=False)
    try:
        found = engine.rank_classes(ModelSource(str(jobs.save(tmp_path, nets.Linears(24))), "state-dict", trusted=True), asked, {})
    finally:
        engine.close()
    assert found.failure is None
    assert {note.values["spec"].rpartition(":")[2]: note.code for note in found.notes} == harmful, found.notes
    assert [(each.spec, each.perfect) for each in found.candidates] == [(f"{path}:Fits(width=24)", True)]
    assert "Cannot allocate memory" in next(note.sentence for note in found.notes if "Hoards" in note.sentence)


def test_weights_are_read_once_for_all(tmp_path):
    """In one worker: of a checkpoint whose tensors lie inside, the numbers are read once."""
    from engine.worker.search import ranking as in_worker

    torch.save({"net": nets.Linears(24).state_dict()}, tmp_path / "c.pth")
    source = ModelSource(str(tmp_path / "c.pth"), "checkpoint", weights_at="net")
    in_worker.rank(messages.FindClasses(source, (), {}))
    (tmp_path / "c.pth").unlink()
    (one,) = (Candidate(spec=f"{jobs.NETS}:Linears", origin="file", score=0.5),)
    (best,) = in_worker.rank(messages.FindClasses(source, (one,), {})).candidates
    assert best.perfect

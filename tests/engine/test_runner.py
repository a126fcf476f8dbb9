"""Turns of a job's configurations: one outcome each, workers gone before anything slow, memory guarded even while all rest."""

from __future__ import annotations

import time
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from engine import messages
from engine.events import OutcomeUpdated, Progressed
from engine.job import Configuration, Job, ModelSource
from engine.recorder import Recorder
from engine.result import ModelInfo, Phases
from engine.runner import Flags, JobRunner
from engine.words import failure
from engine.workers import ConfigurationEnded, Interrupted
from tests.support import jobs

MEMORY = {"free": "1 MiB", "total": "8 GiB"}
PLAN = msgspec.structs.replace(jobs.TURNS, spread_s=0.0, measuring_limit_s=1000.0, target_relative=1e9, total_samples=1)


class FakeLink:
    def __init__(self):
        self.pid, self.log = 1, SimpleNamespace(text=lambda: "log")

    def has_exited(self):
        return False


class Rig:
    """A runner whose workers, visits and pump are the test's own."""

    def __init__(self, count=2, plan=PLAN, seed=0):
        self.done, self.events, self.saved, self.ended = [], [], [], []
        self.flags = Flags()
        self.script = {}
        self.on_end = self.on_turn = lambda: None
        self.waiting_since = None
        self.current, self.phase = None, "steady"
        self.short = False
        configurations = tuple(Configuration(batch_size=number + 1) for number in range(count))
        job = Job(id="j", model=ModelSource("/m.pth", "state-dict"), inputs=(), configurations=configurations, plan=plan, seed=seed)
        info = ModelInfo(path="/m.pth", sha256="0" * 64, kind="state-dict")
        self.records = [Recorder(index, job, each, info, 2) for index, each in enumerate(configurations)]
        watch = SimpleNamespace(memory_is_short=lambda: self.short, held_by_others_bytes=lambda device: None, holders=lambda device: [])
        self.runner = JobRunner(self.records, self, self, self, self.flags, self.events.append, self.saved.append, watch)

    # -- the visitor
    def start(self, record):
        self.current = record
        record.link = FakeLink()
        record.phases = Phases(load=1.0, prepare=1.0, first_call=1.0, warm_up=1.0)
        self.step("start", record)

    def visit(self, record, rested):
        self.current = record
        self.step("visit", record)
        latency = np.full(20, 1_000_000, "<i8").tobytes()
        record.add_block(messages.BlockDone(1, latency, latency, 0, 0), record.visits, steady=True, zero_ns=0)
        now = time.perf_counter()
        record.visits += 1
        record.visit_spans_s.append((now, now))

    def step(self, what, record):
        self.done.append((what, record.index))
        act = self.script.get((what, record.index))
        if act:
            act()

    # -- the workers and the pump
    def end(self, link, at_once=False):
        self.ended.append((link, at_once))
        self.on_end()

    def end_all(self, links, at_once=False):
        for link in links:
            self.end(link, at_once)

    def turn(self, seconds):
        self.on_turn()

    # -- what came of it
    def finals(self):
        return [event.index for event in self.events if isinstance(event, OutcomeUpdated) and event.final]

    def statuses(self):
        return [record.conclude().status for record in self.records]


def fails(code, say="file-changed", **values):
    def act():
        raise ConfigurationEnded(failure(code, say, {"file": "f", **values}))

    return act


def test_every_configuration_has_its_visits_and_one_outcome():
    rig = Rig(3)
    rig.runner.run()
    assert rig.statuses() == ["ok"] * 3
    assert sorted(rig.finals()) == [0, 1, 2]
    assert [record.visits for record in rig.records] == [3, 3, 3]
    assert all(record.link is None for record in rig.records)
    assert len(rig.ended) == 3


def test_visits_go_round_before_anyone_has_another():
    rig = Rig(3)
    rig.runner.run()
    order = [index for what, index in rig.done if what == "visit"]
    assert [sorted(order[first : first + 3]) for first in (0, 3, 6)] == [[0, 1, 2]] * 3


def test_a_failure_is_one_outcome_and_the_others_go_on():
    rig = Rig(2)
    rig.script["visit", 0] = fails("timeout")
    rig.runner.run()
    assert rig.statuses() == ["failed", "ok"]
    assert sorted(rig.finals()) == [0, 1]


def test_what_was_over_before_is_told_and_not_run():
    rig = Rig(2)
    rig.records[0].fail(failure("unsupported", "file-changed", {"file": "f"}))
    rig.runner.run()
    assert rig.statuses() == ["unsupported", "ok"]
    assert all(index == 1 for _, index in rig.done)


def test_out_of_memory_counts_only_when_no_idle_worker_held_any():
    rig = Rig(2)
    times = []

    def once():
        times.append(1)
        if len(times) == 1:
            fails("out-of-memory")()

    rig.script["start", 1] = once
    rig.runner.run()
    assert rig.statuses() == ["ok", "ok"]
    assert len(times) == 2
    assert any(note.code == "fresh-visits" for note in rig.records[0].notes), "the idle one had to start again"


def test_out_of_memory_alone_is_the_outcome():
    rig = Rig(1)
    rig.script["start", 0] = fails("out-of-memory")
    rig.runner.run()
    assert rig.statuses() == ["out-of-memory"]


def test_idle_workers_go_first_when_memory_is_short():
    rig = Rig(2)
    rig.short = True
    rig.runner.run()
    assert rig.statuses() == ["ok", "ok"]
    assert len(rig.ended) > 2


def test_memory_that_runs_out_while_all_rest_costs_workers_but_no_outcome():
    rig = Rig(2, msgspec.structs.replace(PLAN, spread_s=0.05))
    rig.on_turn = lambda: rig.runner.stop_for_memory(MEMORY, "1 GiB")
    rig.runner.run()
    assert rig.statuses() == ["ok", "ok"]
    assert len(rig.ended) > 2


def test_memory_that_runs_out_in_a_visit_ends_it_with_what_is_known():
    rig = Rig(1)
    rig.script["visit", 0] = lambda: rig.runner.stop_for_memory(MEMORY, "1 GiB")
    rig.runner.run()
    (record,) = rig.records
    assert record.status == "out-of-memory"
    assert record.error.values["held"] == "1 GiB"
    assert rig.finals() == [0]


def test_memory_that_runs_out_while_a_worker_ends_makes_no_second_outcome():
    rig = Rig(2)
    rig.script["visit", 0] = fails("timeout")
    rig.on_end = lambda: rig.runner.stop_for_memory(MEMORY, "1 GiB")
    rig.runner.run()
    assert rig.statuses() == ["failed", "ok"]
    assert sorted(rig.finals()) == [0, 1]
    assert len({id(link) for link, _ in rig.ended}) == len(rig.ended), "no worker is ended twice"


def test_stop_lets_every_worker_go_before_anything_is_saved():
    rig = Rig(3)

    def stop():
        rig.flags.cancel = rig.flags.stop = True
        raise Interrupted

    rig.script["visit", 2] = stop
    saved_then = []
    rig.runner._saved = lambda record: saved_then.append((record.over, len(rig.ended)))
    rig.runner.run()
    assert rig.statuses() == ["cancelled"] * 3
    assert [ended for over, ended in saved_then if over] == [3, 3, 3]
    assert all(at_once for _, at_once in rig.ended)


def test_cancel_in_the_first_round_begins_no_other():
    rig = Rig(3)
    rig.script["visit", 0] = lambda: setattr(rig.flags, "cancel", True)
    rig.runner.run()
    assert rig.statuses() == ["ok", "cancelled", "cancelled"]
    assert {index for _, index in rig.done} == {0}


def test_a_job_that_is_cancelled_before_it_begins_runs_nothing():
    rig = Rig(2)
    rig.flags.cancel = True
    rig.runner.run()
    assert rig.done == []
    assert rig.statuses() == ["cancelled", "cancelled"]
    assert rig.finals() == [0, 1]


def test_a_worker_that_died_while_it_rested_is_replaced():
    rig = Rig(1)
    rig.script["visit", 0] = lambda: setattr(rig.records[0].link, "has_exited", lambda: True)
    rig.runner.run()
    assert rig.statuses() == ["ok"]
    assert [what for what, _ in rig.done].count("start") == 3


def test_publication_visits_have_a_worker_of_their_own_each():
    plan = msgspec.structs.replace(PLAN, fresh_workers=True, visits_min=4, visits_max=4)
    rig = Rig(3, plan)
    alive = []
    rig.script = {("start", index): lambda: alive.append(sum(record.link is not None for record in rig.records)) for index in range(3)}
    rig.runner.run()
    assert rig.statuses() == ["ok"] * 3
    assert [record.visits for record in rig.records] == [4, 4, 4]
    assert len({id(link) for link, _ in rig.ended}) == len(rig.ended) == 12
    assert alive == [1] * 12, "the others' workers are gone when one starts"
    assert not any(note.code == "fresh-visits" for record in rig.records for note in record.notes), "nothing was short"


def test_the_last_fresh_worker_lives_for_the_figures_beside_the_loop():
    rig = Rig(1, msgspec.structs.replace(PLAN, fresh_workers=True))
    seen = []
    rig.runner._extras = lambda record: seen.append((record.visits, record.link is not None))
    rig.runner.run()
    assert seen == [(3, True)]


def test_turns_are_shuffled_and_equal_seeds_give_equal_turns():
    plan = msgspec.structs.replace(PLAN, fresh_workers=True, visits_min=8, visits_max=8)
    orders = []
    for seed in (0, 0, 1):
        rig = Rig(4, plan, seed)
        rig.runner.run()
        orders.append([index for what, index in rig.done if what == "visit"])
    rounds = [tuple(orders[0][first : first + 4]) for first in range(0, 32, 4)]
    assert [sorted(each) for each in rounds] == [[0, 1, 2, 3]] * 8, "nobody has two visits more than another"
    assert len(set(rounds)) > 3
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize(("waited_s", "shown"), [(0.5, False), (5.0, True)])
def test_progress_says_how_long_a_call_has_been_silent(waited_s, shown):
    rig = Rig(1)
    rig.current, rig.waiting_since = rig.records[0], time.monotonic() - waited_s
    rig.runner.report_progress()
    (event,) = rig.events
    assert isinstance(event, Progressed)
    assert (event.waiting_s >= waited_s) if shown else event.waiting_s == 0.0

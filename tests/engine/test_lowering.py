"""A batch that was found and does not fit after all: a smaller one takes its place in the first visit only, and begins from nothing."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from engine.finding import Finder
from engine.job import Configuration, Job, ModelSource
from engine.recorder import KEPT, Recorder
from engine.result import Copies, ModelInfo, Outputs, Phases, Reason
from engine.runner import Flags, JobRunner
from engine.words import failure
from engine.workers import ConfigurationEnded
from tests.support import jobs
from tests.support.visits import block

MIB = 2**20
LIMIT = 100 * MIB
PLAN = msgspec.structs.replace(jobs.TURNS, spread_s=0.0, target_relative=1e9, total_samples=1)
INFO = ModelInfo(path="/m.pth", sha256="0" * 64, kind="state-dict")


class Rig:
    """A search in which each item takes 10 MiB of 100, and rows that run out of memory where `fails` says so."""

    def __init__(self, fails=lambda record: False):
        self.fails, self.measured = fails, []
        configuration = Configuration(options={"batch": "max"})
        job = Job(id="j", model=ModelSource("/m.pth", "state-dict"), inputs=(), configurations=(configuration,), plan=PLAN, memory_limit_bytes=LIMIT)
        self.record = Recorder(0, job, configuration, INFO, 2)
        self.current, self.phase, self.waiting_since = None, "steady", None
        self.finder = Finder(self, self, SimpleNamespace(gpus={}), lambda event: None)
        watch = SimpleNamespace(memory_is_short=lambda: False, held_by_others_bytes=lambda device: None, holders=lambda device: [])
        self.runner = JobRunner([self.record], self, self, self, Flags(), lambda event: None, lambda record: None, watch, finder=self.finder)

    def found(self):
        self.finder.settle(self.record, lambda record, act: act())
        return self.record

    # -- the visitor
    def try_out(self, trial, calls, seconds):
        return 10 * MIB * trial.configuration.batch_size

    def start(self, record):
        record.link = SimpleNamespace(log=SimpleNamespace(text=lambda: ""), has_exited=lambda: False)
        record.phases = Phases(load=1.0)

    def visit(self, record, rested):
        self.measured.append(record.configuration.batch_size)
        if self.fails(record):
            raise ConfigurationEnded(failure("out-of-memory", "file-changed", {"file": "f"}))
        record.add_block(block(1_000_000, 20), record.visits, steady=True, zero_ns=0)
        record.visits += 1
        record.visit_spans_s.append((0.0, 0.0))

    # -- the workers and the pump
    def end_all(self, links, at_once=False):
        pass

    def turn(self, seconds):
        pass


def fill(record):
    """Put something into all that a record may hold of a batch that was seen in part."""
    record.add_block(block(3_000_000, 20), 0, steady=True, zero_ns=0)
    record.add_reading(5, {"gpu0_memory_bytes": 1.0})
    record.pace.entered("starting", 1.0)
    record.pace.entered("steady", 9.0)
    for name in ("process_peak_bytes", "device_peak_bytes"):
        record.raise_peak(name, 9000)
    record.gpu_clocks, record.throttle_reasons, record.other_cpu_percent, record.graphics_percent = [100.0], 0x40, [90.0], [50.0]
    record.foreign_compute, record.device_memory_source, record.uncounted = 3, "difference", 7
    record.machine.clocks_mhz, record.machine.steal_percent = [800.0], 40.0
    record.machine.open()
    record.parts.settled(60, 10)
    record.keep_memory()
    record.warm_up = Reason("warm-up-never-settled", {}, "")
    record.phases, record.weights_bytes, record.loaded = Phases(load=9.0), 40, object()
    record.outputs, record.copies = Outputs(max_abs_difference=1.0), Copies(to_device_ms=1.0, from_device_ms=1.0, to_device_bytes=1, from_device_bytes=1)
    record.energy, record.gpu_busy_ms, record.idle_gap_ms = {"joules_per_item": 1.0}, 4.0, 1.0


def state(thing):
    """All that an object holds, as far down as its own classes go."""
    if isinstance(thing, np.ndarray):
        return thing.tolist()
    if isinstance(thing, dict):
        return {key: state(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [state(each) for each in thing]
    own = type(thing).__module__.startswith("engine.") and hasattr(thing, "__dict__")
    return {name: state(value) for name, value in vars(thing).items()} if own else thing


def test_nothing_of_the_rejected_batch_is_a_figure_of_a_smaller_one():
    """Clocks, throttle bits, load, company, pace, memory: whatever a record holds, also what it will hold one day."""
    record = Rig().found()
    fill(record)
    record.visits = 0
    record.limit_bytes = LIMIT
    before = {name: getattr(record, name) for name in KEPT}
    record.begin_again()
    fresh = Recorder(0, record.job, record.configuration, INFO, 2)
    assert {name: state(value) for name, value in vars(record).items() if name not in KEPT} == {
        name: state(value) for name, value in vars(fresh).items() if name not in KEPT
    }
    assert before == {name: getattr(record, name) for name in KEPT}
    assert record.pace.standing(20.0, [], over=False, visits=0, count=0, call_s=None) == fresh.pace.standing(20.0, [], over=False, visits=0, count=0, call_s=None)


def test_the_grade_knows_nothing_of_the_rejected_batch():
    record = Rig().found()
    fill(record)
    record.visits = 0
    record.begin_again()
    record.add_block(block(1_000_000, 40), 0, steady=True, zero_ns=0)
    outcome = record.outcome(with_samples=True)
    assert not {reason.code for reason in outcome.trust.reasons} & {"other-load", "host-steal", "warm-up-never-settled"}
    assert (outcome.latency.count, outcome.latency.max_ms, outcome.memory.process_peak_bytes, outcome.copies) == (40, 1.0, None, None)


@pytest.mark.parametrize(("visits", "lowers"), [(0, True), (1, False), (3, False)])
def test_only_what_was_never_visited_is_lowered(visits, lowers):
    """After a visit there are figures of this batch: then out of memory is what came of it."""
    rig = Rig()
    record = rig.found()
    assert (record.configuration.batch_size, record.largest.batch_size) == (10, 10)
    record.visits = visits
    record.raise_peak("process_peak_bytes", 9000)
    assert rig.finder.may_lower(record) is lowers
    assert (record.largest is None, rig.finder.is_due(record)) == (lowers, lowers)
    assert record.peaks == ({} if lowers else {"process_peak_bytes": 9000})
    assert bool([note for note in record.notes if note.code.startswith("largest-")]) is not lowers


def test_a_row_whose_batch_was_not_found_is_not_lowered():
    rig = Rig()
    assert not rig.finder.may_lower(rig.record)


def test_where_not_even_the_least_is_left_nothing_is_lowered():
    rig = Rig()
    record = rig.found()
    while rig.finder.may_lower(record):
        rig.found()
        assert record.configuration.batch_size < 10
    assert record.configuration.batch_size == 1
    assert record.largest is not None, "it stays what was found"


def test_a_job_lowers_in_the_first_visit():
    rig = Rig(fails=lambda record: record.configuration.batch_size > 6)
    rig.runner.run()
    assert rig.measured[0] == 10 and rig.record.configuration.batch_size <= 6
    outcome = rig.record.conclude()
    assert (outcome.status, outcome.largest.batch_size) == ("ok", outcome.configuration.batch_size)


def test_a_job_does_not_lower_in_a_later_visit():
    rig = Rig(fails=lambda record: record.visits == 1)
    rig.runner.run()
    assert rig.measured == [10, 10]
    outcome = rig.record.conclude()
    assert (outcome.status, outcome.configuration.batch_size, outcome.latency.count) == ("out-of-memory", 10, 20)

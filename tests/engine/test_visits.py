"""A configuration's way through its worker: what is counted, what is queued ahead, which answers are believed."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from engine import messages
from engine.events import BlockMeasured, PhaseStarted
from engine.job import Configuration, Job, ModelSource
from engine.recorder import Recorder
from engine.result import ModelInfo
from engine.visits import Visitor
from engine.words import failure
from engine.workers import ConfigurationEnded
from tests.support import jobs

FAILURE = failure("failed", "file-changed", {"file": "f"})
PLAN = msgspec.structs.replace(jobs.TURNS, warm_up_s=0.0, warm_up_calls=10, visit_s=0.0, visit_samples=12)


class FakeWorkers:
    """Answers as a worker does; `sent` are the commands in order, `behind` how many answers were owed at most."""

    def __init__(self, call_ms=1, per_block=6, **replace):
        self.sent, self.ended, self.owed, self.behind = [], [], [], 0
        self.call_ns, self.per_block, self.replace = call_ms * 1_000_000, per_block, replace

    def start(self, python, policy=None):
        self.python = python
        return SimpleNamespace(pid=os.getpid(), log=SimpleNamespace(text=lambda: "log"))

    def send(self, link, command, phase):
        self.sent.append((type(command).__name__, phase))
        self.owed.append(command)
        self.behind = max(self.behind, len(self.owed))

    def receive(self, link, timeout_s, phase):
        self.timeout_s = timeout_s
        command = self.owed.pop(0)
        name = type(command).__name__
        return self.replace[name](command) if name in self.replace else getattr(self, name)(command)

    def ask(self, link, command, timeout_s, phase):
        self.send(link, command, phase)
        return self.receive(link, timeout_s, phase)

    def end(self, link, at_once=False):
        self.ended.append(at_once)

    def Load(self, command):
        return messages.Loaded(2_000_000, 10, 0, 40, None)

    def Prepare(self, command):
        return messages.Prepared(3_000_000, None, None, (("provider", {"provider": "p"}),))

    def FirstCall(self, command):
        return messages.FirstCalled(4_000_000, "[1]")

    def ResetPeaks(self, command):
        return messages.PeaksReset()

    def ReadMemory(self, command):
        return messages.MemoryRead(None, None)

    def MakeContext(self, command):
        return messages.ContextMade(5_000_000, 2 << 20)

    def RunBlock(self, command):
        return block(self.call_ns, self.per_block)


def block(call_ns, count, **changes):
    latency = np.full(count, call_ns, "<i8").tobytes()
    return msgspec.structs.replace(messages.BlockDone(1, latency, latency, 0, 1), **changes)


def gpu_block():
    one = block(1_000_000, 6)
    return msgspec.structs.replace(one, device_ns=one.latency_ns, enqueue_ns=one.latency_ns)


def make(plan=PLAN, device="cpu", **fields):
    workers, events = FakeWorkers(**fields), []
    configuration = Configuration(device=device)
    job = Job(id="j", model=ModelSource("/m.pth", "state-dict"), inputs=(), configurations=(configuration,), plan=plan, timeout_s=7.0, first_timeout_s=70.0)
    record = Recorder(0, job, configuration, ModelInfo(path="/m.pth", sha256="0" * 64, kind="state-dict"), 2)
    return Visitor(workers, events.append, 0), record, workers, events


def test_phases_come_in_order_and_are_timed():
    visitor, record, workers, events = make()
    visitor.start(record)
    assert [event.phase for event in events if isinstance(event, PhaseStarted)] == ["starting", "load", "prepare", "first-call", "warm-up"]
    phases = record.phases
    assert (phases.load, phases.prepare, phases.first_call) == (2.0, 3.0, 4.0)
    assert phases.warm_up == pytest.approx(len(record.samples))
    assert record.weights_bytes == 40
    assert [note.code for note in record.notes] == ["provider"]
    assert workers.python == sys.executable


def test_loading_is_split_where_the_worker_could_tell():
    visitor, record, _workers, _events = make(Load=lambda command: messages.Loaded(
        2_000_000, 10, 0, 40, None, reading_ns=1_500_000, moving_ns=400_000, load_peak_bytes=1 << 20))
    visitor.start(record)
    assert (record.phases.load, record.phases.load_reading, record.phases.load_moving) == (2.0, 1.5, 0.4)
    assert record.conclude().memory.load_peak_bytes == 1 << 20


def test_a_load_that_was_not_split_says_nothing_of_its_parts():
    visitor, record, _workers, _events = make()
    visitor.start(record)
    assert record.phases.load_reading is record.phases.load_moving is None
    assert record.conclude().memory.load_peak_bytes is None


def test_warm_up_is_drawn_and_not_counted():
    visitor, record, _workers, events = make()
    visitor.start(record)
    assert record.samples.steady_count == 0
    assert record.uncounted == 0
    assert len(record.samples) >= PLAN.warm_up_calls
    assert {event.steady for event in events if isinstance(event, BlockMeasured)} == {False}
    assert record.warm_up.code == "warm-up-settled"
    visitor.visit(record, rested=False)
    assert record.samples.steady_count == sum(len(event.latency_ns) for event in events if isinstance(event, BlockMeasured) and event.steady)
    assert record.uncounted == record.samples.steady_count // 6


def test_a_visit_after_a_rest_warms_again_first():
    visitor, record, _workers, events = make(msgspec.structs.replace(PLAN, visit_s=0.001))
    visitor.start(record)
    visitor.visit(record, rested=False)
    events.clear()
    visitor.visit(record, rested=True)
    assert [event.phase for event in events if isinstance(event, PhaseStarted)] == ["warm-up", "steady"]
    assert next(event.steady for event in events if isinstance(event, BlockMeasured)) is False
    assert {event.visit for event in events if isinstance(event, BlockMeasured)} == {1}
    assert (record.visits, len(record.visit_spans_s)) == (2, 2)


def test_one_block_is_queued_ahead_and_none_is_left_owed():
    visitor, record, workers, _ = make()
    visitor.start(record)
    visitor.visit(record, rested=False)
    assert workers.behind == 2
    assert workers.owed == []


def test_nothing_is_queued_behind_a_call_as_long_as_blocks():
    visitor, record, workers, _ = make(call_ms=500, per_block=1)
    visitor.start(record)
    visitor.visit(record, rested=False)
    assert workers.behind == 1


def test_only_what_may_be_slow_has_the_long_limit():
    visitor, record, workers, _ = make(FirstCall=lambda command: (_ for _ in ()).throw(ConfigurationEnded(FAILURE)))
    with pytest.raises(ConfigurationEnded):
        visitor.start(record)
    assert workers.timeout_s == 70.0
    visitor, record, workers, _ = make()
    visitor.start(record)
    visitor.visit(record, rested=False)
    assert workers.timeout_s == 7.0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda command: messages.PeaksReset(),
        lambda command: block(1, 3, start_ns=b""),
        lambda command: block(1, 0),
        lambda command: block(1, 3, latency_ns=b"\0" * 25, start_ns=b"\0" * 25),
        lambda command: block(1, 3, device_ns=b"\0" * 24, enqueue_ns=b"\0" * 24),
    ],
    ids=["another message", "lengths differ", "no sample", "no whole number", "device times of a CPU"],
)
def test_a_block_that_is_none_ends_the_configuration(wrong):
    visitor, record, workers, _ = make(RunBlock=wrong)
    with pytest.raises(ConfigurationEnded) as caught:
        visitor.start(record)
    assert caught.value.failure.code == "protocol-error"
    assert caught.value.failure.details["log"] == "log"
    assert workers.ended == [True]
    assert len(record.samples) == 0


def test_a_gpu_block_without_device_times_is_none():
    visitor, record, _, _ = make(device="cuda:0")
    with pytest.raises(ConfigurationEnded):
        visitor.start(record)


def test_a_gpu_comes_to_life_before_the_load_and_apart_from_it():
    visitor, record, workers, _ = make(device="cuda:0", RunBlock=lambda command: gpu_block())
    visitor.start(record)
    assert [name for name, _ in workers.sent][:3] == ["MakeContext", "Load", "Prepare"]
    assert (record.phases.context, record.phases.load) == (5.0, 2.0)


@pytest.mark.parametrize("spoiled", [messages.CopiesMeasured(b"1234567", b"", 1, 1), messages.CopiesMeasured(b"", b"123456789", 1, 1)])
def test_copies_that_are_no_numbers_end_the_worker(spoiled):
    visitor, record, workers, _ = make(MeasureCopies=lambda command: spoiled)
    visitor.start(record)
    with pytest.raises(ConfigurationEnded) as caught:
        visitor.copies(record, 1)
    assert (caught.value.failure.code, workers.ended) == ("protocol-error", [True])


def test_a_stretch_keeps_one_block_ahead_and_enters_no_figure():
    visitor, record, workers, _ = make()
    visitor.start(record)
    before, workers.behind = len(record.samples), 0
    seen = []
    visitor.stretch(record, lambda done: seen.append(len(done)) or len(done) == 3, 0.01)
    assert (seen, workers.behind, workers.owed) == ([1, 2, 3], 2, [])
    assert len(record.samples) == before


def test_what_a_visit_had_before_it_failed_counts_as_a_visit():
    visitor, record, workers, _ = make(msgspec.structs.replace(PLAN, visit_samples=1000, visit_needs_both=True))
    visitor.start(record)
    calls = []

    def fail_later(command):
        calls.append(1)
        if len(calls) > 3:
            raise ConfigurationEnded(FAILURE)
        return block(1_000_000, 6)

    workers.replace["RunBlock"] = fail_later
    with pytest.raises(ConfigurationEnded):
        visitor.visit(record, rested=False)
    assert (record.visits, record.samples.steady_count) == (1, 18)
    assert not visitor.in_steady


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's high-water mark is Linux's")
def test_the_peak_of_loading_is_no_peak_of_running(monkeypatch):
    visitor, record, _, _ = make()
    asked = []
    monkeypatch.setattr("engine.visits.reset_peak", lambda pid: asked.append(pid) is None)
    monkeypatch.setattr("engine.visits.process_memory", lambda pid: SimpleNamespace(peak_bytes=300, private_bytes=100))
    record.raise_peak("process_peak_bytes", 900)
    visitor.start(record)
    assert asked == [os.getpid()]
    assert "process_peak_bytes" not in record.peaks
    visitor.visit(record, rested=False)
    assert record.peaks["process_peak_bytes"] == 300
    visitor.start(record)
    assert record.peaks["process_peak_bytes"] == 300, "a later worker takes nothing back"


def test_where_the_peak_cannot_be_reset_it_stays(monkeypatch):
    visitor, record, _, _ = make()
    monkeypatch.setattr("engine.visits.reset_peak", lambda pid: False)
    record.raise_peak("process_peak_bytes", 900)
    visitor.start(record)
    assert record.peaks["process_peak_bytes"] == 900


def test_allocator_counters_between_blocks_are_drawn():
    visitor, record, _, _ = make(RunBlock=lambda command: block(1_000_000, 6, allocated_bytes=5, reserved_bytes=7))
    visitor.start(record)
    names = {track.name for track in record.timeline.tracks()}
    assert names == {"allocated_bytes", "reserved_bytes"}

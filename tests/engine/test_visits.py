"""A configuration's way through its worker: what is counted, what is queued ahead, which answers are believed."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import msgspec
import pytest

from engine import messages
from engine.events import BlockMeasured, PhaseStarted
from engine.job import Configuration, Job, ModelSource
from engine.memory_parts import DeviceMemory
from engine.recorder import Recorder
from engine.result import ModelInfo
from engine.runner import Flags, JobRunner
from engine.visits import Visitor
from engine.watch import GUARD_EVERY, MachineWatch
from engine.words import failure
from engine.workers import ConfigurationEnded, Workers
from tests.support import jobs
from tests.support.visits import FakeWorkers, block, gpu_block

FAILURE = failure("failed", "file-changed", {"file": "f"})
PLAN = msgspec.structs.replace(jobs.TURNS, warm_up_s=0.0, warm_up_calls=10, visit_s=0.0, visit_samples=12)


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


def watched(record, peak, answer):
    """Loading, while which the watch sees this high-water mark."""
    def load(command):
        record.raise_peak("process_peak_bytes", peak)
        return answer

    return load


LOADED = messages.Loaded(2_000_000, 10, 0, 40, None, load_peak_bytes=77)


@pytest.mark.parametrize("visits", [0, 1])
def test_the_peak_of_loading_is_no_peak_of_running(monkeypatch, visits):
    """Popped before the first visit; what was measured before a later worker came stays."""
    visitor, record, workers, _ = make()
    asked = []
    monkeypatch.setattr("engine.visits.reset_peak", lambda pid: asked.append(pid) is None)
    monkeypatch.setattr("engine.visits.process_memory", lambda pid: SimpleNamespace(peak_bytes=300, private_bytes=100))
    workers.replace["Load"] = watched(record, 900, LOADED)
    record.visits = visits
    visitor.start(record)
    assert asked == [os.getpid()]
    assert record.peaks.get("process_peak_bytes") == (900 if visits else None)
    visitor.visit(record, rested=False)
    assert record.peaks["process_peak_bytes"] == (900 if visits else 300)


def test_where_the_peak_cannot_be_reset_it_stays(monkeypatch):
    visitor, record, workers, _ = make()
    monkeypatch.setattr("engine.visits.reset_peak", lambda pid: False)
    workers.replace["Load"] = watched(record, 900, LOADED)
    visitor.start(record)
    assert record.peaks["process_peak_bytes"] == 900


class Kernel:
    """The worker's high-water mark as the kernel, the engine and the watch see it."""

    def __init__(self, monkeypatch, visitor):
        self.peak = 0
        monkeypatch.setattr("engine.visits.reset_peak", self.reset)
        monkeypatch.setattr("engine.visits.process_memory", lambda pid: SimpleNamespace(peak_bytes=self.peak, private_bytes=100))
        monkeypatch.setattr("engine.watch.high_water_bytes", lambda pid: self.peak)
        monkeypatch.setattr("engine.watch.shortage", lambda: None)
        self.watch = MachineWatch(SimpleNamespace(sample=lambda pid: {}, gpus={}), visitor, lambda event: None, 0)

    def reset(self, pid):
        self.peak = 400
        return True

    def rises(self, peak, answer):
        """An answer meanwhile the mark rises, and the watch looks."""
        def made(command):
            self.peak = max(peak, self.peak)
            for _ in range(GUARD_EVERY):
                self.watch.tick(None)
            return answer

        return made


def test_a_peak_after_keep_measuring_is_the_larger_of_both(monkeypatch):
    """A later worker's loading and warming up add nothing and take nothing back; its visits may."""
    visitor, record, workers, _ = make()
    kernel = Kernel(monkeypatch, visitor)
    first = make()[1]
    first.raise_peak("process_peak_bytes", 700)
    first.raise_peak("load_peak_bytes", 50)
    first.status = "ok"
    record.restore(first.conclude(), visits=3)
    workers.replace |= {"Load": kernel.rises(5000, LOADED), "RunBlock": kernel.rises(650, block(1_000_000, 6))}
    visitor.start(record)
    assert record.peaks["process_peak_bytes"] == 700
    visitor.visit(record, rested=False)
    assert record.peaks["process_peak_bytes"] == 700
    workers.replace["RunBlock"] = kernel.rises(800, block(1_000_000, 6))
    visitor.visit(record, rested=True)
    assert record.conclude().memory.process_peak_bytes == 800


class Retried:
    """A row whose first worker runs out of memory beside another row's resting one, which is let go; then it fits."""

    def __init__(self, monkeypatch):
        self.visitor, second, self.workers, _ = make(msgspec.structs.replace(PLAN, spread_s=0.0, target_relative=1e9, total_samples=1), device="cuda:0", RunBlock=self.block)
        self.visitor._monitor = SimpleNamespace(device_memory=lambda device, pid: None)
        first = make(device="cuda:0")[1]
        second.index, first.job = 1, second.job
        self.first, self.second, self.broke_off = first, second, False
        self.workers.replace["ReadMemory"] = lambda command: messages.MemoryRead(60, 80, 80)
        self.workers.replace["ResetPeaks"] = lambda command: messages.PeaksReset(50, 80, 10)
        monkeypatch.setattr("engine.visits.reset_peak", lambda pid: False)
        monkeypatch.setattr("engine.visits.process_memory", lambda pid: SimpleNamespace(peak_bytes=300, private_bytes=100))
        watch = SimpleNamespace(memory_is_short=lambda: False, held_by_others_bytes=lambda device: None, holders=lambda device: [])
        pump = SimpleNamespace(turn=lambda seconds: None)
        self.runner = JobRunner([first, second], self.visitor, self.workers, pump, Flags(), lambda event: None, lambda record: None, watch)

    def block(self, command):
        record = self.visitor.current
        if record is not self.second or self.broke_off:
            return gpu_block()
        self.broke_off = True
        # What the watch saw of it until then.
        record.raise_peak("device_peak_bytes", 9000)
        record.raise_peak("process_peak_bytes", 9000)
        record.device_memory_source, record.parts.context_bytes = "difference", 4000
        raise ConfigurationEnded(failure("out-of-memory", "file-changed", {"file": "f"}))


def test_the_peak_of_a_retried_visit_is_that_of_the_retry(monkeypatch):
    rig = Retried(monkeypatch)
    rig.runner.run()
    memory = rig.second.conclude().memory
    assert (rig.broke_off, rig.second.status, rig.first.status) == (True, "ok", "ok")
    assert (memory.device_peak_bytes, memory.device_memory_source, memory.context_bytes) == (None, None, None), "nobody read them in the retry"
    assert (memory.process_peak_bytes, memory.allocated_peak_bytes) == (300, 60)


def test_a_retrys_phases_are_its_own():
    """Loading what is in the disk's cache by now is quicker: phases of one worker, not of two."""
    visitor, record, workers, _ = make()
    loads = iter((9_000_000, 2_000_000))
    workers.replace["Load"] = lambda command: msgspec.structs.replace(LOADED, load_ns=next(loads))
    workers.replace["RunBlock"] = lambda command: (_ for _ in ()).throw(ConfigurationEnded(FAILURE))
    with pytest.raises(ConfigurationEnded):
        visitor.start(record)
    del workers.replace["RunBlock"]
    workers.owed.clear()
    visitor.start(record)
    assert (record.phases.load, record.peaks["load_peak_bytes"]) == (2.0, 77)


def test_where_only_the_devices_use_is_known_another_worker_of_ours_hides_the_parts(monkeypatch):
    """Compare keeps two workers on one GPU: what the other one takes would stand in this one's context and workspace."""
    visitor, record, workers, _ = make(device="cuda:0", RunBlock=lambda command: gpu_block())
    monkeypatch.setattr("engine.visits.process_memory", lambda pid: SimpleNamespace(peak_bytes=300, private_bytes=100))
    used = iter(range(1000, 10_000, 1000))
    visitor._monitor = SimpleNamespace(device_memory=lambda device, pid: DeviceMemory(next(used) << 20, None, None))
    workers.replace["ResetPeaks"] = lambda command: messages.PeaksReset(50, 80, 10)
    workers.replace["ReadMemory"] = lambda command: messages.MemoryRead(60, 80, 80)
    visitor.start(record)
    visitor.visit(record, rested=False)
    assert record.memory().context_bytes == 998 << 20
    assert record.memory().workspace_bytes is not None
    alone = record.memory()
    workers.company = True
    visitor.visit(record, rested=False)
    assert record.memory() == alone, "what was read beside the other changes nothing"
    record.visits = 0
    visitor.start(record)
    visitor.visit(record, rested=False)
    found = record.memory()
    assert (found.context_bytes, found.workspace_bytes, found.driver_bytes, found.activations_bytes) == (None, None, None, 10)
    # Where the driver knows our pid, nobody hides anything.
    visitor._monitor = SimpleNamespace(device_memory=lambda device, pid: DeviceMemory(5000 << 20, 900 << 20, 4100 << 20))
    record.visits = 0
    visitor.start(record)
    assert record.memory().context_bytes == 898 << 20


def test_company_is_another_worker_on_the_same_gpu():
    workers = Workers(SimpleNamespace(), lambda: False)
    links = [SimpleNamespace(device=device) for device in ("cuda:0", "cpu", "cuda:1", "", "cuda")]
    workers._links = links
    assert [workers.has_company(link) for link in links] == [True, False, False, False, True]
    workers._links = links[:4]
    assert not any(workers.has_company(link) for link in links[:4])


def test_allocator_counters_between_blocks_are_drawn():
    visitor, record, _, _ = make(RunBlock=lambda command: block(1_000_000, 6, allocated_bytes=5, reserved_bytes=7))
    visitor.start(record)
    names = {track.name for track in record.timeline.tracks()}
    assert names == {"allocated_bytes", "reserved_bytes"}

"""Figures beside the loop: energy between ticks of the counter, rest, copies; nothing of them may harm what was measured."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import extras, messages
from engine.job import Configuration, Job, ModelSource
from engine.recorder import Recorder
from engine.result import ModelInfo
from engine.supervisor import Engine
from engine.words import failure
from engine.workers import ConfigurationEnded
from tests.support import jobs, nets

SECOND = 1_000_000_000


def packed(*values):
    return np.array(values, "<i8").tobytes()


def record_of(device="cpu", idle_gap_s=None):
    configuration = Configuration(device=device, batch_size=4)
    job = Job(id="j", model=ModelSource("/m.pth", "state-dict"), inputs=(), configurations=(configuration,), plan=jobs.BRIEF, idle_gap_s=idle_gap_s)
    return Recorder(0, job, configuration, ModelInfo(path="/m.pth", sha256="0" * 64, kind="state-dict"), 2)


class FakeVisitor:
    """Answers the questions of the extras; `stretch` runs blocks of ten calls of 2 ms on a clock of its own."""

    def __init__(self, clock):
        self.rests, self.clock = [], clock

    def copies(self, record, duration_ns):
        return messages.CopiesMeasured(packed(3_000_000, 1_000_000, 2_000_000), packed(500_000), 1 << 20, 4096)

    def busy(self, record, rounds):
        return messages.BusyMeasured(packed(*range(1_000_000, 1_000_000 + rounds)))

    def rested(self, record, calls, rest_ns):
        self.rests.append((calls, rest_ns))
        return messages.BlockDone(0, packed(0), packed(5_000_000), 0, 0)

    def stretch(self, record, over, block_s):
        done = []
        while True:
            starts = [self.clock.now_ns + 2_000_000 * number for number in range(10)]
            self.clock.now_ns += 20_000_000
            done.append(messages.BlockDone(0, packed(*starts), packed(*[2_000_000] * 10), 0, 0))
            if over(done):
                return


class Clock:
    """A clock, and a GPU of 300 W whose counter is renewed ten times a second."""

    def __init__(self, counts=True):
        self.now_ns, self.counts = 7 * SECOND, counts

    def energy_joules(self, device):
        return (self.now_ns // 100_000_000) * 30.0 if self.counts else None


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr("engine.extras.time", SimpleNamespace(perf_counter_ns=lambda: made.now_ns, perf_counter=lambda: made.now_ns / 1e9))
    return made


def test_on_a_gpu_all_of_it_is_measured(clock):
    record = record_of("cuda:0", idle_gap_s=0.1)
    visitor = FakeVisitor(clock)
    extras.measure(record, visitor, clock)
    assert (record.copies.to_device_ms, record.copies.from_device_ms, record.copies.to_device_bytes) == (2.0, 0.5, 1 << 20)
    assert record.gpu_busy_ms == pytest.approx(1.0, abs=1e-4)
    assert record.energy["mean_watts"] == pytest.approx(300.0)
    assert record.energy["joules_per_item"] == pytest.approx(300.0 * 0.002 / 4, rel=0.02)
    assert 2.0 <= record.energy["seconds"] <= 2.2
    assert record.energy["source"] == "counter"
    assert (record.idle_latency.count, record.idle_latency.p50_ms, record.idle_latency.p50_ci95_ms) == (20, 5.0, None)
    assert set(visitor.rests) == {(1, 100_000_000)}


def test_a_gpu_without_a_counter_has_no_energy(clock):
    clock.counts = False
    record = record_of("cuda:0")
    extras.measure(record, FakeVisitor(clock), clock)
    assert record.energy is None
    assert record.copies is not None
    assert record.idle_latency is None


def test_on_the_cpu_nothing_is_asked_but_the_rest(clock):
    record = record_of("cpu", idle_gap_s=0.1)
    extras.measure(record, FakeVisitor(clock), clock)
    assert (record.energy, record.copies, record.gpu_busy_ms) == (None, None, None)
    assert record.idle_latency.count == 20


def test_what_cannot_be_told_is_none(clock):
    visitor = FakeVisitor(clock)
    visitor.copies = lambda record, duration_ns: messages.CopiesMeasured(b"", b"", 0, 0)
    visitor.busy = lambda record, rounds: messages.BusyMeasured(b"")
    record = record_of("cuda:0")
    extras.measure(record, visitor, clock)
    assert (record.copies, record.gpu_busy_ms) == (None, None)


@pytest.mark.parametrize(("held", "shown"), [(1, None), (extras.BUSY_LEAST - 1, None), (extras.BUSY_LEAST, 3.0), (15, 8.0)])
def test_few_rounds_are_no_figure_of_a_busy_gpu(clock, held, shown):
    """Of 15 rounds asked for, those that held."""
    visitor = FakeVisitor(clock)
    visitor.busy = lambda record, rounds: messages.BusyMeasured(packed(*(1_000_000 * number for number in range(1, held + 1))))
    record = record_of("cuda:0")
    extras.measure(record, visitor, clock)
    assert record.gpu_busy_ms == shown


def test_a_worker_that_dies_here_costs_these_figures_only(clock):
    visitor = FakeVisitor(clock)

    def die(record, duration_ns):
        raise ConfigurationEnded(failure("failed", "file-changed", {"file": "f"}))

    visitor.copies = die
    record = record_of("cuda:0")
    extras.measure(record, visitor, clock)
    assert record.error is None
    assert record.energy is not None
    assert [note.code for note in record.notes if note.code == "extras-failed"] == ["extras-failed"]


@given(st.floats(0.0, 0.99), st.integers(1, 64))
def test_a_window_below_one_second_gives_no_energy(seconds, batch):
    ticks = [(0, 100.0), (int(seconds * SECOND), 400.0)]
    assert extras.energy_between(ticks, np.arange(0, SECOND, 1_000_000), batch) is None


@given(st.integers(1, 50), st.floats(1.0, 1e4), st.integers(1, 64), st.floats(1.0, 20.0))
def test_energy_an_item_times_items_is_the_energy(call_ms, joules, batch, seconds):
    starts = np.arange(0, int(30 * SECOND), call_ms * 1_000_000)
    found = extras.energy_between([(0, 50.0), (int(seconds * SECOND), 50.0 + joules)], starts, batch)
    assert found["joules_per_item"] * found["items"] == pytest.approx(joules)
    assert found["mean_watts"] * found["seconds"] == pytest.approx(joules)
    assert found["items"] % batch == 0


@pytest.mark.parametrize("ticks", [[], [(0, 1.0)], [(0, 5.0), (2 * SECOND, 5.0)], [(0, 5.0), (2 * SECOND, 4.0)]])
def test_a_counter_that_does_not_count_gives_no_energy(ticks):
    assert extras.energy_between(ticks, np.arange(0, SECOND, 1000), 1) is None


def test_a_real_worker_rests_between_calls(tmp_path):
    job, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Linears", idle_gap_s=0.005)
    engine = Engine(history_folder=tmp_path / "history")
    try:
        (outcome,) = engine.run_job(job, info).outcomes
    finally:
        engine.close()
    assert outcome.status == "ok"
    assert outcome.idle_latency.count == 20
    assert outcome.idle_latency.p50_ms > 0
    assert outcome.phases_ms.steady > 0
    assert outcome.memory.growth_bytes is not None
    assert 0 <= outcome.memory.growth_bytes < outcome.memory.process_peak_bytes

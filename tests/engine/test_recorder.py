"""The record of one configuration: only steady samples enter figures, and the outcome says honestly how far it got."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from engine import messages
from engine.job import Configuration, InputSpec, Job, ModelSource
from engine.memory_parts import DeviceMemory
from engine.recorder import Recorder
from engine.result import ModelInfo, Reason
from engine.supervisor import Engine
from engine.words import failure
from tests.support import jobs, nets

INFO = ModelInfo(path="/m.pth", sha256="0" * 64, kind="state-dict")


def make(device="cpu", batch_size=2, inputs=()):
    configuration = Configuration(device=device, batch_size=batch_size)
    job = Job(id="j", model=ModelSource("/m.pth", "state-dict"), inputs=inputs, configurations=(configuration,), plan=jobs.TURNS)
    return Recorder(0, job, configuration, INFO, 2)


def block(latencies_ms, start_ms=0, uncounted=0, device=False):
    latency = np.array(latencies_ms, "<i8") * 1_000_000
    start = (np.cumsum(latency) - latency + start_ms * 1_000_000).astype("<i8")
    more = {"device_ns": latency.tobytes(), "enqueue_ns": (latency // 2).tobytes()} if device else {}
    return messages.BlockDone(1, start.tobytes(), latency.tobytes(), 0, uncounted, **more)


def test_warm_up_enters_no_figure_and_its_uncounted_calls_are_nobodys():
    record = make()
    record.add_block(block([900] * 20, uncounted=3), 0, steady=False, zero_ns=0)
    record.add_block(block([2] * 12, uncounted=1), 0, steady=True, zero_ns=0)
    outcome = record.outcome(with_samples=True)
    assert (outcome.latency.count, outcome.latency.max_ms, outcome.uncounted_calls) == (12, 2.0, 1)
    assert outcome.throughput_per_s == pytest.approx(1000.0)
    assert outcome.samples.count == 32
    assert [note.code for note in outcome.notes] == ["uncounted"]


def test_times_count_from_the_start_of_the_run():
    record = make()
    start, latency, _ = record.add_block(block([5], start_ms=70), 0, steady=True, zero_ns=20_000_000)
    assert (start.tolist(), latency.tolist()) == ([50_000_000], [5_000_000])


@pytest.mark.parametrize(("shape", "batch_size", "codes"), [((2, 16), 2, ["batch-fixed"]), ((2, 16), 1, ["batch-unknown"]), (("B", 16), 1, [])])
def test_a_row_says_where_its_batch_comes_from(shape, batch_size, codes):
    """Items a second are those that a call was seen to take; inputs without a B leave no choice."""
    record = make(batch_size=batch_size, inputs=(InputSpec(shape=shape),))
    record.add_block(block([10] * 12), 0, steady=True, zero_ns=0)
    outcome = record.outcome(with_samples=False)
    assert [note.code for note in outcome.notes] == codes and outcome.throughput_per_s == pytest.approx(batch_size * 100)


def test_nothing_measured_is_no_figure():
    outcome = make().outcome(with_samples=True)
    assert outcome.latency is outcome.samples is outcome.trust is outcome.throughput_per_s is None
    assert outcome.memory.process_peak_bytes is None


def test_device_time_stands_beside_host_time():
    record = make("cuda:0")
    record.add_block(block([4] * 12, device=True), 0, steady=True, zero_ns=0)
    outcome = record.outcome(with_samples=False)
    assert (outcome.device_latency.p50_ms, outcome.enqueue_p50_ms) == (4.0, 2.0)


@pytest.mark.parametrize(
    ("code", "status"), [("out-of-memory", "out-of-memory"), ("unsupported", "unsupported"), ("not-swapped", "unsupported"), ("timeout", "failed")]
)
def test_the_status_follows_the_code(code, status):
    record = make()
    record.fail(failure(code, "file-changed", {"file": "f"}, {"log": "printed"}))
    assert record.over
    assert (record.conclude().status, record.conclude().error.code, record.conclude().log) == (status, code, "printed")


def test_there_is_one_conclusion():
    record = make()
    record.cancel()
    first = record.conclude()
    record.add_block(block([2]), 0, steady=True, zero_ns=0)
    assert record.conclude() is first


@pytest.mark.parametrize(("samples", "code"), [(0, "cancelled"), (3, "cancelled-partly")])
def test_a_cancelled_record_says_how_much_it_has(samples, code):
    record = make()
    if samples:
        record.add_block(block([2] * samples), 0, steady=True, zero_ns=0)
    record.cancel()
    assert (record.status, record.stopped.code) == ("cancelled", code)


def test_what_stands_on_disk_meanwhile_is_not_done():
    record = make()
    record.add_block(block([2] * 12), 0, steady=True, zero_ns=0)
    interim = record.interim()
    assert (interim.status, interim.stopped_because.code, interim.stopped_because.values) == ("cancelled", "interrupted-partly", {"count": 12})
    assert interim.latency.count == 12
    assert not record.over


def test_more_that_is_stopped_leaves_what_was_complete_complete():
    first = make()
    first.add_block(block([2] * 12), 0, steady=True, zero_ns=0)
    first.raise_peak("process_peak_bytes", 700)
    first.uncounted, first.status = 4, "ok"
    again = make()
    again.add_block(block([2] * 12), 0, steady=True, zero_ns=0)
    again.restore(first.conclude(), visits=1)
    assert (again.visits, again.uncounted, again.peaks) == (1, 4, {"process_peak_bytes": 700})
    assert again.interim().status == "ok"
    again.cancel()
    assert (again.status, again.stopped.code) == ("ok", "cancelled-partly")


def test_peaks_only_rise_and_none_is_no_reading():
    record = make()
    for value in (5, None, 3):
        record.raise_peak("process_peak_bytes", value)
    assert record.outcome(with_samples=False).memory.process_peak_bytes == 5


@pytest.mark.parametrize(("foreign", "shown"), [(None, 100), (0, 100), (1, None)])
def test_a_difference_of_device_memory_is_no_figure_beside_other_programs(foreign, shown):
    record = make("cuda:0")
    record.device_memory_source, record.foreign_compute = "difference", foreign
    record.raise_peak("device_peak_bytes", 100)
    memory = record.outcome(with_samples=False).memory
    assert memory.device_peak_bytes == shown
    assert memory.device_memory_source == ("difference" if shown else None)


@pytest.mark.parametrize(("own", "foreign", "shown"), [(None, 0, 390), (None, 1, None), (400, 1, 390)])
def test_the_context_is_no_figure_either_beside_other_programs(own, foreign, shown):
    record = make("cuda:0")
    record.weights_bytes, record.foreign_compute = 20, foreign
    record.parts.before_context(DeviceMemory(100, None if own is None else 0, 100))
    record.parts.with_context(DeviceMemory(500, own, 100), 10)
    record.parts.settled(30, 5)
    record.parts.after_visit(DeviceMemory(700, None if own is None else 600, 100), 50)
    memory = record.outcome(with_samples=False).memory
    assert (memory.context_bytes, memory.workspace_bytes) == (shown, None if shown is None else 5 + 600 - 50 - 390)


def test_by_process_it_stays_a_figure_beside_other_programs():
    record = make("cuda:0")
    record.device_memory_source, record.foreign_compute = "process", 2
    record.raise_peak("device_peak_bytes", 100)
    assert record.outcome(with_samples=False).memory.device_peak_bytes == 100


def test_a_note_is_kept_once():
    record = make()
    for _ in range(2):
        record.note("fresh-visits", {})
    assert [note.code for note in record.notes] == ["fresh-visits"]


def test_other_programs_load_during_the_visits_reaches_the_grade():
    record = make()
    record.add_block(block([2] * 40), 0, steady=True, zero_ns=0)
    quiet = record.outcome(with_samples=False).trust
    record.other_cpu_percent = [70.0, 90.0]
    loaded = record.outcome(with_samples=False).trust
    assert {reason.code for reason in loaded.reasons} - {reason.code for reason in quiet.reasons} == {"other-load"}


@pytest.mark.parametrize(("load", "crowded"), [(None, False), (0.1, False), (1.7, True)])
def test_the_load_before_stands_in_where_no_share_of_the_cpu_was_read(load, crowded):
    """A job that was over before half a second had passed."""
    record = make()
    record.add_block(block([2] * 40), 0, steady=True, zero_ns=0)
    record.load_before = load
    assert ("other-load" in {reason.code for reason in record.outcome(with_samples=False).trust.reasons}) is crowded
    record.other_cpu_percent = [0.0]
    assert "other-load" not in {reason.code for reason in record.outcome(with_samples=False).trust.reasons}, "what was read wins"


def test_the_load_before_is_taken_unless_it_is_our_own(tmp_path, monkeypatch):
    """Minutes after a job the load average still holds that job: held against the next one it would be a false alarm."""
    monkeypatch.setattr("engine.environment.load_average", lambda: 1.5)
    seen = []
    monkeypatch.setattr("engine.supervisor.JobRunner", lambda records, *rest: seen.extend(records) or SimpleNamespace(
        run=lambda: [each.cancel() for each in records], release_all=lambda: None, report_progress=lambda: None))
    job, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Linears")
    engine = Engine(keep_history=False)
    try:
        for _ in range(2):
            engine.run_job(job, info)
        monkeypatch.setattr("engine.supervisor.OWN_LOAD_S", 0.0)
        engine.run_job(job, info)
    finally:
        engine.close()
    assert [record.load_before for record in seen] == [1.5, None, 1.5]


def test_the_standing_follows_the_newest_samples():
    record = make()
    record.add_block(block([8] * 4), 0, steady=True, zero_ns=0)
    record.visit_spans_s = [(1.0, 1.5), (3.0, 3.25)]
    standing = record.standing()
    assert (standing.call_s, standing.count, standing.measured_s, standing.visit_s) == (0.008, 4, 0.75, 0.375)
    assert standing.first_age_s - standing.last_age_s == pytest.approx(2.0)


def test_the_standing_knows_what_comes_after_the_loop():
    """Calls after a rest, where the job asks for them."""
    record = make()
    assert record.standing().beside_s == 0.0
    record.job = msgspec.structs.replace(record.job, idle_gap_s=0.1)
    assert record.standing().beside_s == pytest.approx(2.0)
    assert make("cuda:0").standing().beside_s > 1.0


def test_a_reason_of_the_warm_up_reaches_the_grade():
    record = make()
    record.add_block(block([2] * 40), 0, steady=True, zero_ns=0)
    values = {"calls": 10, "seconds": 10.0, "percent": 2.0, "change_percent": 9.0}
    record.warm_up = Reason("warm-up-never-settled", values, "")
    assert "warm-up-never-settled" in {reason.code for reason in record.outcome(with_samples=False).trust.reasons}


def test_memory_of_a_plan_with_fresh_workers_is_the_first_ones():
    """Parts of one worker beside peaks of another would not add up."""
    record = make("cuda:0")
    record.parts.settled(60, 10)
    record.raise_peak("allocated_peak_bytes", 100)
    record.keep_memory()
    record.parts.settled(10, 1)
    record.raise_peak("allocated_peak_bytes", 300)
    record.keep_memory()
    memory = record.outcome(with_samples=False).memory
    assert (memory.allocated_peak_bytes, memory.inputs_bytes, memory.activations_bytes) == (100, 10, 40)


def test_one_warm_up_that_never_settled_is_not_forgotten():
    """Each fresh worker warms up; the one that had trouble counts."""
    record = make()
    for code in ("warm-up-settled", "warm-up-never-settled", "warm-up-settled"):
        record.settled(Reason(code, {}, ""))
    assert record.warm_up.code == "warm-up-never-settled"

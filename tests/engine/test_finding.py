"""The largest batch, found with real workers held to a limit; and the limit itself, whatever a model does."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import msgspec
import psutil
import pytest

from engine import memory_limit
from engine.events import BatchTried, PhaseStarted
from engine.finding import cpu_room, remarks
from engine.job import Configuration, ModelSource
from engine.largest import PRECISION_REJECTED
from engine.out_of_memory import LISTED, largest_fitting
from engine.process import can_fork
from engine.result import Largest, Outcome, Probe
from engine.supervisor import Engine
from tests.support import hungry, jobs, nets

HUNGRY = Path(hungry.__file__).resolve()
MIB = 2**20
LIMIT = 700 * MIB
MAX = Configuration(options={"batch": "max"})
pytestmark = pytest.mark.skipif(not can_fork(), reason="limits of the kernel's own are Linux's")


@pytest.fixture(scope="module")
def shared():
    made = Engine(keep_history=False)
    yield made
    made.close()


@pytest.fixture
def events():
    return []


@pytest.fixture
def engine(shared, events):
    shared.emit = events.append
    shared.allow()
    return shared


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return jobs.save(tmp_path_factory.mktemp("weights"), nets.Linears())


@pytest.fixture
def run(engine, weights):
    """The outcomes of a network of `hungry` under these configurations."""

    def call(spec, *configurations, limit=LIMIT, **fields):
        job, info = jobs.make_job(weights, None, configurations=configurations or (MAX,), memory_limit_bytes=limit, **fields)
        job = msgspec.structs.replace(job, model=ModelSource(str(weights), "state-dict", f"{HUNGRY}:{spec}"))
        return engine.run_job(job, info).outcomes

    return call


def test_the_largest_that_fits_is_found_and_measured(run, events):
    [outcome] = run("Hungry(4)")
    found = outcome.largest
    # How many calls its time holds depends on the machine; that it was measured after the search does not.
    assert outcome.status == "ok" and outcome.latency.count >= 3 and outcome.stopped_because is not None
    assert outcome.configuration.batch_size == found.batch_size and outcome.configuration.options == {"batch": "max"}
    # 700 MiB less what torch itself takes (some 170), by 4 MiB an item
    assert 64 <= found.batch_size <= 700 // 4 and found.limit_bytes == LIMIT
    # So near the limit one that fitted may run out of memory when it is measured, which is seen: a peak within the limit, and it does not fit. Then 1/8 does.
    was_rejected = any(not probe.fits and probe.peak_bytes is not None and probe.peak_bytes <= LIMIT for probe in found.probes)
    assert 1 <= found.fails_at - found.batch_size <= (found.batch_size // PRECISION_REJECTED if was_rejected else found.batch_size // 32)
    assert outcome.memory.process_peak_bytes <= LIMIT
    tried = [event for event in events if isinstance(event, BatchTried)]
    assert [event.batch_size for event in tried if event.probe is None][:4] == [1, 2, 4, 8]
    assert {probe.batch_size for probe in found.probes if probe.foretold_bytes is None} == {event.batch_size for event in tried}
    assert all(probe.peak_bytes > 4 * MIB * probe.batch_size for probe in found.probes if probe.fits)
    assert any(note.code == "largest-found-within" for note in outcome.notes)
    phases = [event.phase for event in events if isinstance(event, PhaseStarted)]
    assert phases[0] == "finding" and phases[-1] == "steady"


def test_one_that_does_not_fit_ends_out_of_memory_and_learns_what_does(run):
    fitting, large = run("Hungry(16)", Configuration(batch_size=8), Configuration(batch_size=128))
    assert (fitting.status, large.status) == ("ok", "out-of-memory")
    error = large.error
    assert (error.code, error.say) == ("out-of-memory", "out-of-memory-limit-fits")
    assert error.values["limit"] == "700 MiB" and error.values["wanted"] == "2.00 GiB"
    assert (error.values["fitting"], error.values["parts"]) == (8, 16) and "--micro-batch 16" in error.hint
    assert len(error.details["holders"].splitlines()) <= LISTED


def test_the_same_batch_in_micro_batches_fits(run):
    whole, parts = run("Hungry(16)", Configuration(batch_size=64), Configuration(batch_size=64, options={"micro_batch": 8}))
    assert (whole.status, parts.status) == ("out-of-memory", "ok")
    assert parts.throughput_per_s == pytest.approx(64 * 1000 / parts.latency.mean_ms, rel=0.01)
    assert [note.values for note in parts.notes if note.code == "micro-batched"] == [{"batch": 64, "parts": 8, "size": 8}]


@pytest.mark.parametrize("then", ["grab", "shares", "aborts"])
def test_whatever_takes_memory_is_out_of_memory_and_the_machine_is_fine(run, then):
    """Python objects, shared memory that the kernel's limit does not count, a library that aborts."""
    before = psutil.virtual_memory().available
    [outcome] = run(f"Hungry(0, {then!r}, 1)", Configuration(batch_size=1))
    assert (outcome.status, outcome.error.code) == ("out-of-memory", "out-of-memory"), outcome.error
    assert psutil.virtual_memory().available > before - 2 * 2**30


@pytest.mark.parametrize(("then", "code"), [("raises", "input-mismatch"), ("dies", "killed-by-signal")])
def test_a_batch_that_fails_otherwise_bounds_the_search_and_says_why(run, then, code):
    [outcome] = run(f"Hungry(0, {then!r}, 11)")
    assert (outcome.status, outcome.configuration.batch_size, outcome.largest.fails_at) == ("ok", 10, 11)
    assert [probe.code for probe in outcome.largest.probes if probe.batch_size == 11] == [code]
    assert "largest-other-reason" in [note.code for note in outcome.notes]


def test_where_not_even_one_fits_that_is_the_outcome(run):
    largest, other = run("Hungry(900)", MAX, Configuration(batch_size=1, threads=2))
    assert largest.status == other.status == "out-of-memory"
    assert largest.largest is None and largest.error.values["batch_size"] == 1


def test_a_share_is_of_the_limit(run):
    [outcome] = run("Hungry(16)", Configuration(options={"batch": "max:60%"}))
    assert outcome.largest.share_percent == 60.0 and outcome.largest.limit_bytes == int(0.6 * LIMIT)
    assert max(probe.peak_bytes for probe in outcome.largest.probes if probe.fits) <= 0.6 * LIMIT


def test_a_stop_ends_a_search_within_a_second(run, engine, events):
    started, delay = [], 0.5
    timer = threading.Timer(delay, engine.stop_now)

    def emit(event):
        if isinstance(event, BatchTried) and event.batch_size == 2 and event.probe is None:
            started.append(time.perf_counter())
            timer.start()

    engine.emit = emit
    [outcome] = run("Hungry(0, 'spins', 2)")
    assert outcome.status == "cancelled" and not engine.workers.alive
    assert time.perf_counter() - started[0] - delay < 1.0
    timer.join()


def test_a_call_that_hangs_bounds_the_search(run):
    [outcome] = run("Hungry(0, 'spins', 3)", timeout_s=1.0, first_timeout_s=3.0)
    assert (outcome.status, outcome.configuration.batch_size) == ("ok", 2)
    assert {probe.code for probe in outcome.largest.probes if not probe.fits} == {"timeout"}


def test_without_a_limit_a_part_of_what_is_free_is():
    room = cpu_room(None, None, available=10 * 2**30, total=16 * 2**30)
    assert room.limit_bytes == 8 * 2**30 - int(0.06 * 16 * 2**30) and room.is_safe_default
    assert cpu_room(2**30, None, available=10 * 2**30, total=16 * 2**30).limit_bytes == 2**30
    assert cpu_room(2**30, 75.0, available=10 * 2**30, total=16 * 2**30).limit_bytes == 3 * 2**28
    assert cpu_room(None, 10.0, available=10 * 2**30, total=16 * 2**30).limit_bytes == int(1.6 * 2**30)
    # What a user allows is no more than what is there.
    assert cpu_room(64 * 2**30, None, available=10 * 2**30, total=16 * 2**30).is_safe_default


@pytest.mark.parametrize(("text", "size"), [("4GB", 4 * 10**9), ("512 MiB", 512 * MIB), ("2.5g", 2_500_000_000), ("629145600B", 629145600), ("1tib", 2**40)])
def test_sizes_as_they_are_written(text, size):
    assert memory_limit.parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "GB", "4 XB", "-4GB", "1KB", "4GB4", "٤GB", "1e9", "999999999TB"])
def test_what_is_no_size(text):
    assert memory_limit.parse_bytes(text) is None


def test_a_container_has_what_its_group_allows(tmp_path):
    group = tmp_path / "v2"
    group.mkdir()
    for name, text in (("memory.max", "1000000000"), ("memory.current", "400000000"), ("memory.stat", "anon 5\ninactive_file 100000000\n")):
        (group / name).write_text(text)
    assert memory_limit.available_bytes((group,)) == min(700_000_000, psutil.virtual_memory().available)
    assert memory_limit.total_bytes((group,)) == 1_000_000_000
    (group / "memory.max").write_text("max\n")
    assert memory_limit.total_bytes((group, tmp_path / "none")) == psutil.virtual_memory().total


def test_what_is_said_of_a_search():
    probes = (Probe(batch_size=8, fits=True, peak_bytes=80), Probe(batch_size=16, fits=False, foretold_bytes=160), Probe(batch_size=10, fits=False, code="timeout"))
    said = dict(remarks(Largest(batch_size=8, limit_bytes=100, probes=probes, fails_at=10), is_safe_default=True))
    assert said["largest-found-within"] == {"batch": 8, "count": 2, "limit": "100 B", "next": 10}
    assert said["largest-foretold"] == {"batch": 16, "needs": "160 B"} and said["largest-other-reason"]["code"] == "timeout"
    assert "largest-safe-limit" in said
    assert [code for code, _ in remarks(Largest(batch_size=4))] == ["largest-open"]


def test_what_fits_in_micro_batches_is_no_batch_that_fits_whole():
    parts = Configuration(batch_size=64, options={"micro_batch": 8})
    rows = [Outcome(configuration=made, status="ok") for made in (parts, Configuration(batch_size=8))]
    assert largest_fitting(Configuration(batch_size=128), rows) == 8
    assert largest_fitting(Configuration(batch_size=128, options={"micro_batch": 8}), rows) == 64

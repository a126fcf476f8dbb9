"""The machine seen while a job runs: readings to the right record, peaks of running, and a hand on the brake."""

from __future__ import annotations

import mmap
import os
import sys
from types import SimpleNamespace

import msgspec
import psutil
import pytest

from engine import memory_limit
from engine import watch as watching
from engine.events import MonitorSampled
from engine.job import Configuration, Job, ModelSource
from engine.monitor import Monitor
from engine.nvml import GpuProcess
from engine.recorder import Recorder
from engine.replica_set import ReplicaSet
from engine.result import ModelInfo
from engine.units import format_bytes
from engine.watch import COMPANY_EVERY, GUARD_EVERY, MachineWatch, data_bytes, high_water_bytes
from tests.support import jobs

LITTLE = SimpleNamespace(available=1, total=8 << 30)
MUCH = SimpleNamespace(available=6 << 30, total=8 << 30)


class FakeMonitor:
    """Readings and GPU programs as the test sets them."""

    def __init__(self):
        self.values, self.asked, self.processes, self.gpus = {}, [], None, {}

    def sample(self, pid):
        self.asked.append(pid)
        return dict(self.values)

    def gpu_processes(self, index):
        return self.processes


class Rig:
    """A watch over one configuration whose worker has the pid 41."""

    def __init__(self, device="cpu", computing=()):
        self.monitor, self.events, self.stopped, self.drawing = FakeMonitor(), [], [], None
        self.monitor.processes = tuple(GpuProcess(pid, 10, True) for pid in computing) or None
        self.monitor.gpus = {0: SimpleNamespace(graphics_percent=lambda: self.drawing)} if device.startswith("cuda") else {}
        configuration = Configuration(device=device)
        job = Job(id="j", model=ModelSource("/m.pth", "state-dict"), inputs=(), configurations=(configuration,), plan=jobs.TURNS)
        self.record = Recorder(0, job, configuration, ModelInfo(path="/m.pth", sha256="0" * 64, kind="state-dict"), 2)
        self.record.link = SimpleNamespace(pid=41)
        self.company = False
        self.visitor = SimpleNamespace(current=self.record, in_steady=True, has_company=lambda record: self.company)
        self.watch = MachineWatch(self.monitor, self.visitor, self.events.append, 0)

    def tick(self, times=1, **values):
        self.monitor.values = {name: float(value) for name, value in values.items()}
        for _ in range(times):
            self.watch.tick(self)

    def stop_for_memory(self, values, held):
        self.stopped.append((values, held))


@pytest.fixture(autouse=True)
def comfort(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: MUCH)
    monkeypatch.setattr(memory_limit, "own_groups", lambda: ())
    monkeypatch.setattr(watching, "high_water_bytes", lambda pid: {41: 500, 42: 900}[pid])


def test_readings_are_told_and_kept_with_the_running_configuration():
    rig = Rig()
    rig.tick(worker_resident_bytes=7)
    (event,) = rig.events
    assert isinstance(event, MonitorSampled)
    assert (event.index, event.values, rig.monitor.asked) == (0, {"worker_resident_bytes": 7.0}, [41])
    assert [track.name for track in rig.record.timeline.tracks()] == ["worker_resident_bytes"]


def test_between_configurations_the_machine_alone_is_told():
    rig = Rig()
    rig.visitor.current = None
    rig.tick(machine_cpu_percent=3)
    assert (rig.events[0].index, rig.monitor.asked) == (None, [None])


def test_load_of_others_counts_during_visits_only():
    rig = Rig()
    rig.visitor.in_steady = False
    rig.tick(2 * GUARD_EVERY, other_cpu_percent=80)
    assert rig.record.other_cpu_percent == []
    rig.visitor.in_steady = True
    rig.tick(2 * GUARD_EVERY, other_cpu_percent=30)
    assert rig.record.other_cpu_percent == [30.0, 30.0]


def test_a_later_workers_loading_is_no_peak_of_running():
    rig = Rig()
    rig.visitor.in_steady = False
    rig.tick(GUARD_EVERY + 1)
    assert rig.record.peaks["process_peak_bytes"] == 500, "until a visit there is no better figure"
    rig.record.visits, rig.record.link = 1, SimpleNamespace(pid=42)
    rig.tick(GUARD_EVERY)
    assert rig.record.peaks["process_peak_bytes"] == 500
    rig.visitor.in_steady = True
    rig.tick(GUARD_EVERY)
    assert rig.record.peaks["process_peak_bytes"] == 900


def test_memory_that_runs_out_is_told_to_the_runner(monkeypatch):
    rig = Rig()
    rig.tick(GUARD_EVERY, worker_resident_bytes=2 << 30)
    assert rig.stopped == []
    monkeypatch.setattr(psutil, "virtual_memory", lambda: LITTLE)
    rig.tick(GUARD_EVERY, worker_resident_bytes=2 << 30)
    assert rig.stopped == [({"free": format_bytes(1), "total": format_bytes(8 << 30)}, format_bytes(2 << 30))]
    assert rig.watch.memory_is_short()


def test_device_memory_by_process_is_taken_as_it_is():
    rig = Rig("cuda:0", computing=(41,))
    rig.tick(gpu0_memory_bytes=1000, gpu0_process_bytes=300)
    rig.tick(gpu0_memory_bytes=900, gpu0_process_bytes=200)
    assert (rig.record.device_memory_source, rig.record.peaks["device_peak_bytes"]) == ("process", 300)


def test_a_difference_begins_anew_with_each_worker():
    rig = Rig("cuda:0")
    rig.tick(gpu0_memory_bytes=5000)
    rig.tick(gpu0_memory_bytes=5100)
    assert (rig.record.device_memory_source, rig.record.peaks["device_peak_bytes"]) == ("difference", 100)
    rig.record.link = SimpleNamespace(pid=42)       # others were let go, and it started again
    rig.tick(gpu0_memory_bytes=1000)
    rig.tick(gpu0_memory_bytes=1700)
    assert rig.record.peaks["device_peak_bytes"] == 700


def test_what_another_worker_of_ours_takes_is_not_this_ones():
    """In a comparison A has not been visited yet when B comes: B's memory must not stand in A's peak, nor what A takes in its turns in B's."""
    rig = Rig("cuda:0")
    rig.tick(gpu0_memory_bytes=1000)
    rig.tick(gpu0_memory_bytes=1300)
    rig.company = True
    rig.tick(gpu0_memory_bytes=4000)
    assert rig.record.peaks["device_peak_bytes"] == 300
    rig.record.link = SimpleNamespace(pid=42)
    rig.record.peaks.clear()
    rig.record.device_memory_source = None
    rig.tick(gpu0_memory_bytes=1300)
    rig.tick(gpu0_memory_bytes=2000)
    rig.company = False
    rig.tick(gpu0_memory_bytes=5000)
    assert (rig.record.device_memory_source, rig.record.memory().device_peak_bytes) == (None, None), "nobody knows what it began from"


def test_by_process_another_worker_of_ours_hides_nothing():
    rig = Rig("cuda:0", computing=(41, 42))
    rig.company = True
    rig.tick(gpu0_memory_bytes=1000, gpu0_process_bytes=300)
    assert rig.record.memory().device_peak_bytes == 300


def test_clocks_and_throttling_count_during_visits_only():
    rig = Rig("cuda:0")
    rig.visitor.in_steady = False
    rig.tick(gpu0_clock_mhz=300, gpu0_throttle_reasons=8)
    rig.visitor.in_steady = True
    rig.tick(gpu0_clock_mhz=1900, gpu0_throttle_reasons=4)
    rig.tick(gpu0_clock_mhz=1800, gpu0_throttle_reasons=1)
    assert (rig.record.gpu_clocks, rig.record.throttle_reasons) == ([1900.0, 1800.0], 5)


def test_own_workers_are_no_company():
    rig = Rig("cuda:0", computing=(41,))
    rig.tick(COMPANY_EVERY)
    assert rig.record.foreign_compute == 0
    rig.monitor.processes = (GpuProcess(41, 10, True), GpuProcess(77, 20, True), GpuProcess(78, 5, False))
    rig.tick(COMPANY_EVERY)
    assert rig.record.foreign_compute == 1, "a graphics program is none"
    rig.drawing = 7.0
    rig.tick(COMPANY_EVERY)
    assert rig.record.graphics_percent == [7.0]


def test_what_others_hold_is_known_only_where_every_program_is():
    rig = Rig("cuda:0", computing=(41, 77))
    rig.tick()
    assert rig.watch.held_by_others_bytes("cuda:0") == 10
    assert rig.watch.held_by_others_bytes("cpu") is None
    rig.monitor.processes = (GpuProcess(77, None, True),)
    assert rig.watch.held_by_others_bytes("cuda:0") is None


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_the_high_water_mark_is_the_kernels(monkeypatch):
    monkeypatch.undo()
    assert high_water_bytes(os.getpid()) >= psutil.Process().memory_info().rss * 0.9
    assert high_water_bytes(2**30) is None
    assert data_bytes(2**30) is None


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells it on Linux only")
def test_memory_that_was_asked_for_counts_untouched():
    before = data_bytes(os.getpid())
    with mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE):
        assert data_bytes(os.getpid()) - before >= 64 << 20


# -- several workers at once ---------------------------------------------------------------------------------------------


class TwoGpus(Rig):
    """A watch over replicas on two GPUs, whose workers have the pids 41 and 42."""

    def __init__(self, device="cuda:0+cuda:1"):
        super().__init__("cpu")
        self.monitor.gpus = {index: SimpleNamespace(graphics_percent=lambda: None) for index in (0, 1)} if device.startswith("cuda") else {}
        job = msgspec.structs.replace(self.record.job, configurations=(Configuration(device=device),))
        self.record = ReplicaSet(0, job, job.configurations[0], self.record.info, 2)
        for member, pid in zip(self.record.members, (41, 42), strict=True):
            member.link = SimpleNamespace(pid=pid)
        self.company = False
        self.visitor = SimpleNamespace(current=self.record, in_steady=True, has_company=lambda record: self.company)
        self.watch = MachineWatch(self.monitor, self.visitor, self.events.append, 0)


def test_all_workers_are_read_together():
    rig = TwoGpus()
    rig.tick(GUARD_EVERY, other_cpu_percent=12, worker_resident_bytes=900)
    assert rig.monitor.asked == [[41, 42]] * (GUARD_EVERY + 1)
    assert rig.record.other_cpu_percent == [12.0]
    assert [track.name for track in rig.record.timeline.tracks()] == ["other_cpu_percent", "worker_resident_bytes"]


def test_each_gpus_readings_belong_to_the_replica_on_it():
    rig = TwoGpus()
    rig.tick(GUARD_EVERY, gpu0_process_bytes=100, gpu1_process_bytes=200, gpu0_clock_mhz=1500, gpu1_clock_mhz=1600, gpu1_throttle_reasons=0x40)
    first, second = rig.record.members
    assert (first.peaks["device_peak_bytes"], second.peaks["device_peak_bytes"]) == (100, 200)
    assert (first.peaks["process_peak_bytes"], second.peaks["process_peak_bytes"]) == (500, 900)
    assert (set(first.gpu_clocks), set(second.gpu_clocks)) == ({1500.0}, {1600.0})
    assert (first.throttle_reasons, second.throttle_reasons) == (0, 0x40)
    assert rig.record.memory().device_peak_bytes == 300


def test_replicas_are_no_company_to_each_other():
    rig = TwoGpus()
    rig.monitor.processes = (GpuProcess(41, 10, True), GpuProcess(42, 10, True), GpuProcess(77, 10, True))
    rig.tick(COMPANY_EVERY)
    assert [member.foreign_compute for member in rig.record.members] == [1, 1]


def test_memory_that_runs_out_ends_all_replicas(monkeypatch):
    rig = TwoGpus("cpu+cpu")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: LITTLE)
    rig.tick(GUARD_EVERY, worker_resident_bytes=5 << 20)
    assert rig.stopped == [({"free": format_bytes(1), "total": format_bytes(8 << 30)}, format_bytes(5 << 20))]


def test_a_comparisons_rows_hear_of_other_load():
    """Two workers in turn every 0.05 s, and another program on half the machine: the watch, the monitor and the system together."""
    reader, now = TurnSystem(), [0.0]
    rig = Rig()
    rig.watch = MachineWatch(Monitor(reader=reader, load_nvml=no_driver, clock=lambda: now[0]), rig.visitor, rig.events.append, 0)
    other = Recorder(1, rig.record.job, rig.record.configuration, rig.record.info, 2)
    other.link = SimpleNamespace(pid=42)
    for turn in range(60):
        rig.visitor.current = (rig.record, other)[turn % 2]
        for _ in range(3):
            reader.pass_time(0.05 / 3, rig.visitor.current.link.pid)
            now[0] += 0.05 / 3
            rig.watch.tick(rig)
    for record in (rig.record, other):
        assert record.other_cpu_percent and record.other_cpu_percent == pytest.approx([50.0] * len(record.other_cpu_percent), abs=5.0)


class TurnSystem:
    """Two cores, of which another program takes one and the worker whose turn it is the other."""

    def __init__(self):
        self.cpu, self.total = {41: 0.0, 42: 0.0, os.getpid(): 1.0}, 0.0

    def pass_time(self, seconds, pid):
        self.cpu[pid] += seconds
        self.total += 2 * seconds

    def cpu_seconds(self, pid):
        return self.cpu[pid]

    def machine_seconds(self):
        return self.total, self.total

    def resident_bytes(self, pid):
        return 1 << 20

    def memory_used_bytes(self):
        return 1 << 30


def no_driver():
    raise ImportError

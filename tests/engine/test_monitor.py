"""Readings from outside: what can be read is right, what cannot is absent, and asking is cheap."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from engine.cpu_shares import CPU_S
from engine.monitor import SLOW_S, Monitor, ProcessMemory, process_memory, reset_peak

WORKER = 4242
GIB = 2**30


class FakeSystem:
    """An operating system whose numbers a test sets."""

    def __init__(self) -> None:
        self.resident = {WORKER: 100, WORKER + 1: 11}
        self.cpu = {WORKER: 1.0, os.getpid(): 5.0}
        self.busy, self.total = 10.0, 100.0

    def resident_bytes(self, pid: int) -> int | None:
        return self.resident.get(pid)

    def cpu_seconds(self, pid: int) -> float | None:
        return self.cpu.get(pid)

    def machine_seconds(self) -> tuple[float, float]:
        return self.busy, self.total

    def memory_used_bytes(self) -> int:
        return 777


class FakeNvml:
    """A driver with one GPU; `broken` names functions that fail, `calls` counts."""

    class NVMLError(Exception):
        """NVML's base error."""

    def __init__(self, *, broken: tuple[str, ...] = (), init_error: Exception | None = None) -> None:
        self.broken, self.init_error, self.calls, self.closed = broken, init_error, [], False
        self.used = 6 * GIB
        self.rows = [SimpleNamespace(pid=WORKER, usedGpuMemory=2 * GIB), SimpleNamespace(pid=99, usedGpuMemory=None)]

    def nvmlInit(self) -> None:
        if self.init_error:
            raise self.init_error

    def nvmlShutdown(self) -> None:
        self.closed = True

    def nvmlDeviceGetCount(self) -> int:
        return 1

    def nvmlSystemGetDriverVersion(self) -> str:
        return "580.1"

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def __getattr__(self, name: str) -> object:
        answers = {
            "nvmlMemory_v2": 2, "nvmlDeviceGetUUID": "GPU-aaaa", "nvmlDeviceGetName": "Fake GPU", "nvmlDeviceGetPciInfo": SimpleNamespace(busId="00000000:65:00.0"),
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=self.used, total=24 * GIB), "nvmlDeviceGetComputeRunningProcesses": self.rows,
            "nvmlDeviceGetGraphicsRunningProcesses": [], "nvmlDeviceGetPowerUsage": 250_500, "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=97),
            "nvmlDeviceGetClockInfo": 1980, "nvmlDeviceGetTemperature": 41, "nvmlDeviceGetCurrentClocksEventReasons": 4,
        }
        if name not in answers:
            raise AttributeError(name)
        if name == "nvmlMemory_v2":
            return answers[name]

        def call(*_: object) -> object:
            self.calls.append(name)
            if name in self.broken:
                raise self.NVMLError("Not Supported")
            return answers[name]

        return call


LibraryNotFound = type("NVMLError_LibraryNotFound", (FakeNvml.NVMLError,), {})


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def test_memory_of_worker_and_machine() -> None:
    """Both are read at once; the worker's children count where they are named."""
    system = FakeSystem()
    assert Monitor(reader=system, load_nvml=FakeNvml).sample(WORKER)["worker_resident_bytes"] == 100.0
    values = Monitor(lambda pid: (pid, pid + 1), reader=system, load_nvml=FakeNvml).sample(WORKER)
    assert (values["worker_resident_bytes"], values["machine_memory_bytes"]) == (111.0, 777.0)


def test_a_worker_that_is_gone_is_absent() -> None:
    """No zero is drawn for a process that ended."""
    values = Monitor(reader=FakeSystem(), load_nvml=FakeNvml).sample(1)
    assert not [name for name in values if name.startswith("worker_") or name.endswith("_process_bytes")]
    assert "worker_resident_bytes" not in Monitor(reader=FakeSystem(), load_nvml=FakeNvml).sample(None)


def test_cpu_shares_between_two_readings() -> None:
    """Half a second on two cores: worker one core, this program a tenth, others the rest of what was busy."""
    system, clock = FakeSystem(), Clock()
    monitor = Monitor(reader=system, load_nvml=FakeNvml, clock=clock)
    assert "machine_cpu_percent" not in monitor.sample(WORKER)
    clock.now += CPU_S
    system.busy, system.total = system.busy + 0.8, system.total + 1.0
    system.cpu[WORKER] += 0.5
    system.cpu[os.getpid()] += 0.05
    values = monitor.sample(WORKER)
    assert values["machine_cpu_percent"] == pytest.approx(80.0)
    assert values["worker_cpu_percent"] == pytest.approx(100.0)
    assert values["other_cpu_percent"] == pytest.approx(25.0)


def test_cpu_shares_start_anew_with_each_worker() -> None:
    """A new worker's CPU time is not held against the old one's."""
    system, clock = FakeSystem(), Clock()
    system.cpu[7], system.resident[7] = 500.0, 1
    monitor = Monitor(reader=system, load_nvml=FakeNvml, clock=clock)
    monitor.sample(WORKER)
    clock.now, system.total = clock.now + CPU_S, system.total + 1.0
    assert "worker_cpu_percent" in monitor.sample(WORKER)
    clock.now, system.total = clock.now + CPU_S, system.total + 1.0
    assert "worker_cpu_percent" not in monitor.sample(7)


def test_counters_that_stand_still_give_no_share() -> None:
    """A division by nothing is no reading."""
    clock = Clock()
    monitor = Monitor(reader=FakeSystem(), load_nvml=FakeNvml, clock=clock)
    monitor.sample(WORKER)
    clock.now += CPU_S
    assert "machine_cpu_percent" not in monitor.sample(WORKER)


def test_gpu_readings_with_their_units() -> None:
    """Milliwatts become watts; the worker's own memory is by its pid."""
    values = Monitor(reader=FakeSystem(), load_nvml=FakeNvml).sample(WORKER)
    assert {name: value for name, value in values.items() if name.startswith("gpu")} == {
        "gpu0_memory_bytes": 6.0 * GIB, "gpu0_process_bytes": 2.0 * GIB, "gpu0_utilization_percent": 97.0, "gpu0_power_watts": 250.5,
        "gpu0_clock_mhz": 1980.0, "gpu0_temperature_c": 41.0, "gpu0_throttle_reasons": 4.0,
    }


@pytest.mark.parametrize(
    ("function", "name"),
    [
        ("nvmlDeviceGetPowerUsage", "gpu0_power_watts"), ("nvmlDeviceGetUtilizationRates", "gpu0_utilization_percent"),
        ("nvmlDeviceGetMemoryInfo", "gpu0_memory_bytes"), ("nvmlDeviceGetComputeRunningProcesses", "gpu0_process_bytes"),
        ("nvmlDeviceGetCurrentClocksEventReasons", "gpu0_throttle_reasons"), ("nvmlDeviceGetTemperature", "gpu0_temperature_c"),
    ],
)
def test_one_reading_that_fails_is_absent_alone(function: str, name: str) -> None:
    """A GPU without a power sensor still shows its memory."""
    whole = Monitor(reader=FakeSystem(), load_nvml=FakeNvml).sample(WORKER)
    values = Monitor(reader=FakeSystem(), load_nvml=lambda: FakeNvml(broken=(function,))).sample(WORKER)
    assert whole.keys() - values.keys() == {name}


def test_memory_is_read_each_time_and_the_rest_ten_times_a_second() -> None:
    """At 50 Hz the dear readings are asked once in five."""
    library, clock = FakeNvml(), Clock()
    monitor = Monitor(reader=FakeSystem(), load_nvml=lambda: library, clock=clock)
    monitor.sample(WORKER)
    library.calls.clear()
    for step in range(1, 5):
        library.used = step * GIB
        clock.now += SLOW_S / 5.0
        assert monitor.sample(WORKER)["gpu0_memory_bytes"] == float(step * GIB)
    memory = {"nvmlDeviceGetMemoryInfo", "nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"}
    assert set(library.calls) == memory
    clock.now += SLOW_S
    assert monitor.sample(WORKER)["gpu0_power_watts"] == 250.5
    assert "nvmlDeviceGetPowerUsage" in library.calls


def no_package() -> object:
    """A machine without nvidia-ml-py."""
    raise ImportError("No module named 'pynvml'")


@pytest.mark.parametrize(
    ("load", "code"),
    [
        (lambda: FakeNvml(init_error=LibraryNotFound("not found")), "nvml-missing"),
        (lambda: FakeNvml(init_error=FakeNvml.NVMLError("Driver/library version mismatch")), "nvml-failed"),
        (no_package, "nvml-package-missing"),
    ],
)
def test_without_a_driver_the_status_says_why(load: object, code: str) -> None:
    """The rest is read all the same."""
    monitor = Monitor(reader=FakeSystem(), load_nvml=load)  # type: ignore[arg-type]
    assert monitor.gpu_status is not None and monitor.gpu_status.code == code
    assert monitor.status == monitor.gpu_status.sentence != ""
    assert not [name for name in monitor.sample(WORKER) if name.startswith("gpu")]
    assert (monitor.gpus, monitor.driver, monitor.gpu_processes(0)) == ({}, None, None)
    monitor.close()


def test_closing_lets_the_driver_go() -> None:
    """Afterwards there are no GPUs, and closing again does nothing."""
    library = FakeNvml()
    monitor = Monitor(reader=FakeSystem(), load_nvml=lambda: library)
    assert monitor.driver == "580.1"
    monitor.close()
    monitor.close()
    assert library.closed
    assert "gpu0_memory_bytes" not in monitor.sample(WORKER)


def test_this_machine_is_read() -> None:
    """The real system: a child's memory is there while it lives, and absent afterwards."""
    monitor = Monitor()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        values = monitor.sample(child.pid)
        assert 0 < values["worker_resident_bytes"] < values["machine_memory_bytes"]
        child.communicate(b"\n")
    assert "worker_resident_bytes" not in monitor.sample(child.pid)
    monitor.close()


ROLLUP = "55d0-7ffc ---p 00000000 00:00 0    [rollup]\nRss:  900 kB\nPrivate_Clean:  10 kB\nPrivate_Dirty:  30 kB\nSwap: 0 kB\n"
STATUS = "Name:\tpython\nVmHWM:\t  2048 kB\nVmRSS:\t 1024 kB\nThreads:\t5\n"
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@linux
def test_private_memory_and_peak_from_proc() -> None:
    """Private pages are summed, the peak is the kernel's."""
    assert process_memory(1, lambda path: ROLLUP if path.endswith("smaps_rollup") else STATUS) == ProcessMemory(40 * 1024, 2048 * 1024)


@linux
def test_memory_of_a_process_that_is_gone_is_none() -> None:
    """Nothing is made up."""

    def gone(path: str) -> str:
        raise ProcessLookupError(path)

    assert process_memory(1, gone) == ProcessMemory(None, None)
    assert process_memory(1, lambda _: "") == ProcessMemory(None, None)


@linux
def test_resetting_the_peak() -> None:
    """The kernel's file gets its 5; where that is forbidden the answer says so."""
    written: list[tuple[str, str]] = []
    assert reset_peak(12, lambda path, text: written.append((path, text)))
    assert written == [("/proc/12/clear_refs", "5")]

    def refuse(path: str, text: str) -> None:
        raise PermissionError(path, text)

    assert not reset_peak(12, refuse)


HOG = "import sys\nx = bytearray(64 << 20)\ndel x\nprint('ready', flush=True)\nsys.stdin.readline()\n"


@linux
def test_the_peak_of_a_real_process_falls_only_when_reset() -> None:
    """A child that held 64 MiB shows it in its peak until the mark is reset."""
    with subprocess.Popen([sys.executable, "-c", HOG], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        before = process_memory(child.pid)
        allowed = reset_peak(child.pid)
        after = process_memory(child.pid)
        child.communicate(b"\n")
    assert before.peak_bytes and before.private_bytes and before.peak_bytes > before.private_bytes + (60 << 20)
    if allowed:
        assert after.peak_bytes and after.peak_bytes < before.peak_bytes - (60 << 20)


def test_several_workers_count_together() -> None:
    """Their memory and CPU time are one figure, and none of them is another program."""
    system, clock = FakeSystem(), Clock()
    system.cpu[7], system.resident[7] = 2.0, 30
    monitor = Monitor(reader=system, load_nvml=FakeNvml, clock=clock)
    assert monitor.sample([WORKER, 7])["worker_resident_bytes"] == 130.0
    clock.now += CPU_S
    system.busy, system.total = system.busy + 0.8, system.total + 1.0
    system.cpu[WORKER] += 0.3
    system.cpu[7] += 0.4
    values = monitor.sample([WORKER, 7])
    assert values["worker_cpu_percent"] == pytest.approx(140.0)
    assert values["other_cpu_percent"] == pytest.approx(10.0)

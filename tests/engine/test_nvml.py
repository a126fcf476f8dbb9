"""Which GPU is which, and who else is on it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine.nvml import GpuDevice, GpuProcess, Nvml, foreign_compute, open_nvml, visible_order


class Library:
    """A driver with three GPUs; further functions are given by name."""

    class NVMLError(Exception):
        """NVML's base error."""

    def __init__(self, **functions: object) -> None:
        self.__dict__.update(functions)
        self.shut = 0

    def nvmlInit(self) -> None: ...

    def nvmlShutdown(self) -> None:
        self.shut += 1

    def nvmlDeviceGetCount(self) -> int:
        return 3

    def nvmlSystemGetDriverVersion(self) -> bytes:
        return b"580.1"

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return f"GPU-{'abc'[handle] * 8}-1111"

    def nvmlDeviceGetPciInfo(self, handle: int) -> SimpleNamespace:
        return SimpleNamespace(busId=f"00000000:{handle + 5:02X}:00.0")

    def nvmlDeviceGetName(self, handle: int) -> str:
        return f"GPU {handle}"


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, ["0", "1", "2"]), ("", []), ("2,0", ["2", "0"]), ("1,-1,0", ["1"]), ("7", []), ("GPU-b, 0", ["GPU-b", "0"]), ("nonsense", []),
    ],
)
def test_visible_devices_as_cuda_reads_them(visible: str | None, expected: list[str]) -> None:
    """An entry that is no device ends the list."""
    assert visible_order(visible, 3) == expected


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (["cccccccc-1111", "GPU-aaaaaaaa"], {0: "GPU 2", 1: "GPU 0"}),
        (["0000:07:00", "00000000:05:00.0"], {0: "GPU 2", 1: "GPU 0"}),
        (["06:00.0"], {0: "GPU 1"}),
        (["MIG-1234", "1"], {1: "GPU 1"}),
        (["9"], {}),
    ],
)
def test_devices_in_torchs_order(order: list[str], names: dict[int, str]) -> None:
    """UUIDs and bus ids as torch writes them find the driver's device; what is unknown leaves its number free."""
    nvml = Nvml(Library(), order)
    assert {index: device.name for index, device in nvml.devices.items()} == names
    assert nvml.driver == "580.1"


def test_cuda_visible_devices_orders_without_torch() -> None:
    """The environment decides where torch has not said."""
    nvml = Nvml(Library(), None, {"CUDA_VISIBLE_DEVICES": "2,1"})
    assert [device.name for device in nvml.devices.values()] == ["GPU 2", "GPU 1"]


def test_a_driver_that_breaks_after_opening_is_closed() -> None:
    """A lost GPU is a reason, and the library is let go."""

    def lost(_: int) -> object:
        raise Library.NVMLError("GPU is lost")

    library = Library(nvmlDeviceGetHandleByIndex=lost)
    nvml, reason = open_nvml(load=lambda: library)
    assert nvml is None
    assert reason is not None and reason.code == "nvml-failed" and "GPU is lost" in reason.sentence
    assert library.shut == 1


def test_used_memory_without_the_reserved_part() -> None:
    """nvidia-smi leaves out what the driver reserves; an older driver answers in the old way."""

    def info(_: int, version: int | None = None) -> SimpleNamespace:
        return SimpleNamespace(used=100 if version else 350, total=1000)

    def old(_: int, version: int | None = None) -> SimpleNamespace:
        if version:
            raise Library.NVMLError("Argument version mismatch")
        return info(0)

    assert GpuDevice(Library(nvmlMemory_v2=2, nvmlDeviceGetMemoryInfo=info), 0).memory_bytes() == 100
    assert GpuDevice(Library(nvmlMemory_v2=2, nvmlDeviceGetMemoryInfo=old), 0).memory_bytes() == 350
    assert GpuDevice(Library(nvmlDeviceGetMemoryInfo=info), 0).memory_bytes() == 350
    assert GpuDevice(Library(), 0).memory_bytes() is None


def test_processes_with_their_kind() -> None:
    """Graphics programs are told from compute; memory that the driver hides is None."""
    library = Library(
        nvmlDeviceGetComputeRunningProcesses=lambda _: [SimpleNamespace(pid=1, usedGpuMemory=5)],
        nvmlDeviceGetGraphicsRunningProcesses=lambda _: [SimpleNamespace(pid=2, usedGpuMemory=None)],
    )
    assert GpuDevice(library, 0).processes() == (GpuProcess(1, 5, True), GpuProcess(2, None, False))
    assert GpuDevice(Library(), 0).processes() is None


def test_share_of_graphics_programs() -> None:
    """Compute programs do not count, and a second question asks only for what is new."""
    asked: list[int] = []

    def rows(_: int, since: int) -> list[SimpleNamespace]:
        asked.append(since)
        return [SimpleNamespace(pid=pid, smUtil=share, timeStamp=at) for pid, share, at in ((2, 10, 500), (2, 20, 900), (1, 90, 700))]

    library = Library(
        nvmlDeviceGetComputeRunningProcesses=lambda _: [SimpleNamespace(pid=1, usedGpuMemory=5)],
        nvmlDeviceGetGraphicsRunningProcesses=lambda _: [SimpleNamespace(pid=2, usedGpuMemory=None)],
        nvmlDeviceGetProcessUtilization=rows,
    )
    device = GpuDevice(library, 0)
    assert device.graphics_percent() == 15.0
    device.graphics_percent()
    assert asked == [0, 900]
    assert GpuDevice(Library(nvmlDeviceGetComputeRunningProcesses=lambda _: []), 0).graphics_percent() is None


@pytest.mark.parametrize(
    ("before", "during", "own", "count"),
    [
        ((), (10,), (10,), 0),
        ((7,), (7, 10), (10,), 1),
        ((), (7, 10), (10,), 1),
        ((), (5000,), (10,), 0),
        ((4000,), (4000, 5000), (10,), 1),
        ((4000,), (5000,), (10,), 0),
    ],
)
def test_strangers_on_a_gpu(before: tuple[int, ...], during: tuple[int, ...], own: tuple[int, ...], count: int) -> None:
    """Where the driver lists pids of another namespace our own worker is not taken for a stranger."""
    assert foreign_compute(before, during, own) == count

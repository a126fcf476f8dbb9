"""NVIDIA GPUs seen from outside, through NVML: what cannot be read is absent, never 0."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from engine.result import Reason
from engine.words import say

SM_CLOCK, TEMPERATURE_GPU = 1, 0


class GpuProcess(msgspec.Struct, frozen=True):
    """A program on a GPU; `memory_bytes` is None where the driver does not say."""

    pid: int
    memory_bytes: int | None
    compute: bool


class GpuDevice:
    """One GPU; `library` is pynvml or a fake with its functions. Each reading that fails alone is None."""

    def __init__(self, library: Any, handle: Any) -> None:
        self._nvml, self._handle = library, handle
        self._seen_us = 0
        self.uuid = _text(self.read("nvmlDeviceGetUUID"))
        self.bus_id = _text(getattr(self.read("nvmlDeviceGetPciInfo"), "busId", None))
        self.name = _text(self.read("nvmlDeviceGetName"))

    def read(self, function: str, *arguments: Any) -> Any | None:
        """The answer of one NVML function, or None where the driver or the package does not have it."""
        call = getattr(self._nvml, function, None)
        if call is None:
            return None
        try:
            return call(self._handle, *arguments)
        except self._nvml.NVMLError:
            return None

    def memory_bytes(self) -> int | None:
        """Used memory as nvidia-smi shows it: without what the driver reserves, where it tells them apart."""
        version = getattr(self._nvml, "nvmlMemory_v2", None)
        info = None if version is None else self.read("nvmlDeviceGetMemoryInfo", version)
        info = self.read("nvmlDeviceGetMemoryInfo") if info is None else info
        return None if info is None else int(info.used)

    def total_bytes(self) -> int | None:
        """All of its memory."""
        info = self.read("nvmlDeviceGetMemoryInfo")
        return None if info is None else int(info.total)

    def processes(self) -> tuple[GpuProcess, ...] | None:
        """The programs on it, compute before graphics; None where the driver does not list them."""
        compute, graphics = self.read("nvmlDeviceGetComputeRunningProcesses"), self.read("nvmlDeviceGetGraphicsRunningProcesses")
        if compute is None and graphics is None:
            return None
        found = [(row, True) for row in compute or ()] + [(row, False) for row in graphics or ()]
        return tuple(GpuProcess(int(row.pid), None if row.usedGpuMemory is None else int(row.usedGpuMemory), is_compute) for row, is_compute in found)

    def slow_readings(self) -> dict[str, float]:
        """Utilization, power, clock, temperature and throttle reasons: those that can be read."""
        power_mw, utilization = self.read("nvmlDeviceGetPowerUsage"), self.read("nvmlDeviceGetUtilizationRates")
        reasons = self.read("nvmlDeviceGetCurrentClocksEventReasons")
        readings = {
            "utilization_percent": None if utilization is None else utilization.gpu,
            "power_watts": None if power_mw is None else power_mw / 1000.0,
            "clock_mhz": self.read("nvmlDeviceGetClockInfo", SM_CLOCK),
            "temperature_c": self.read("nvmlDeviceGetTemperature", TEMPERATURE_GPU),
            "throttle_reasons": self.read("nvmlDeviceGetCurrentClocksThrottleReasons") if reasons is None else reasons,
        }
        return {name: float(value) for name, value in readings.items() if value is not None}

    def energy_joules(self) -> float | None:
        """The energy counter: joules since the driver was loaded, renewed about ten times a second; None where the GPU has none (before Volta)."""
        used_mj = self.read("nvmlDeviceGetTotalEnergyConsumption")
        return None if used_mj is None else used_mj / 1000.0

    def graphics_percent(self) -> float | None:
        """Share of its time that graphics programs took since the last call; None where there are none or the driver does not say."""
        graphics = {process.pid for process in self.processes() or () if not process.compute}
        rows = self.read("nvmlDeviceGetProcessUtilization", self._seen_us) if graphics else None
        if rows is None:
            return None
        self._seen_us = max([self._seen_us, *(int(row.timeStamp) for row in rows)])
        shares: dict[int, list[int]] = {}
        for row in rows:
            if row.pid in graphics:
                shares.setdefault(row.pid, []).append(row.smUtil)
        return float(sum(sum(values) / len(values) for values in shares.values()))


class Nvml:
    """The driver's library, opened once; devices stand in torch's order where it is known."""

    def __init__(self, library: Any, order: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> None:
        self._nvml = library
        devices = [GpuDevice(library, library.nvmlDeviceGetHandleByIndex(index)) for index in range(library.nvmlDeviceGetCount())]
        names = visible_order(environment.get("CUDA_VISIBLE_DEVICES"), len(devices)) if order is None else order
        self.devices = {index: device for index, name in enumerate(names) if (device := find_device(devices, name)) is not None}
        self.driver = _text(library.nvmlSystemGetDriverVersion())

    def close(self) -> None:
        """Let the driver go."""
        self._nvml.nvmlShutdown()


def open_nvml(order: Sequence[str] | None = None, load: Callable[[], Any] | None = None) -> tuple[Nvml | None, Reason | None]:
    """The driver's library, or the reason why there is none."""
    try:
        library = (load or _load)()
    except ImportError:
        return None, _reason("nvml-package-missing", {})
    try:
        library.nvmlInit()
    except library.NVMLError as error:
        absent = type(error).__name__ in ("NVMLError_LibraryNotFound", "NVMLError_DriverNotLoaded")
        return None, _reason("nvml-missing" if absent else "nvml-failed", {"cause": str(error)})
    try:
        return Nvml(library, order), None
    except library.NVMLError as error:
        library.nvmlShutdown()
        return None, _reason("nvml-failed", {"cause": str(error)})


def _load() -> Any:
    import pynvml

    return pynvml


def _reason(code: str, values: dict[str, Any]) -> Reason:
    return Reason(code, values, say(code, values))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def visible_order(visible: str | None, count: int) -> list[str]:
    """What CUDA_VISIBLE_DEVICES leaves of `count` GPUs, in its order: numbers or UUIDs, ending at the first that is none (as CUDA does).

    Numbers are taken in the order of the bus, which is CUDA's wherever all GPUs are alike; elsewhere give the UUIDs that torch sees.
    """
    if visible is None:
        return [str(index) for index in range(count)]
    names: list[str] = []
    for part in (piece.strip() for piece in visible.split(",")):
        if part.isdecimal():
            if int(part) >= count:
                break
        elif not part.lower().startswith(("gpu-", "mig-")):
            break
        names.append(part)
    return names


def find_device(devices: Sequence[GpuDevice], name: str) -> GpuDevice | None:
    """The device of that number, UUID (whole or its beginning, with or without "GPU-") or bus id."""
    if name.isdecimal():
        return devices[int(name)] if int(name) < len(devices) else None
    if name.count(":") >= 1:
        return next((device for device in devices if _bus(device.bus_id) == _bus(name)), None)
    wanted = name.lower().removeprefix("gpu-")
    return next((device for device in devices if wanted and device.uuid.lower().removeprefix("gpu-").startswith(wanted)), None)


def _bus(bus_id: str) -> tuple[str, ...]:
    """Domain, bus and device without leading zeros: NVML writes 00000000:65:00.0 where torch writes 0000:65:00."""
    parts = bus_id.lower().split(".")[0].split(":")
    return tuple(part.lstrip("0") for part in (["", *parts] if len(parts) == 2 else parts))


def foreign_compute(before: Collection[int], during: Collection[int], own: Collection[int]) -> int:
    """How many other programs compute on a GPU, from the pids listed before the worker started and while it ran.

    In a container NVML lists pids of the host, where our own cannot be told from a stranger: then only those that were there before count.
    """
    seen = set(during)
    return len(seen - set(own)) if seen & set(own) else len(seen & set(before))

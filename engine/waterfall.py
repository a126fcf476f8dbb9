"""A row's memory as parts that add up to one figure: the driver's on a GPU, the process's peak on the CPU."""

from __future__ import annotations

import msgspec

from engine.devices import on_cpu
from engine.result import Memory

GPU_PARTS = ("context", "weights", "inputs", "activations", "workspace", "cached", "others")
CPU_PARTS = ("weights", "growth", "rest")


class Part(msgspec.Struct, frozen=True):
    """One bar: it begins where the one before ended."""

    code: str
    start_bytes: int
    bytes: int


class Waterfall(msgspec.Struct, frozen=True):
    """The bars, and the figure that they explain."""

    parts: tuple[Part, ...]
    total_bytes: int | None
    """The driver's used memory, or the process's peak; None where nobody told."""
    missing: tuple[str, ...] = ()
    """Parts that were not read; the bars then do not add up, and it is said."""

    @property
    def sum_bytes(self) -> int:
        """Where the last bar ends."""
        return sum(part.bytes for part in self.parts)

    @property
    def covered_percent(self) -> float | None:
        """The bars' sum in % of the figure; None where that is not known."""
        return None if not self.total_bytes else self.sum_bytes / self.total_bytes * 100.0


def waterfall(memory: Memory, device: str) -> Waterfall | None:
    """The bars of a row that ran on `device`; None where nothing beyond the weights is known."""
    values = _on_cpu(memory) if on_cpu(device) else _on_gpu(memory)
    known = {code: value for code, value in values.items() if value is not None}
    if not set(known) - {"weights", "others"}:
        return None
    parts, start = [], 0
    for code, value in known.items():
        parts.append(Part(code, start, value))
        start += value
    total = memory.process_peak_bytes if on_cpu(device) else memory.driver_bytes
    return Waterfall(tuple(parts), total, tuple(code for code in values if code not in known))


def _on_gpu(memory: Memory) -> dict[str, int | None]:
    return {code: getattr(memory, f"{code}_bytes") for code in GPU_PARTS}


def _on_cpu(memory: Memory) -> dict[str, int | None]:
    """The rest up to the peak is Python, torch and what loading left behind."""
    weights, growth, peak = memory.weights_bytes, memory.growth_bytes, memory.process_peak_bytes
    rest = None if weights is None or growth is None or peak is None else max(0, peak - weights - growth)
    return {"weights": weights, "growth": growth, "rest": rest}

"""How far a latency may be believed: a grade and its reasons, from the samples and from what the machine did meanwhile.

A grade that cries wolf is worth nothing: each limit stands beside what it was tried on (tests/benchmarks/bench_coverage.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from engine.result import Reason, Trust
from engine.statistics import Int64s, percentile_ns, relative_iqr, sample_floor, split_visits, trend_score
from engine.words import say

IQR_NOISY, IQR_POOR = 0.10, 0.25
"""Interquartile range over median: 10 % is where torch.utils.benchmark warns, 25 % where it calls a measurement unreliable."""
THIRDS_DIFFER = 0.05
VISITS_DIFFER = 0.05
WANDER, WANDER_SCORE, WANDER_SCORE_KNOWN = 0.02, -1.28, -1.64
"""How far apart the visits' medians may lie, and how much they may follow one another before it is called a drift: as much as in 10 of 100 cases by
chance, in 5 of 100 where the interval is as narrow as it should be."""
WANDER_MOVE, WANDER_HALF_LEAST = 2.0, 8
"""Standard errors between the halves of a visit that count as a move, and the samples that a half needs for it."""
INTERVAL_POOR = 5.0
"""Times the plan's target."""
LOAD_SEEN = 0.10
"""Share of the machine that other programs may use without a word."""
STEAL_PERCENT = 3.0
"""Of the machine's CPU time; less than that is seen on every shared host."""
CLOCK_DRIFT = 0.05
CPU_CLOCK_DRIFT = 0.10
GRAPHICS_BUSY_PERCENT = 5.0
REPLICAS_DIFFER = 0.05
"""Between the medians of the slowest and the fastest of several replicas."""

# Bits of NVML's clock event (throttle) reasons that are not the ordinary ones (idle, application clocks, sync boost, display).
POWER_CAP_BIT, HARDWARE_BITS, HEAT_BITS = 0x4, 0x8 | 0x80, 0x20 | 0x40

GRADES = ("good", "noisy", "poor")
NOTES = frozenset({
    "other-load-harmless", "busiest", "cpu-clock-moved", "power-battery", "power-saver", "gpu-power-cap", "gpu-desktop", "cause-not-found",
    "replicas-differ",
})
"""Reasons that leave the grade as it is."""
POOR = frozenset({"spread-poor", "interval-poor"})
SYMPTOMS = frozenset({"spread-noisy", "spread-poor", "interval-noisy", "interval-poor", "visits-differ", "visits-wander", "drift-slower", "drift-faster"})
CAUSES = frozenset({
    "other-load", "host-steal", "cpu-clock-moved", "power-battery", "power-saver", "gpu-hot", "gpu-hardware-slowdown", "gpu-clock-drift", "gpu-shared",
    "gpu-graphics-busy", "warm-up-never-settled", "few-samples", "replicas-differ",
})

Coded = tuple[str, dict[str, Any]]


class GpuState(msgspec.Struct, frozen=True, kw_only=True):
    """What one GPU did while the configuration was measured; None is not known."""

    device: str
    clock_mhz: tuple[float, ...] = ()
    """Readings taken during the visits, not between them."""
    throttle_reasons: int | None = None
    """NVML's bits, all readings of the visits or-ed together."""
    foreign_compute: int | None = None
    """Other programs that computed on it."""
    graphics_percent: float | None = None
    """Share of the GPU's time that graphics programs took; None where there are none."""


class MachineState(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine did while the configuration was measured; None is not known."""

    cores: int | None = None
    threads: int | None = None
    """Threads of the configuration."""
    other_cpu_percent: float | None = None
    """Mean CPU of all other programs during the visits, in % of the whole machine."""
    load_before: float | None = None
    """Load average before the run, used where `other_cpu_percent` is not known."""
    busiest: tuple[tuple[str, float], ...] = ()
    """Names and mean cores of the other programs that took most."""
    steal_percent: float | None = None
    """What the host of a virtual machine took of its CPU time during the visits, in % of the whole machine."""
    clock_mhz: tuple[float, ...] = ()
    """Of the fastest core, during the visits."""
    power: str | None = None
    """`battery`, `saver`; None is mains."""
    gpus: tuple[GpuState, ...] = ()
    replicas_ms: tuple[tuple[str, float], ...] = ()
    """Of replicas that ran at once: each one's device and median."""
    """The GPUs that the configuration ran on."""


UNKNOWN_MACHINE = MachineState()


def grade(
    latency_ns: Int64s,
    start_ns: Int64s,
    visit: npt.NDArray[Any],
    stopped: Reason | None,
    machine: MachineState = UNKNOWN_MACHINE,
    *,
    warm_up: Reason | None = None,
    half_width: float | None = None,
    in_turn: bool = False,
) -> Trust:
    """The grade of steady samples; `half_width` is the interval's over the median (`statistics.relative_half_width`), `warm_up` how warming up ended.

    `in_turn`: the blocks are those of a comparison. They are short, many, and of ever new workers, so their medians wander as a matter of course, and what
    that does to the answer is in the interval of the ratio.
    """
    percent, target = _interval_percent(stopped, half_width)
    known = percent is not None and target is not None and percent <= target
    coded = [*_sample_reasons(latency_ns, start_ns, visit, known, in_turn), *_stop_reasons(stopped, warm_up), *_interval_reasons(percent, target)]
    coded.extend(_load_reasons(machine))
    coded.extend(_cpu_reasons(machine))
    coded.extend(_replica_reasons(machine.replicas_ms))
    for gpu in machine.gpus:
        coded.extend(_gpu_reasons(gpu))
    codes = {code for code, _ in coded}
    if codes & SYMPTOMS and not codes & CAUSES:
        coded.append(("cause-not-found", {}))
    level = 2 if codes & POOR else 1 if codes - NOTES else 0
    return Trust(GRADES[level], tuple(Reason(code, values, say(code, values)) for code, values in coded))


def _interval_percent(stopped: Reason | None, half_width: float | None) -> tuple[float | None, float | None]:
    """Half width of the median's interval and the plan's target for it, in % of the median."""
    values = {} if stopped is None else stopped.values
    return (values.get("percent") if half_width is None else half_width * 100.0), values.get("target_percent")


def _sample_reasons(latency_ns: Int64s, start_ns: Int64s, visit: npt.NDArray[Any], known: bool, in_turn: bool) -> Iterator[Coded]:
    """What the samples themselves say; `known` where the interval of the median is within the target."""
    floor = sample_floor(0.5)
    if len(latency_ns) < floor:
        yield "few-samples", {"count": len(latency_ns), "floor": floor}
        return
    spread = relative_iqr(latency_ns)
    if spread > IQR_POOR:
        yield "spread-poor", {"percent": spread * 100.0, "limit": IQR_POOR * 100.0}
    elif spread > IQR_NOISY:
        yield "spread-noisy", {"percent": spread * 100.0, "limit": IQR_NOISY * 100.0}
    drift = list(_drift(latency_ns, start_ns, spread))
    yield from drift
    if not in_turn:
        yield from _visit_reasons(latency_ns, visit, known, bool(drift))


def _drift(latency_ns: Int64s, start_ns: Int64s, spread: float) -> Iterator[Coded]:
    """Whether the first and the last third of the samples differ by more than their spread explains."""
    ordered = latency_ns[np.argsort(start_ns, kind="stable")]
    third = len(ordered) // 3
    first, last = percentile_ns(ordered[:third], 0.5), percentile_ns(ordered[-third:], 0.5)
    # The difference of two medians of n samples has a standard error of about 1.3 interquartile ranges over the root of n.
    by_chance = 4.0 * spread / np.sqrt(third)
    change = (last - first) / max(first, 1)
    if abs(change) > max(THIRDS_DIFFER, by_chance):
        yield ("drift-slower" if change > 0 else "drift-faster"), {"percent": abs(change) * 100.0}


def _visit_reasons(latency_ns: Int64s, visit: npt.NDArray[Any], known: bool, drifts: bool) -> Iterator[Coded]:
    """Whether the visits' medians follow one another, or lie further apart than the samples of one visit and too few were taken to make up for it."""
    parts = split_visits(latency_ns, visit)
    if len(parts) == 1:
        yield "one-visit", {}
        return
    medians = [percentile_ns(part, 0.5) for part in parts]
    own = float(np.median([relative_iqr(part) for part in parts]))
    apart = (max(medians) - min(medians)) / max(float(np.median(medians)), 1.0)
    if apart > WANDER and not drifts and _wanders(parts, medians, known):
        yield "visits-wander", {"percent": apart * 100.0}
    if apart > max(VISITS_DIFFER, own) and not known:
        yield "visits-differ", {"percent": apart * 100.0, "spread_percent": own * 100.0}


def _wanders(parts: list[npt.NDArray[Any]], medians: list[int], known: bool) -> bool:
    """Whether the visits' medians follow one another: clearly so, or at all where the level is seen to move within the visits too."""
    score = trend_score(medians)
    return score < (WANDER_SCORE_KNOWN if known else WANDER_SCORE) or (score < 0.0 and _moves_within(parts))


def _moves_within(parts: list[npt.NDArray[Any]]) -> bool:
    """Whether in most visits the two halves differ by more than chance explains."""
    moves = []
    for part in parts:
        half = len(part) // 2
        if half >= WANDER_HALF_LEAST:
            first, last = percentile_ns(part[:half], 0.5), percentile_ns(part[half:], 0.5)
            by_chance = 1.3 * relative_iqr(part) * percentile_ns(part, 0.5) / np.sqrt(half)
            moves.append(abs(last - first) > WANDER_MOVE * max(by_chance, 1.0))
    return bool(moves) and sum(moves) > len(moves) / 2


def _stop_reasons(stopped: Reason | None, warm_up: Reason | None) -> Iterator[Coded]:
    """Limits of time that were reached."""
    if warm_up is not None and warm_up.code == "warm-up-never-settled":
        yield warm_up.code, warm_up.values
    if stopped is not None and stopped.code == "time-limit":
        yield "stopped-early", {"count": stopped.values["count"], "planned": stopped.values["planned"]}


def _interval_reasons(percent: float | None, target: float | None) -> Iterator[Coded]:
    """An interval wider than the plan wanted."""
    if target is not None and percent is not None and percent > target:
        yield ("interval-poor" if percent > INTERVAL_POOR * target else "interval-noisy"), {"percent": percent, "target_percent": target}


def _load_reasons(machine: MachineState) -> Iterator[Coded]:
    """Other programs that took cores; a fault only where they and the configuration's threads did not fit beside one another."""
    if machine.cores is None:
        return
    if machine.other_cpu_percent is not None:
        # What the host took is counted as busy by the system, and is no program's: it has a reason of its own.
        busy = max(0.0, machine.other_cpu_percent - (machine.steal_percent or 0.0)) / 100.0 * machine.cores
    elif machine.load_before is not None:
        busy = min(machine.load_before, float(machine.cores))
    else:
        return
    if busy < LOAD_SEEN * machine.cores:
        return
    threads = machine.threads or 1
    crowded = busy + threads > machine.cores
    yield ("other-load" if crowded else "other-load-harmless"), {"busy_cores": busy, "cores": machine.cores, "threads": threads}
    if machine.busiest:
        yield "busiest", {"programs": ", ".join(f"{name} {cores:.1f}" for name, cores in machine.busiest)}


def _cpu_reasons(machine: MachineState) -> Iterator[Coded]:
    """What the host took, a clock that moved, power that is saved. Clocks of a CPU follow its load, so alone they are no fault: they explain one."""
    if machine.steal_percent is not None and machine.steal_percent > STEAL_PERCENT:
        yield "host-steal", {"percent": machine.steal_percent}
    if len(machine.clock_mhz) >= 3:
        low, middle, high = np.percentile(machine.clock_mhz, (5, 50, 95))
        if middle > 0 and (high - low) / middle > CPU_CLOCK_DRIFT:
            yield "cpu-clock-moved", {"low_mhz": float(low), "high_mhz": float(high)}
    if machine.power is not None:
        yield f"power-{machine.power}", {}


def _replica_reasons(replicas_ms: tuple[tuple[str, float], ...]) -> Iterator[Coded]:
    """Devices of different speed: calls of both are pooled, so this alone spreads them."""
    ordered = sorted(replicas_ms, key=lambda each: each[1])
    if len(ordered) > 1 and ordered[-1][1] > (1.0 + REPLICAS_DIFFER) * ordered[0][1]:
        yield "replicas-differ", {"slow": ordered[-1][0], "fast": ordered[0][0], "percent": (ordered[-1][1] / ordered[0][1] - 1.0) * 100.0}


def _gpu_reasons(gpu: GpuState) -> Iterator[Coded]:
    """Throttling, clocks and company on a GPU."""
    bits = gpu.throttle_reasons or 0
    if bits & HEAT_BITS:
        yield "gpu-hot", {"device": gpu.device}
    if bits & HARDWARE_BITS:
        yield "gpu-hardware-slowdown", {"device": gpu.device}
    if bits & POWER_CAP_BIT:
        yield "gpu-power-cap", {"device": gpu.device}
    if len(gpu.clock_mhz) >= 3:
        low, middle, high = np.percentile(gpu.clock_mhz, (5, 50, 95))
        if middle > 0 and (high - low) / middle > CLOCK_DRIFT:
            yield "gpu-clock-drift", {"device": gpu.device, "low_mhz": float(low), "high_mhz": float(high)}
    if gpu.foreign_compute:
        yield "gpu-shared", {"device": gpu.device, "count": gpu.foreign_compute}
    if gpu.graphics_percent is not None:
        busy = gpu.graphics_percent > GRAPHICS_BUSY_PERCENT
        yield ("gpu-graphics-busy" if busy else "gpu-desktop"), {"device": gpu.device, "percent": gpu.graphics_percent}

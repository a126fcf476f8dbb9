"""Throughput, latency and peak memory over the batch size, from a run's outcomes: the knee, the band of memory to aim for, the wall, and where CPU and GPU cross."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from engine.devices import on_cpu
from engine.job import Configuration
from engine.result import Outcome

GAIN = 0.05
"""Throughput that a doubling has to add to be worth it."""
BAND = (0.70, 0.80)
"""Of the memory there is: a batch that fills so much leaves room for inputs that vary and for fragments."""


class Point(msgspec.Struct, frozen=True):
    """One batch size that was measured."""

    batch_size: int
    throughput_per_s: float
    p50_ms: float | None
    """None below the percentile's floor."""
    peak_bytes: int | None
    """Of the device on a GPU, of the worker's process on the CPU."""


class Curve(msgspec.Struct, frozen=True):
    """Configurations that differ in nothing but the batch."""

    configuration: Configuration
    """With the smallest batch."""
    points: tuple[Point, ...]
    """By batch, ascending; at least two."""
    knee: int | None
    """The batch up to which doubling pays; None where no doubling did."""
    is_open: bool
    """The last doubling still paid: the knee lies further on."""
    wall: int | None = None
    """The smallest batch that ran out of memory."""


class Crossover(msgspec.Struct, frozen=True):
    """From which batch on a GPU serves more than the CPU."""

    cpu: Configuration
    gpu: Configuration
    batches: tuple[int, ...]
    """Those measured on both."""
    first: int | None
    """The smallest of them from which the GPU stays ahead; None: it never is at the last."""


def curves(outcomes: Iterable[Outcome]) -> tuple[Curve, ...]:
    """A curve for each set of configurations that differ in the batch alone and of which two sizes have figures, in the order of the run."""
    groups: dict[bytes, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(_key(outcome.configuration), []).append(outcome)
    found = (_curve(group) for group in groups.values())
    return tuple(curve for curve in found if curve is not None)


def _key(configuration: Configuration, device: bool = True) -> bytes:
    """What two configurations of one curve have in common; without `device` also what a CPU's and a GPU's have."""
    options = {name: value for name, value in configuration.options.items() if name != "batch"}
    plain = msgspec.structs.replace(configuration, batch_size=1, options=options)
    if not device:
        plain = msgspec.structs.replace(plain, device="", threads=1)
    return msgspec.json.encode(plain, order="deterministic")


def _curve(group: Sequence[Outcome]) -> Curve | None:
    points = {point.batch_size: point for outcome in group if (point := _point(outcome)) is not None}
    if len(points) < 2:
        return None
    ordered = tuple(points[size] for size in sorted(points))
    reached = knee(ordered)
    first = min(group, key=lambda outcome: outcome.configuration.batch_size).configuration
    return Curve(first, ordered, reached, is_open=reached == ordered[-1].batch_size, wall=_wall(group))


def _point(outcome: Outcome) -> Point | None:
    if outcome.throughput_per_s is None or outcome.latency is None:
        return None
    memory = outcome.memory
    peak = memory.process_peak_bytes if on_cpu(outcome.configuration.device) else memory.device_peak_bytes
    return Point(outcome.configuration.batch_size, outcome.throughput_per_s, outcome.latency.p50_ms, peak)


def _wall(group: Sequence[Outcome]) -> int | None:
    walls = [outcome.configuration.batch_size for outcome in group if outcome.status == "out-of-memory" and outcome.configuration.options.get("batch") is None]
    for found in (outcome.largest for outcome in group if outcome.largest is not None):
        # A size that failed for another reason is no wall of memory.
        walls += [probe.batch_size for probe in found.probes if not probe.fits and not probe.code]
    return min(walls, default=None)


def gain_of_doubling(before: Point, after: Point) -> float:
    """What throughput gains from one doubling, as a share; sizes that are further apart count as so many doublings."""
    doublings = math.log2(after.batch_size / before.batch_size)
    return float((after.throughput_per_s / before.throughput_per_s) ** (1.0 / doublings) - 1.0)


def knee(points: Sequence[Point]) -> int | None:
    """The upper end of the last doubling that gained `GAIN` or more."""
    paid = [after.batch_size for before, after in pairwise(points) if before.throughput_per_s > 0 and gain_of_doubling(before, after) >= GAIN]
    return max(paid, default=None)


def band(points: Sequence[Point], total_bytes: int) -> tuple[float, float] | None:
    """The batches (as real numbers) whose peaks fill `BAND` of the memory, by straight lines between the points and on from the last two.

    None where peaks are unknown, do not grow, or pass the band before the first point.
    """
    known = [(point.batch_size, point.peak_bytes) for point in points if point.peak_bytes is not None]
    ends = [_batch_at(known, share * total_bytes) for share in BAND]
    return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])


def _batch_at(known: Sequence[tuple[int, int]], wanted: float) -> float | None:
    if len(known) < 2 or known[0][1] > wanted:
        return None
    for (before, low), (after, high) in pairwise(known):
        if low <= wanted <= high and high > low:
            return before + (wanted - low) / (high - low) * (after - before)
    (before, low), (after, high) = known[-2:]
    return after + (wanted - high) / (high - low) * (after - before) if wanted > high > low else None


def crossovers(found: Sequence[Curve]) -> tuple[Crossover, ...]:
    """For each GPU's curve and the CPU's best of otherwise equal ones: where the GPU overtakes; those without a common batch are left out."""
    lines = (_against_best(gpu, found) for gpu in found if not on_cpu(gpu.configuration.device))
    return tuple(line for line in lines if line is not None)


def _against_best(gpu: Curve, found: Sequence[Curve]) -> Crossover | None:
    key = _key(gpu.configuration, device=False)
    rivals = [curve for curve in found if on_cpu(curve.configuration.device) and _key(curve.configuration, device=False) == key]
    best = max(rivals, key=lambda curve: max(point.throughput_per_s for point in curve.points), default=None)
    return None if best is None else _crossed(best, gpu)


def _crossed(cpu: Curve, gpu: Curve) -> Crossover | None:
    theirs = {point.batch_size: point.throughput_per_s for point in cpu.points}
    both = [(point.batch_size, point.throughput_per_s > theirs[point.batch_size]) for point in gpu.points if point.batch_size in theirs]
    if not both:
        return None
    first = None
    for size, ahead in reversed(both):
        if not ahead:
            break
        first = size
    return Crossover(cpu.configuration, gpu.configuration, tuple(size for size, _ in both), first)

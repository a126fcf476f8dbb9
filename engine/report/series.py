"""Arrays behind the charts, reduced so that the page stays small however long the run was."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.devices import gpu_index, is_joint, members, on_cpu
from engine.result import Latency, Outcome, Run, Track
from engine.sampling import STEADY, SampleArrays, SamplesError, decode, reduce_samples

Floats = npt.NDArray[np.float32]
SERIES_POINTS, ALL_POINTS = 4_000, 60_000
"""Dots of one configuration, and of all of them, in the latency chart."""
CURVE_POINTS = 400
TRACK_POINTS, ALL_TRACK_POINTS = 1_000, 30_000
_FIGURES = (("min_ms", 0.0), ("p25_ms", 25.0), ("p50_ms", 50.0), ("p75_ms", 75.0), ("p90_ms", 90.0), ("p95_ms", 95.0), ("p99_ms", 99.0), ("max_ms", 100.0))


@dataclass(frozen=True)
class TrackLine:
    """One curve of the memory chart, in seconds and bytes."""

    kind: str
    """`worker_resident_bytes`, `process_bytes`, `memory_bytes`, `reserved_bytes` or `allocated_bytes`."""
    t_s: Floats
    values: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """What the charts draw of one configuration; times in seconds since the run began, latencies in ms."""

    index: int
    slot: int
    """Place among the rows that are drawn: gives the colour."""
    warm_up: tuple[Floats, Floats]
    steady: tuple[Floats, Floats]
    visit: npt.NDArray[np.int32]
    visits: list[tuple[float, float]]
    curve: tuple[Floats, Floats]
    """Latency in ms, and share of the calls in % that took at most this long."""
    curve_is_of_figures: bool
    total: int
    tracks: list[TrackLine] = field(default_factory=list)

    @property
    def shown(self) -> int:
        """Dots in the latency chart."""
        return len(self.warm_up[0]) + len(self.steady[0])


@dataclass(frozen=True)
class Broken:
    """A row whose samples cannot be read, with the sentence's code and values."""

    index: int
    code: str
    values: dict[str, object]


def make_series(run: Run) -> tuple[list[Series], list[Broken]]:
    """Series of all rows that have something to draw, and the rows whose samples are damaged."""
    drawn: list[Series] = []
    broken: list[Broken] = []
    rows = [(index, outcome) for index, outcome in enumerate(run.outcomes) if outcome.samples is not None or outcome.timeline]
    points = min(SERIES_POINTS, max(100, ALL_POINTS // max(1, len(rows))))
    track_points = min(TRACK_POINTS, max(50, ALL_TRACK_POINTS // max(1, 3 * len(rows))))
    for index, outcome in rows:
        arrays = _EMPTY
        try:
            arrays = decode(outcome.samples) if outcome.samples is not None else _EMPTY
        except SamplesError as error:
            broken.append(Broken(index, error.code, dict(error.values)))
        drawn.append(_series(index, len(drawn), outcome, arrays, points, track_points))
    return drawn, broken


_EMPTY = SampleArrays(
    start_ns=np.empty(0, np.int64), latency_ns=np.empty(0, np.int64), phase=np.empty(0, np.uint8), visit=np.empty(0, np.int32),
)


def _series(index: int, slot: int, outcome: Outcome, arrays: SampleArrays, points: int, track_points: int) -> Series:
    reduced = reduce_samples(arrays, points)
    steady = reduced.phase == STEADY
    saved_from = outcome.samples.reduced_from if outcome.samples is not None else None
    of_figures = saved_from is not None and outcome.latency is not None
    curve = _figures_curve(outcome.latency) if of_figures and outcome.latency is not None else _curve(arrays.steady())
    return Series(
        index=index, slot=slot, warm_up=_points(reduced, ~steady), steady=_points(reduced, steady), visit=reduced.visit[steady], visits=_visits(arrays), curve=curve,
        curve_is_of_figures=of_figures, total=saved_from or len(arrays), tracks=_tracks(outcome, track_points),
    )


def _points(arrays: SampleArrays, mask: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    return (arrays.start_ns[mask] / 1e9).astype(np.float32), (arrays.latency_ns[mask] / 1e6).astype(np.float32)


def _visits(arrays: SampleArrays) -> list[tuple[float, float]]:
    """Start and end of each visit's steady samples."""
    steady = arrays.steady()
    if not len(steady):
        return []
    edges = np.flatnonzero(np.diff(steady.visit)) + 1
    firsts, lasts = np.concatenate(([0], edges)), np.concatenate((edges, [len(steady)])) - 1
    ends_ns = steady.start_ns[lasts] + steady.latency_ns[lasts]
    return [(float(start) / 1e9, float(end) / 1e9) for start, end in zip(steady.start_ns[firsts], ends_ns, strict=True)]


def _curve(steady: SampleArrays) -> tuple[Floats, Floats]:
    """The distribution function, by rank; the tail keeps every call so that the slowest are seen."""
    ordered = np.sort(steady.latency_ns)
    count = len(ordered)
    ranks = np.unique(np.concatenate((np.linspace(0, count - 1, min(count, CURVE_POINTS)).astype(np.int64), np.arange(max(0, count - 40), count))))
    return (ordered[ranks] / 1e6).astype(np.float32), ((ranks + 1) / max(1, count) * 100).astype(np.float32)


def _figures_curve(latency: Latency) -> tuple[Floats, Floats]:
    known = [(getattr(latency, name), share) for name, share in _FIGURES if getattr(latency, name) is not None]
    return np.array([value for value, _ in known], np.float32), np.array([share for _, share in known], np.float32)


def _tracks(outcome: Outcome, points: int) -> list[TrackLine]:
    """The curves of memory that belong to the row's device."""
    found: dict[str, Track] = {}
    device = outcome.configuration.device
    if is_joint(device) and not on_cpu(device):
        return _joint_tracks(outcome, points)
    index = gpu_index(device) or 0
    wanted = {f"gpu{index}_process_bytes": "process_bytes", f"gpu{index}_memory_bytes": "memory_bytes", "reserved_bytes": "reserved_bytes"}
    wanted |= {"allocated_bytes": "allocated_bytes"}
    if on_cpu(device):
        wanted = {"worker_resident_bytes": "worker_resident_bytes"}
    for track in outcome.timeline:
        if track.name in wanted and len(track.t_ns) == len(track.values) > 0:
            found[wanted[track.name]] = track
    if "process_bytes" in found:  # says more than what all programs use together
        found.pop("memory_bytes", None)
    lines = [_line(kind, track, points) for kind, track in found.items()]
    return [line for line in lines if len(line.values)]


def _joint_tracks(outcome: Outcome, points: int) -> list[TrackLine]:
    """One curve for each GPU of several: what the replica on it holds, or where nobody told, what all programs hold there."""
    lines, tracks = [], {track.name: track for track in outcome.timeline if len(track.t_ns) == len(track.values) > 0}
    for index in (gpu_index(member) for member in members(outcome.configuration.device)):
        own, used = tracks.get(f"gpu{index}_process_bytes"), tracks.get(f"gpu{index}_memory_bytes")
        if (track := own or used) is not None:
            lines.append(_line("process_bytes" if own is not None else "memory_bytes", track, points))
    return lines


def _line(kind: str, track: Track, points: int) -> TrackLine:
    t_s, values = np.asarray(track.t_ns, np.float64) / 1e9, np.asarray(track.values, np.float64)
    if kind == "worker_resident_bytes":  # a process without memory has ended: not a reading of it
        t_s, values = t_s[values > 0], values[values > 0]
    if len(values) > points:
        keep = _extremes(values, points)
        t_s, values = t_s[keep], values[keep]
    return TrackLine(kind, t_s.astype(np.float32), values)


def _extremes(values: npt.NDArray[np.float64], points: int) -> npt.NDArray[np.intp]:
    """Indices of the smallest and the largest value of each bucket, and both ends."""
    edges = np.linspace(0, len(values), max(2, points // 2)).astype(np.intp)
    found = [0, len(values) - 1]
    for low, high in itertools.pairwise(edges):
        if high > low:
            part = values[low:high]
            found += [int(low + part.argmin()), int(low + part.argmax())]
    return np.unique(np.array(found, dtype=np.intp))

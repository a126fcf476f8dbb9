"""Realistic runs for tests of whatever shows one: figures follow from the samples, and the same seed gives the same run."""

from __future__ import annotations

import base64
import math
import zlib
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.job import PLANS, Configuration, InputSpec
from engine.result import (
    Application,
    EncodedSamples,
    Environment,
    Failure,
    Latency,
    Memory,
    ModelInfo,
    Outcome,
    Phases,
    Reason,
    Run,
    Track,
    Trust,
)
from engine.words import failure, say

Ints = NDArray[np.int64]
SECOND_NS = 1_000_000_000
_FLOORS = {"p90_ms": (0.90, 64), "p95_ms": (0.95, 130), "p99_ms": (0.99, 662)}


class Samples(msgspec.Struct, frozen=True):
    """Plain arrays of one outcome's samples; phase is 0 for warm-up and 1 for steady."""

    start_ns: Ints
    latency_ns: Ints
    phase: Ints
    visit: Ints


def make_samples(
    count: int = 800, median_ms: float = 4.3, spread: float = 0.04, visits: int = 5, warm_up: int = 40, start_s: float = 1.0, gap_s: float = 2.4, seed: int = 7,
) -> Samples:
    """`warm_up` slow samples from `start_s` on, then `count` steady ones in `visits` stretches; each begins `gap_s` after the end of the one before."""
    random = np.random.default_rng(seed)
    fades = 1.0 + 1.5 * np.exp(-np.arange(warm_up) / 8.0)
    factors = np.concatenate([fades, np.ones(count)]) * random.lognormal(0.0, spread, warm_up + count)
    factors[random.random(len(factors)) < 0.004] *= 2.2
    latency_ns = np.maximum(1, (factors * median_ms * 1e6).astype(np.int64))
    phase = np.repeat(np.array([0, 1]), [warm_up, count])
    visit = np.concatenate([np.zeros(warm_up, np.int64), np.arange(count) * visits // max(1, count)])
    start_ns = np.cumsum(latency_ns) - latency_ns + int(start_s * SECOND_NS) + visit * int(gap_s * SECOND_NS)
    return Samples(start_ns, latency_ns, phase.astype(np.int64), visit)


def encode(samples: Samples, reduced_from: int | None = None) -> EncodedSamples:
    """The samples as they stand in a run's JSON."""
    return EncodedSamples(
        count=len(samples.start_ns), reduced_from=reduced_from, start_ns=_packed(samples.start_ns), latency_ns=_packed(samples.latency_ns),
        phase=_packed(samples.phase), visit=_packed(samples.visit),
    )


def _packed(values: Ints) -> str:
    return base64.b64encode(zlib.compress(values.astype("<i8").tobytes(), 1)).decode("ascii")


def make_latency(samples: Samples) -> Latency:
    """The figures of the steady samples, with the floors and the interval that the program uses."""
    steady = samples.phase == 1
    values_ms = samples.latency_ns[steady] / 1e6
    visits = np.unique(samples.visit[steady])
    tails = {name: _nearest_rank(values_ms, p) if len(values_ms) >= floor else None for name, (p, floor) in _FLOORS.items()}
    return Latency(
        count=len(values_ms), visits=len(visits), mean_ms=float(values_ms.mean()), stdev_ms=float(values_ms.std(ddof=1)), min_ms=float(values_ms.min()),
        max_ms=float(values_ms.max()), p25_ms=_nearest_rank(values_ms, 0.25), p50_ms=_nearest_rank(values_ms, 0.5) if len(values_ms) >= 11 else None,
        p75_ms=_nearest_rank(values_ms, 0.75), p50_ci95_ms=_interval(samples, steady, visits), **tails,
    )


def _nearest_rank(values: NDArray[np.float64], p: float) -> float:
    return float(np.sort(values)[math.ceil(p * len(values)) - 1])


def _interval(samples: Samples, steady: NDArray[np.bool_], visits: Ints) -> tuple[float, float] | None:
    if len(visits) < 2:
        return None
    medians = np.array([np.median(samples.latency_ns[steady & (samples.visit == visit)]) for visit in visits]) / 1e6
    half = 2.776 * float(medians.std(ddof=1)) / math.sqrt(len(medians))  # Student's t for 5 visits
    return float(medians.mean()) - half, float(medians.mean()) + half


def make_timeline(samples: Samples, base_bytes: int = 900 << 20, device: str = "cpu") -> tuple[Track, ...]:
    """Readings at 20 Hz from the start of loading to the last sample."""
    end_ns = int(samples.start_ns[-1] + samples.latency_ns[-1])
    t_ns = np.arange(max(0, int(samples.start_ns[0]) - SECOND_NS), end_ns, SECOND_NS // 20)
    rise = np.clip((t_ns - t_ns[0]) / SECOND_NS, 0, 1)
    resident = base_bytes * (0.25 + 0.75 * rise) + 2e6 * np.sin(t_ns / 4e8)
    tracks = [_track("worker_resident_bytes", "bytes", t_ns, resident)]
    if device.startswith("cuda"):
        tracks += [
            _track("gpu0_memory_bytes", "bytes", t_ns, (2 << 30) + 1.5e9 * rise), _track("reserved_bytes", "bytes", t_ns[::4], 1.2e9 * rise[::4]),
            _track("allocated_bytes", "bytes", t_ns[::4], 0.8e9 * rise[::4]), _track("gpu0_clock_mhz", "MHz", t_ns, 1200 + 600 * rise),
        ]
    return tuple(tracks)


def _track(name: str, unit: str, t_ns: Ints, values: NDArray[np.float64]) -> Track:
    return Track(name=name, unit=unit, t_ns=[int(t) for t in t_ns], values=[float(value) for value in values])


def make_outcome(configuration: Configuration | None = None, *, status: str = "ok", grade: str = "good", samples: Samples | None = None, **changes: Any) -> Outcome:
    """One outcome; a status other than `ok` brings its error and no figures. `changes` replace any field."""
    configuration = configuration or Configuration()
    outcome = _measured(configuration, grade, samples or make_samples()) if status == "ok" else _ended(configuration, status)
    return msgspec.structs.replace(outcome, **changes)


def _measured(configuration: Configuration, grade: str, samples: Samples) -> Outcome:
    latency = make_latency(samples)
    reasons = () if grade == "good" else (_reason("spread-noisy", percent=14.0, limit=10.0), _reason("other-load", busy_cores=3.2, cores=8, threads=7))
    on_gpu = configuration.device.startswith("cuda")
    return Outcome(
        configuration=configuration, status="ok", phases_ms=Phases(load=41.2, prepare=3.4, first_call=58.0, warm_up=212.5), latency=latency,
        stopped_because=_reason("target-reached", percent=1.4, count=latency.count, visits=latency.visits),
        throughput_per_s=configuration.batch_size * 1000 / latency.mean_ms if latency.mean_ms else None,
        memory=Memory(
            weights_bytes=102_441_984, saved_bytes=102_530_333, process_peak_bytes=912 << 20, allocated_peak_bytes=(812 << 20) if on_gpu else None,
            reserved_peak_bytes=(1100 << 20) if on_gpu else None, device_peak_bytes=(3 << 30) if on_gpu else None,
            device_memory_source="process" if on_gpu else None,
        ),
        trust=Trust(grade, reasons), samples=encode(samples), timeline=make_timeline(samples, device=configuration.device), uncounted_calls=3,
        log="model loaded\n", code=CODE,
    )


def _reason(code: str, **values: Any) -> Reason:
    return Reason(code, values, say(code, values))


CODE = """import torch

model = torch.nn.Linear(8, 8).eval()
x = torch.randn(1, 8)
with torch.inference_mode():
    print(model(x).shape)
"""


def _ended(configuration: Configuration, status: str) -> Outcome:
    error = _ERRORS[status]
    return Outcome(configuration=configuration, status=status, phases_ms=Phases(load=39.8, prepare=3.1), error=error, log="line one\nline two\n")


_ERRORS: dict[str, Failure | None] = {
    "out-of-memory": failure(
        "out-of-memory", "out-of-memory", {"batch_size": 64, "device": "cuda:0", "wanted": "27.0 GB", "free": "21.9 GB", "total": "24.0 GB", "others": "1.3 GB"},
        {"traceback": "torch.OutOfMemoryError: CUDA out of memory."},
    ),
    "unsupported": Failure(
        code="unsupported", summary="Not on this machine: dynamic int8 has no kernels for CUDA in PyTorch.", hint="Choose device cpu for dynamic int8.",
    ),
    "failed": failure(
        "forward-raised", "forward-raised", {"error": "RuntimeError: expected 3 channels, got 1"},
        {"traceback": "Traceback (most recent call last):\n  File \"net.py\", line 12, in forward\nRuntimeError: expected 3 channels, got 1", "exit_code": None},
    ),
    "cancelled": None,
}


def make_model(path: str = "/home/ada/models/resnet50.pth", **changes: Any) -> ModelInfo:
    """A ResNet-50's state dict, or whatever `changes` make of it."""
    model = ModelInfo(
        path=path, sha256="5f1d" * 16, kind="state-dict", values=25_610_205, parameters=25_557_032, buffers=53_173, file_bytes=102_530_333,
        weights_bytes=102_441_984, dtypes={"float32": 267, "int64": 53}, architecture="/home/ada/models/resnet.py:ResNet50", tensors=320, saved_on=("cuda:0",),
    )
    return msgspec.structs.replace(model, **changes)


def make_environment() -> Environment:
    """A workstation with one GPU."""
    return Environment(
        platform="Linux-6.1.0-x86_64-with-glibc2.36", cpu="AMD Ryzen 7 5800X 8-Core Processor", cores=8, memory_bytes=64 << 30,
        gpus=({"index": 0, "name": "NVIDIA GeForce RTX 4090", "memory_bytes": 24 << 30},), driver="550.54", python="3.11.2", torch="2.13.0+cu130",
        packages={"numpy": "2.4.6", "onnxruntime": "1.32.0"}, load_before=0.31, load_after=1.12,
    )


def make_outcomes() -> tuple[Outcome, ...]:
    """One of each kind: good, noisy (too few samples for p99), good on a GPU, out of memory, unsupported, failed, cancelled."""
    return (
        make_outcome(Configuration(threads=7), samples=make_samples(median_ms=12.0, gap_s=2.5)),
        make_outcome(
            Configuration(precision="bf16", threads=7), grade="noisy",
            samples=make_samples(count=300, median_ms=9.1, spread=0.16, start_s=3.5, gap_s=3.87, warm_up=20, seed=8),
        ),
        make_outcome(
            Configuration(device="cuda:0", precision="fp16", batch_size=8), samples=make_samples(count=1500, median_ms=2.3, start_s=4.6, gap_s=3.73, warm_up=60, seed=9),
        ),
        make_outcome(Configuration(device="cuda:0", precision="fp16", batch_size=64), status="out-of-memory"),
        make_outcome(Configuration(device="cuda:0", quantization="dynamic-int8"), status="unsupported"),
        make_outcome(Configuration(backend="onnxruntime"), status="failed"),
        make_outcome(Configuration(precision="amp-bf16"), status="cancelled"),
    )


def make_run(outcomes: tuple[Outcome, ...] | None = None, **changes: Any) -> Run:
    """A finished run with every kind of outcome, or with the `outcomes` given; `changes` replace any field."""
    model = changes.pop("model", None) or make_model()
    run = Run(
        id="20260314-091500-resnet50", app=Application(version="0.1.0"), created_at="2026-03-14T09:15:00Z", model=model,
        inputs=(InputSpec(shape=("B", 3, 224, 224), source="guessed"),), environment=make_environment(), plan=msgspec.to_builtins(PLANS["standard"]),
        outcomes=make_outcomes() if outcomes is None else outcomes,
        command="python3 main.py profile resnet50.pth --arch resnet.py:ResNet50 --device cpu,cuda --precision fp32,bf16 --batch 1,8",
    )
    return msgspec.structs.replace(run, **changes)

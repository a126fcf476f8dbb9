"""What came out: the run and its parts, as values that save and load themselves (schema 1 of docs/contract.md)."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.job import Configuration, InputSpec


class Reason(msgspec.Struct, frozen=True):
    """A coded statement: `code` and `values` for programs, `sentence` in English for the eye."""

    code: str
    values: dict[str, Any] = {}
    sentence: str = ""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the steady samples; a figure that may not be shown is None."""

    count: int
    visits: int
    mean_ms: float | None = None
    stdev_ms: float | None = None
    min_ms: float | None = None
    max_ms: float | None = None
    p25_ms: float | None = None
    p50_ms: float | None = None
    p75_ms: float | None = None
    p50_ci95_ms: tuple[float, float] | None = None
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes; what could not be measured is None."""

    weights_bytes: int | None = None
    saved_bytes: int | None = None
    process_peak_bytes: int | None = None
    allocated_peak_bytes: int | None = None
    reserved_peak_bytes: int | None = None
    device_peak_bytes: int | None = None
    device_memory_source: str | None = None
    context_bytes: int | None = None
    load_peak_bytes: int | None = None
    """Most resident memory while loading, above what the worker had before."""
    inputs_bytes: int | None = None
    """On a GPU: the inputs, which lie there before the first timed call."""
    activations_bytes: int | None = None
    """On a GPU: what a call allocates at its peak beyond what lies there before it, its outputs included."""
    workspace_bytes: int | None = None
    """On a GPU: what libraries keep for themselves between calls, in torch's allocator (cuBLAS) and outside of it (loaded kernels)."""
    cached_bytes: int | None = None
    """On a GPU: reserved by torch's allocator at its peak, but free; `empty_cache()` would return it."""
    others_bytes: int | None = None
    """On a GPU: held by other processes (and by the driver itself) at the peak."""
    driver_bytes: int | None = None
    """On a GPU: all of the device's used memory at the peak, as nvidia-smi shows it. The parts (context, weights, inputs, activations, workspace,
    cached, others) add up to it within 2 %."""
    growth_bytes: int | None = None
    """On the CPU: private memory (USS) at the peak of the visits beyond what the worker held once the model was loaded."""


class Copies(msgspec.Struct, frozen=True, kw_only=True):
    """Copies between the host and the device, timed apart from the calls; medians in ms."""

    to_device_ms: float
    from_device_ms: float
    to_device_bytes: int
    from_device_bytes: int


class Replica(msgspec.Struct, frozen=True, kw_only=True):
    """One of several copies of the model that ran at once, each on a device of its own."""

    device: str
    latency: Latency | None = None
    throughput_per_s: float | None = None
    memory: Memory = Memory()


class Outputs(msgspec.Struct, frozen=True, kw_only=True):
    """What switches (train mode, channels_last, grad ...) did to the answers, against eval and inference_mode on the same inputs."""

    max_abs_difference: float | None = None
    """None where shapes or types differ, or where `non_finite_differs`."""
    non_finite_differs: bool = False
    """Infinities or NaN where eval and inference_mode have numbers, or the other way round: no number says how far those are apart."""
    repeat_max_abs_difference: float | None = None
    """Between two equal calls one after the other: above 0 where the model changes itself or draws random numbers."""
    repeat_non_finite_differs: bool = False
    """And the same between those two."""
    state_changed: bool | None = None
    """The calls rewrote buffers (batch norm's running statistics)."""


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One batch size that was tried in a worker of its own."""

    batch_size: int
    fits: bool
    peak_bytes: int | None = None
    foretold_bytes: int | None = None
    """It was not even started: growing as the smaller ones did, it would have needed so much."""
    code: str = ""
    """Why it does not run, where memory is not the reason: one of the contract's error codes."""


class Largest(msgspec.Struct, frozen=True, kw_only=True):
    """The largest batch that fits, found by doubling and bisecting."""

    batch_size: int
    limit_bytes: int | None = None
    """What the memory was held to; None: all that the device has."""
    share_percent: float | None = None
    probes: tuple[Probe, ...] = ()
    fails_at: int | None = None
    """The smallest batch that was seen not to fit: within 1/32 of `batch_size`, and the very next one below 64. None: the search ended before one failed."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """B against A, measured in turn."""

    verdict: str
    """`FASTER` (B is), `SLOWER`, `SAME` or `CANNOT-TELL`."""
    ratio: float | None = None
    """B's median over A's."""
    ci95: tuple[float, float] | None = None
    blocks: int = 0
    """Of each."""
    samples_needed: int | None = None
    """Blocks still needed of each, estimated, for CANNOT-TELL; else 0."""
    medians_a_ms: tuple[float, ...] = ()
    """Of A's blocks, in the order they were taken (a block is a visit of the outcome's samples)."""
    medians_b_ms: tuple[float, ...] = ()
    steps: tuple[tuple[int, float, float, float], ...] = ()
    """How the interval narrowed, round by round: blocks of each, ratio, both ends."""


class Phases(msgspec.Struct, frozen=True, kw_only=True):
    """How long each part before the steady state took, in ms."""

    load: float | None = None
    prepare: float | None = None
    first_call: float | None = None
    warm_up: float | None = None
    load_reading: float | None = None
    """Of `load`: from the disk into memory; None where the two cannot be told apart."""
    load_moving: float | None = None
    """Of `load`: from there to the device."""
    context: float | None = None
    """Before `load`: the process comes to life on its GPU."""
    steady: float | None = None
    """All visits together, without the rests between them."""


class Trust(msgspec.Struct, frozen=True):
    """How far the latency may be believed, and why."""

    grade: str
    """`good`, `noisy` or `poor`."""
    reasons: tuple[Reason, ...] = ()


class Failure(msgspec.Struct, frozen=True):
    """Why a configuration did not end ok; `code` is one of the contract's error codes."""

    code: str
    summary: str
    hint: str = ""
    details: dict[str, Any] = {}
    say: str = ""
    """Code of the summary's sentence in engine.words; the hint's is `say + ".hint"`. Both take `values`."""
    values: dict[str, Any] = {}


class EncodedSamples(msgspec.Struct, frozen=True, kw_only=True):
    """Sample arrays as they stand in JSON: each is base64 of zlib of little-endian int64."""

    encoding: str = "i64le+zlib+base64"
    count: int = 0
    reduced_from: int | None = None
    start_ns: str = ""
    latency_ns: str = ""
    phase: str = ""
    visit: str = ""
    device_ns: str | None = None
    enqueue_ns: str | None = None


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline, e.g. device memory in bytes over time."""

    name: str
    unit: str
    t_ns: list[int] = []
    values: list[float] = []


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one configuration."""

    configuration: Configuration
    status: str
    phases_ms: Phases = Phases()
    latency: Latency | None = None
    stopped_because: Reason | None = None
    device_latency: Latency | None = None
    enqueue_p50_ms: float | None = None
    throughput_per_s: float | None = None
    memory: Memory = Memory()
    accuracy: dict[str, Any] | None = None
    energy: dict[str, Any] | None = None
    trust: Trust | None = None
    advice: tuple[Reason, ...] = ()
    samples: EncodedSamples | None = None
    timeline: tuple[Track, ...] = ()
    uncounted_calls: int = 0
    notes: tuple[Reason, ...] = ()
    """What the configuration turned out to be, e.g. how many layers were swapped."""
    log: str = ""
    code: str = ""
    """Plain PyTorch that does what this row did."""
    error: Failure | None = None
    idle_latency: Latency | None = None
    """Calls after a rest each, where asked for: caches and clocks have cooled."""
    idle_gap_ms: float | None = None
    """How long that rest was."""
    gpu_busy_ms: float | None = None
    """How long the GPU itself computes in a call: launched behind a kernel that holds the queue back, so that it never waits for the CPU."""
    copies: Copies | None = None
    replicas: tuple[Replica, ...] = ()
    """With a device like `cuda:0+cuda:1`: each one's own figures; the outcome's are of all together."""
    outputs: Outputs | None = None
    largest: Largest | None = None


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the file is: known without running a byte of it, except parameters and buffers."""

    path: str
    sha256: str
    kind: str
    values: int | None = None
    """Numbers stored in all tensors, each storage once."""
    parameters: int | None = None
    buffers: int | None = None
    file_bytes: int = 0
    weights_bytes: int | None = None
    dtypes: dict[str, int] = {}
    architecture: str | None = None
    trusted: bool = False
    tensors: int | None = None
    saved_on: tuple[str, ...] = ()
    """Devices that the storages name, e.g. `cuda:0`."""
    weights_at: str | None = None
    weights_only: bool = True
    """Of bare weights: torch's own `weights_only=True` reads the file as it is (here it may load without a question all the same)."""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """The machine and the software of a run."""

    platform: str = ""
    cpu: str = ""
    cores: int = 0
    memory_bytes: int = 0
    gpus: tuple[dict[str, Any], ...] = ()
    driver: str | None = None
    python: str = ""
    interpreter: str = ""
    """Path of the Python that ran the model; `python`, `torch` and `packages` are its own."""
    torch: str = ""
    packages: dict[str, str] = {}
    load_before: float | None = None
    load_after: float | None = None


class Application(msgspec.Struct, frozen=True):
    """Which program made the run."""

    name: str = "Model Dyno"
    version: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A finished (or unfinished) job with its environment and outcomes; schema 1."""

    schema: int = 1
    id: str = ""
    app: Application = Application()
    created_at: str = ""
    model: ModelInfo
    inputs: tuple[InputSpec, ...] = ()
    environment: Environment = Environment()
    plan: dict[str, Any] = {}
    outcomes: tuple[Outcome, ...] = ()
    command: str = ""
    """The command line that measures the same again."""
    finished: bool = True
    comparison: Comparison | None = None
    other_model: ModelInfo | None = None
    """Of a comparison of two files: the second outcome's model."""
    own_cost: dict[str, Any] | None = None
    """What the program itself cost on this machine when it was last measured (`doctor --self-cost`)."""

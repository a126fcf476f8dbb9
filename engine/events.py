"""What the engine tells its owner (window, command line, test): frozen values, in order, on one callback."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from engine.candidates import Candidate, Fit
from engine.capabilities import Facts
from engine.job import InputSpec, Job, ModelSource
from engine.result import Comparison, Failure, ModelInfo, Outcome, Probe, Reason, Run


class EngineReady(msgspec.Struct, frozen=True):
    """The fork server is warm and the machine was probed."""

    facts: Facts


class EngineFailed(msgspec.Struct, frozen=True):
    """No worker could be started, or the probe failed."""

    failure: Failure


class FileInspected(msgspec.Struct, frozen=True, kw_only=True):
    """A file was looked at, without running it: `info` (it is a model) or `refusal` (it is not, with what to do)."""

    path: str
    info: ModelInfo | None = None
    refusal: Failure | None = None
    inputs: tuple[Any, ...] | None = None
    """Declared `InputSpec`s, or None."""
    guessed: tuple[Any, ...] = ()
    """Where nothing is declared: `InputSpec`s that the first layer's weights suggest."""
    requires_trust: bool = False
    unsafe_globals: tuple[str, ...] = ()
    """What loading would import and call; empty where no question is asked, for then harmless values have stand-ins."""
    danger: str = "none"
    """`none`, `unknown` or `dangerous`."""
    note: str = ""
    notes: tuple[Reason, ...] = ()
    """The remarks that `note` puts together in English."""
    grades: dict[str, str] = {}
    """Grade of each global that torch's weights-only loading refuses by itself: `harmless`, `unknown` or `dangerous`; the worst first."""
    fingerprint: str = ""
    """Of keys and shapes, wrapper prefixes taken off: equal for the same network trained twice."""
    config: dict[str, Any] = {}
    """Plain values found beside the weights (hyper parameters, arguments, config.json), by name."""
    missing_classes: tuple[str, ...] = ()
    """Of a whole module: classes that loading needs from the script that saved it (`__main__.Net`)."""
    first_layer: Reason | None = None
    """The first layer and the input that it wants, in words."""
    candidates: tuple[Candidate, ...] = ()
    """Classes that may fit bare weights, best first; nothing was imported to find them."""
    weights_places: tuple[str, ...] = ()
    """In a checkpoint: every place where weights (or modules) lie, the likeliest first; what is told here is about the one at `info.weights_at`."""


class ModelExamined(msgspec.Struct, frozen=True, kw_only=True):
    """A model was loaded once and its forward tried, or `failure` says why not."""

    path: str
    source: ModelSource
    """What was examined; an answer about a class or consent that is no longer the chosen one is old news."""
    asked: tuple[InputSpec, ...] = ()
    """The inputs that were to be tried, as they were asked for."""
    inputs: tuple[InputSpec, ...] = ()
    """`ran` tells whether the forward ran with them; empty: the user has to give them."""
    outputs: str | None = None
    parameters: int | None = None
    buffers: int | None = None
    weights_bytes: int | None = None
    architecture: str | None = None
    fit: Fit | None = None
    phases_ms: dict[str, float] = {}
    """`load`, and of it `reading` and `moving`."""
    first_layer: Reason | None = None
    """As the inspection's, where the whole network was tried with other sizes: it says more."""
    least_batch: int | None = None
    """The smallest batch that ran, where one row was refused."""
    load_peak_bytes: int | None = None
    notes: tuple[Reason, ...] = ()
    failure: Failure | None = None
    """Why it did not load or run; `values["proposed"]` may list input texts that were seen to run."""


class ClassesRanked(msgspec.Struct, frozen=True, kw_only=True):
    """Candidates for bare weights were built and laid beside them, best first; `failure` when that could not be done."""

    path: str
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[Reason, ...] = ()
    failure: Failure | None = None
    source: ModelSource | None = None
    """What was searched for; an answer about another place in the checkpoint is old news."""
    asked: tuple[str, ...] = ()
    """Specs of the candidates that were to be built; what was built may have found arguments besides."""


class LibraryIndexed(msgspec.Struct, frozen=True, kw_only=True):
    """`done` of `total` architectures of a library are in the index; it is not installed when `version` is None."""

    library: str
    version: str | None
    done: int = 0
    total: int = 0
    failure: Failure | None = None
    """Why indexing ended before its end."""


class Looking(msgspec.Struct, frozen=True):
    """A file is being `inspected`, `examined` or `searched` since `waiting_s`; comes once a second from the first second on."""

    path: str
    what: str
    waiting_s: float


class JobStarted(msgspec.Struct, frozen=True):
    """A job begins: `start_ns` is the zero of the run's clock (perf_counter_ns)."""

    job: Job
    model: ModelInfo
    start_ns: int
    run_path: str | None


class PhaseStarted(msgspec.Struct, frozen=True):
    """Configuration `index` enters `finding`, `starting`, `load`, `prepare`, `first-call`, `warm-up`, `steady` or `rest`."""

    index: int
    phase: str


class BatchTried(msgspec.Struct, frozen=True, kw_only=True):
    """While the largest batch of configuration `index` is sought: this one is tried now (`probe` None), or `probe` is what came of it."""

    index: int
    batch_size: int
    number: int
    """Of the tries, from 1 on."""
    probe: Probe | None = None


class BlockMeasured(msgspec.Struct, frozen=True, kw_only=True):
    """Samples of one block; int64 arrays of shape (n,), times in ns since the run's start."""

    index: int
    visit: int
    steady: bool
    start_ns: np.ndarray
    latency_ns: np.ndarray
    device_ns: np.ndarray | None = None


class MonitorSampled(msgspec.Struct, frozen=True):
    """Readings from outside the worker: names as in engine.monitor (`worker_resident_bytes`, `gpu0_memory_bytes`, ...)."""

    index: int | None
    t_ns: int
    values: dict[str, float]


class OutcomeUpdated(msgspec.Struct, frozen=True):
    """Figures so far, after a visit (`final` False), or the one outcome of the configuration (`final` True)."""

    index: int
    outcome: Outcome
    final: bool


class Progressed(msgspec.Struct, frozen=True):
    """Where the job stands: `fraction` in 0..1, `seconds_left` estimated from the plan and the speed seen."""

    fraction: float
    seconds_left: float | None
    index: int | None
    phase: str
    waiting_s: float = 0.0
    """How long the worker has not answered; from 2 s on the window says so."""


class JobFinished(msgspec.Struct, frozen=True):
    """The run is complete (or was stopped: see the outcomes) and saved at `run_path` when history is on."""

    run: Run
    run_path: str | None
    save_failure: Failure | None = None


class ComparisonStarted(msgspec.Struct, frozen=True, kw_only=True):
    """Two configurations are to be compared, B against A; each job has one. Events with an index come too: 0 is A, 1 is B."""

    job_a: Job
    job_b: Job
    model_a: ModelInfo
    model_b: ModelInfo
    start_ns: int
    run_path: str | None = None


class ComparisonUpdated(msgspec.Struct, frozen=True, kw_only=True):
    """The standing after another round: `comparison` holds the medians of the blocks so far."""

    comparison: Comparison
    rounds: int
    is_final: bool = False


class ComparisonFinished(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison is over; `failure` says why it has no verdict where one of the two ended early (its outcome says so too)."""

    run: Run
    run_path: str | None = None
    failure: Failure | None = None
    save_failure: Failure | None = None


class ReportSaved(msgspec.Struct, frozen=True):
    """A page was asked for: it lies at `path`, or `failure` says why not."""

    path: str
    failure: Failure | None = None


class RunLoaded(msgspec.Struct, frozen=True):
    """A run was read from `path`, or `failure` says why not."""

    path: str
    run: Run | None
    failure: Failure | None = None


class HistoryListed(msgspec.Struct, frozen=True):
    """The runs on disk, newest first."""

    entries: tuple[Any, ...]
    """`engine.history.Entry` values."""

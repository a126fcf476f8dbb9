"""The wire between engine and worker: frozen tagged structs, msgpack, raw units (ns, bytes)."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.candidates import Candidate, Fit
from engine.capabilities import Facts
from engine.job import Configuration, InputSpec, ModelSource
from engine.result import Outputs
from engine.search.hashes import IndexedModel


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    """Base of all messages: the class name is the tag."""


class Probe(Message, frozen=True):
    """Engine: say what this machine and this torch can do."""


class Load(Message, frozen=True):
    """Engine: bring the model into memory for this configuration."""

    model: ModelSource
    configuration: Configuration
    inputs: tuple[InputSpec, ...]
    seed: int
    compare_outputs: bool = False
    """Compare answers with those of the plain module also where no switch is thrown."""


class MakeContext(Message, frozen=True):
    """Engine: come to life on this device before anything is loaded, so that what this takes is known apart."""

    device: str


class Prepare(Message, frozen=True):
    """Engine: apply precision, quantization and backend; make the inputs."""


class FirstCall(Message, frozen=True):
    """Engine: run the forward once and check what comes out."""


class RunBlock(Message, frozen=True):
    """Engine: run the forward again and again for about `duration_ns`, at least once, at most `max_calls` times."""

    block: int
    duration_ns: int
    max_calls: int
    rest_ns: int = 0
    """Rest so long before every call: caches and clocks cool. No call is left uncounted then."""


class ResetPeaks(Message, frozen=True):
    """Engine: forget the allocator's peaks so far (after warm-up)."""


class ReadMemory(Message, frozen=True):
    """Engine: report the allocator's counters."""


class MeasureCopies(Message, frozen=True):
    """Engine: copy the inputs to the device and the outputs back, again and again, for about `duration_ns` each."""

    duration_ns: int


class MeasureBusy(Message, frozen=True):
    """Engine: find out how long the GPU itself computes in a call, `rounds` times."""

    rounds: int


class Examine(Message, frozen=True):
    """Engine: load the model and find inputs that its forward runs with: those given, else the declared ones, else guesses."""

    model: ModelSource
    inputs: tuple[InputSpec, ...]
    """Declared, given, remembered or guessed from the file; may be empty."""
    seed: int
    threads: int = 1
    budget_s: float = 20.0
    """Guessing ends after this long; one forward that runs is let finish."""


class FindClasses(Message, frozen=True):
    """Engine: build these candidates, find their arguments, lay the weights beside them; without candidates only the weights are read."""

    model: ModelSource
    candidates: tuple[Candidate, ...]
    config: dict[str, Any]
    """What the file's own configuration says, by name; plain values only."""
    search: bool = True
    """False: one fits perfectly already, and these are built as they are."""
    limit_s: float = 10.0
    """The search for the arguments of one candidate ends after this long."""


class IndexLibraries(Message, frozen=True):
    """Engine: build a library's architectures without weights, from number `start` on, for about `budget_s` (0: none, say only how many there are)."""

    library: str
    start: int = 0
    budget_s: float = 2.0


class Facted(Message, frozen=True):
    """Worker: the answer to `Probe`."""

    facts: Facts


class Loaded(Message, frozen=True):
    """Worker: the model is in memory. Times in ns."""

    load_ns: int
    parameters: int | None
    buffers: int | None
    weights_bytes: int | None
    architecture: str | None
    context_bytes: int | None = None
    reading_ns: int | None = None
    """Of `load_ns`: from the disk into memory."""
    moving_ns: int | None = None
    """Of `load_ns`: from there to the device."""
    load_peak_bytes: int | None = None
    """Most resident memory of the worker while it loaded, above what it had before."""


class Prepared(Message, frozen=True):
    """Worker: the configuration is applied. `notes` are (code, values) pairs."""

    prepare_ns: int
    weights_bytes: int | None
    saved_bytes: int | None
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()


class FirstCalled(Message, frozen=True):
    """Worker: the forward ran once."""

    first_call_ns: int
    outputs: str
    """Shapes of what came out, for the eye."""
    effect: Outputs | None = None
    """What switches did to the answers."""


class BlockDone(Message, frozen=True):
    """Worker: samples of one block as little-endian int64 bytes, n samples each."""

    block: int
    start_ns: bytes
    """On this machine's perf_counter_ns clock."""
    latency_ns: bytes
    gap_ns: int
    """Rest before the first call of the block, uncounted calls included."""
    uncounted: int
    device_ns: bytes | None = None
    enqueue_ns: bytes | None = None
    allocated_bytes: int | None = None
    reserved_bytes: int | None = None


class ContextMade(Message, frozen=True):
    """Worker: the device is ready; None on a CPU, which needs no context."""

    context_ns: int | None
    reserved_bytes: int | None


class PeaksReset(Message, frozen=True):
    """Worker: the answer to `ResetPeaks`. What the allocator holds between two calls; None on a CPU."""

    allocated_bytes: int | None = None
    reserved_bytes: int | None = None
    inputs_bytes: int | None = None
    """Of the inputs, as they lie on the device."""


class MemoryRead(Message, frozen=True):
    """Worker: the answer to `ReadMemory`; None on a CPU."""

    allocated_peak_bytes: int | None
    reserved_peak_bytes: int | None
    reserved_bytes: int | None = None
    """Now."""


class CopiesMeasured(Message, frozen=True):
    """Worker: the answer to `MeasureCopies`: times of each copy as little-endian int64 bytes (ns), and how much each one moves."""

    to_device_ns: bytes
    from_device_ns: bytes
    to_device_bytes: int
    from_device_bytes: int


class BusyMeasured(Message, frozen=True):
    """Worker: the answer to `MeasureBusy`: ns of each round that holds; empty where the call waits for the GPU, or launches more than its queue takes."""

    busy_ns: bytes


class Failed(Message, frozen=True):
    """Worker: what was asked for could not be done; `code` is one of the contract's, `say` names the sentence."""

    code: str
    say: str
    values: dict[str, Any]
    traceback: str = ""
    fatal: bool = True
    """The worker cannot be used again (always so for now: it ends after this)."""


class Examined(Message, frozen=True, kw_only=True):
    """Worker: the model is loaded, and what its forward was seen to do. Times in ns."""

    inputs: tuple[InputSpec, ...]
    """With `ran` set where the forward ran with them."""
    outputs: str | None
    """Shapes of what came out, for the eye; None when no input ran."""
    load_ns: int
    reading_ns: int | None
    moving_ns: int | None
    load_peak_bytes: int | None
    parameters: int | None
    buffers: int | None
    weights_bytes: int | None
    architecture: str | None
    fit: Fit | None = None
    """Of bare weights: how they lie in the class."""
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()
    refused: tuple[str, str, dict[str, Any]] | None = None
    """When no input ran: (code, sentence's code, values) of the best explanation; `values["proposed"]` lists input texts that were seen to run."""
    first_layer: tuple[str, dict[str, Any]] | None = None
    """(code, values) of the layer that is called first and the sizes from which on the whole network was seen to run."""
    least_batch: int | None = None
    """The smallest batch that ran, where one row was refused."""


class ClassesFound(Message, frozen=True):
    """Worker: the answer to `FindClasses`, best first; those that could not be built are left out, with a note each."""

    candidates: tuple[Candidate, ...]
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()


class LibrariesIndexed(Message, frozen=True):
    """Worker: the answer to `IndexLibraries`; those that could not be built are left out."""

    library: str
    version: str | None
    """None: the library is not installed."""
    models: tuple[IndexedModel, ...]
    next: int
    """The number to go on from."""
    total: int


Command = (
    Probe | Examine | FindClasses | IndexLibraries | MakeContext | Load | Prepare | FirstCall | RunBlock | ResetPeaks | ReadMemory | MeasureCopies | MeasureBusy
)
Answer = (
    Facted | Examined | ClassesFound | LibrariesIndexed | ContextMade | Loaded | Prepared | FirstCalled | BlockDone | PeaksReset | MemoryRead | CopiesMeasured
    | BusyMeasured | Failed
)

COMMANDS = msgspec.msgpack.Decoder(Command)
ANSWERS = msgspec.msgpack.Decoder(Answer)
_encoder = msgspec.msgpack.Encoder()


def encode(message: Message) -> bytes:
    """Bytes of one message, without the length in front."""
    return _encoder.encode(message)

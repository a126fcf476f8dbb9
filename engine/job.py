"""What is to be measured: the job, its configurations, inputs and plan."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

InputSource = Literal["declared", "guessed", "given", "file"]
Container = Literal["", "tuple", "list", "dict"]
MemoryFormat = Literal["", "channels_last"]


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way of running the model: a row of the results."""

    device: str = "cpu"
    """`cpu`, `cuda:0`, ... ; `auto` never reaches a configuration: it is resolved when the matrix is built."""
    precision: str = "fp32"
    """`fp32`, `fp16`, `bf16`, `amp-fp16` or `amp-bf16`; `amp` is resolved when the matrix is built."""
    quantization: str = "none"
    backend: str = "eager"
    batch_size: int = 1
    threads: int = 1
    """Intra-op threads."""
    options: dict[str, Any] = {}
    """Switches that are not at their default: `memory_format` (`channels_last`), `grad` (`no_grad`, `kept`, `backward`), `mode` (`train`), and
    `batch` (`max`, `max:75%`) where `batch_size` was or is to be found by trying."""

    def key(self) -> tuple[object, ...]:
        """What makes two configurations the same one."""
        return (self.device, self.precision, self.quantization, self.backend, self.batch_size, self.threads, repr(sorted(self.options.items())))


class InputSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One argument of the model's forward."""

    name: str | None = None
    """The keyword; None means positional."""
    dtype: str = "float32"
    """numpy's name: `float32`, `int64`, `bool`, ..."""
    shape: tuple[int | str, ...] = ()
    """`"B"` stands for the batch size."""
    range: tuple[int, int] | None = None
    """Both ends inclusive; for integer inputs."""
    scalar: int | float | bool | None = None
    """A plain number handed over as it is (then shape is empty)."""
    data_path: str | None = None
    """`.npy`, `.npz` or `.pt` with the data itself."""
    source: InputSource = "given"
    container: Container = ""
    """Empty for a tensor or a number; else this argument is a tuple, list or dict made of `parts` (of a dict, by their names)."""
    parts: tuple[InputSpec, ...] = ()
    memory_format: MemoryFormat = ""
    ran: bool = False
    """The model's forward was seen to run with it."""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long and how exactly a configuration is measured; the table in docs/measurement.md."""

    name: str
    visits_min: int
    visits_max: int
    spread_s: float
    """The visits of one configuration span at least this long."""
    visit_s: float
    visit_samples: int
    """A visit ends when it has lasted `visit_s` (standard: or has this many samples; quick: and has them)."""
    visit_needs_both: bool
    visit_limit_s: float
    total_samples: int
    target_relative: float | None
    """Half width of the median's interval over the median at which measuring may stop."""
    measuring_limit_s: float
    warm_up_s: float = 0.2
    warm_up_calls: int = 10
    warm_up_limit_s: float = 10.0
    block_s: float = 0.06
    fresh_workers: bool = False
    """Each visit in a worker of its own."""


PLANS: dict[str, Plan] = {
    "quick": Plan(
        name="quick", visits_min=1, visits_max=1, spread_s=0.0, visit_s=1.0, visit_samples=64, visit_needs_both=True,
        visit_limit_s=5.0, total_samples=64, target_relative=None, measuring_limit_s=5.0,
    ),
    "standard": Plan(
        name="standard", visits_min=5, visits_max=12, spread_s=12.0, visit_s=0.6, visit_samples=16, visit_needs_both=False,
        visit_limit_s=5.0, total_samples=662, target_relative=0.02, measuring_limit_s=20.0,
    ),
    # 40 visits of the longest kind fit its limit of time: the visits end it, unless single calls take longer than 20 s.
    "publication": Plan(
        name="publication", visits_min=10, visits_max=40, spread_s=60.0, visit_s=1.0, visit_samples=64, visit_needs_both=False,
        visit_limit_s=20.0, total_samples=662, target_relative=0.005, measuring_limit_s=900.0, fresh_workers=True,
    ),
}


class ModelSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model file and what is needed to turn it into something that runs."""

    path: str
    kind: str
    """One of the contract's kinds: `state-dict`, `checkpoint`, `module`, `torchscript`, `onnx`, ..."""
    architecture: str | None = None
    """`package.module:callable` or `/path/file.py:callable`, optionally with literal arguments."""
    trusted: bool = False
    """The user agreed that loading this file may run code."""
    weights_at: str | None = None
    """For a checkpoint: the key that leads to the weights, dotted."""
    allow_missing: bool = False
    """The user agreed that weights which the file lacks stay random, and that the others are left out."""
    dangerous: bool = False
    """The file is graded dangerous, and was named for it besides."""


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model, its inputs, a list of configurations and a plan."""

    id: str
    model: ModelSource
    inputs: tuple[InputSpec, ...]
    configurations: tuple[Configuration, ...]
    plan: Plan
    timeout_s: float = 60.0
    first_timeout_s: float = 600.0
    interpreter: str | None = None
    """The Python that runs the model; None means the program's own."""
    seed: int = 0
    compare_outputs: bool = False
    """Compare each configuration's answers with those of the plain module (eval, inference_mode), as a teaching run does."""
    idle_gap_s: float | None = None
    """Also time calls after so long a rest each."""
    memory_limit_bytes: int | None = None
    """On the CPU: no worker may hold more."""

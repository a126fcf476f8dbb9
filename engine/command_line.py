"""The command line that measures a job again."""

from __future__ import annotations

import shlex
from pathlib import Path

from engine.inputs import format_input
from engine.job import Configuration, InputSpec, Job, ModelSource
from engine.switches import DEFAULTS, value_of

DEFAULT_TIMEOUT_S = 60.0


def command_line(job: Job) -> str:
    """`python3 main.py profile ...` with every setting of the job; where the configurations are not a full matrix, each axis lists all its values."""
    words = ["python3", "main.py", "profile", *model_words(job.model, job.inputs)]
    # A teaching run is its first row and the command to teach.
    each = job.configurations[:1] if job.compare_outputs else job.configurations
    words += ["--teach"] if job.compare_outputs else []
    for option, values in (
        ("--device", [c.device for c in each]), ("--precision", [c.precision for c in each]), ("--quantization", [c.quantization for c in each]),
        ("--backend", [c.backend for c in each]), ("--batch", [batch_text(c) for c in each]), ("--threads", [str(c.threads) for c in each]),
    ):
        words += [option, ",".join(dict.fromkeys(values))]
    words += batch_words(job)
    for name, default in DEFAULTS.items():
        values = list(dict.fromkeys(value_of(c.options, name) for c in each))
        words += ["--" + name.replace("_", "-"), ",".join(values)] if values != [default] else []
    words += ["--idle-gap", f"{job.idle_gap_s:g}"] if job.idle_gap_s is not None else []
    words += ["--plan", job.plan.name]
    if job.timeout_s != DEFAULT_TIMEOUT_S:
        words += ["--timeout", f"{job.timeout_s:g}"]
    if job.interpreter:
        words += ["--python", job.interpreter]
    return " ".join(shlex.quote(word) for word in words)


def batch_text(configuration: Configuration) -> str:
    """The batch size as it was asked for: `max` where it was to be found."""
    return str(configuration.options.get("batch", configuration.batch_size))


def batch_words(job: Job) -> list[str]:
    """Micro-batches and the limit of memory, where there are any."""
    parts = list(dict.fromkeys(str(each.options.get("micro_batch", 1)) for each in job.configurations))
    words = ["--micro-batch", ",".join(parts)] if parts != ["1"] else []
    return words + (["--memory-limit", f"{job.memory_limit_bytes}B"] if job.memory_limit_bytes else [])


def model_words(model: ModelSource, inputs: tuple[InputSpec, ...] = ()) -> list[str]:
    """The file, its class and inputs, and what may run, as `profile` takes them; not yet quoted."""
    words = [model.path]
    if model.architecture:
        words += ["--arch", model.architecture]
    if model.trusted:
        words.append("--trust")
    if model.dangerous:
        words += ["--trust-dangerous", Path(model.path).name]
    if model.weights_at:
        words += ["--weights-at", model.weights_at]
    if model.allow_missing:
        words.append("--allow-missing")
    for spec in inputs:
        words += ["--input", format_input(spec)]
    return words


def compare_line(job_a: Job, job_b: Job) -> str:
    """`python3 main.py compare A B` with every setting of both."""
    words = ["python3", "main.py", "compare", side_text(job_a), side_text(job_b)]
    for job in (job_a, job_b):
        if job.model.dangerous:
            words += ["--trust-dangerous", Path(job.model.path).name]
    if job_a.timeout_s != DEFAULT_TIMEOUT_S:
        words += ["--timeout", f"{job_a.timeout_s:g}"]
    if job_a.interpreter:
        words += ["--python", job_a.interpreter]
    return " ".join(shlex.quote(word) for word in words)


def side_text(job: Job) -> str:
    """`FILE::precision=fp16,batch=8,...`: one side of a comparison as it is written."""
    model, each = job.model, job.configurations[0]
    settings = [
        ("device", each.device), ("precision", each.precision), ("quantization", each.quantization), ("backend", each.backend), ("batch", str(each.batch_size)),
        ("threads", str(each.threads)), ("arch", model.architecture), ("weights-at", model.weights_at),
        *(("input", format_input(spec)) for spec in job.inputs),
    ]
    parts = [f"{name}={value}" for name, value in settings if value]
    parts += [name for name, is_set in (("trust", model.trusted), ("allow-missing", model.allow_missing)) if is_set]
    return f"{model.path}::{','.join(parts)}"

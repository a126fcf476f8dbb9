"""The command line that measures a job again."""

from __future__ import annotations

import shlex
from pathlib import Path

from engine.inputs import format_input
from engine.job import InputSpec, Job, ModelSource

DEFAULT_TIMEOUT_S = 60.0


def command_line(job: Job) -> str:
    """`python3 main.py profile ...` with every setting of the job; where the configurations are not a full matrix, each axis lists all its values."""
    words = ["python3", "main.py", "profile", *model_words(job.model, job.inputs)]
    each = job.configurations
    for option, values in (
        ("--device", [c.device for c in each]), ("--precision", [c.precision for c in each]), ("--quantization", [c.quantization for c in each]),
        ("--backend", [c.backend for c in each]), ("--batch", [str(c.batch_size) for c in each]), ("--threads", [str(c.threads) for c in each]),
    ):
        words += [option, ",".join(dict.fromkeys(values))]
    words += ["--plan", job.plan.name]
    if job.timeout_s != DEFAULT_TIMEOUT_S:
        words += ["--timeout", f"{job.timeout_s:g}"]
    if job.interpreter:
        words += ["--python", job.interpreter]
    return " ".join(shlex.quote(word) for word in words)


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

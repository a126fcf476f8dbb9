"""The command line that measures a job again."""

from __future__ import annotations

import shlex
from pathlib import Path

from engine.inputs import format_input
from engine.job import Job

DEFAULT_TIMEOUT_S = 60.0


def command_line(job: Job) -> str:
    """`python3 main.py profile ...` with every setting of the job; where the configurations are not a full matrix, each axis lists all its values."""
    words = ["python3", "main.py", "profile", job.model.path]
    if job.model.architecture:
        words += ["--arch", job.model.architecture]
    if job.model.trusted:
        words.append("--trust")
    if job.model.dangerous:
        words += ["--trust-dangerous", Path(job.model.path).name]
    if job.model.weights_at:
        words += ["--weights-at", job.model.weights_at]
    if job.model.allow_missing:
        words.append("--allow-missing")
    for spec in job.inputs:
        words += ["--input", format_input(spec)]
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

"""How a model and a configuration are called on the page."""

from __future__ import annotations

import re

from engine.devices import on_cpu, shown
from engine.inputs import format_input
from engine.job import Configuration, InputSpec
from engine.option_names import option_names
from engine.report.labels import Labels
from engine.result import ModelInfo


def model_name(model: ModelInfo) -> str:
    """The file's name, whichever system the path comes from."""
    name = re.split(r"[/\\]", model.path.rstrip("/\\"))[-1]
    return name or model.path


def configuration_name(configuration: Configuration, labels: Labels) -> str:
    """`fp16 · dynamic int8 · batch 8 · cuda:0`: what is not said is the plain case."""
    parts = [configuration.precision]
    if configuration.quantization != "none":
        parts.append(labels.or_raw("quantization", configuration.quantization))
    if configuration.backend != "eager":
        parts.append(labels.or_raw("backend", configuration.backend))
    parts += [labels("batch", n=configuration.batch_size), shown(configuration.device, labels.language)]
    if on_cpu(configuration.device):
        parts.append(labels("thread") if configuration.threads == 1 else labels("threads", n=configuration.threads))
    parts += option_names(configuration, labels.language)
    return " · ".join(parts)


def input_line(spec: InputSpec, labels: Labels) -> str:
    """An input as the command line takes it, and where it comes from."""
    return f"{format_input(spec)} ({labels.or_raw('source', spec.source)})"

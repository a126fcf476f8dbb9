"""From options to a job: the file inspected, trust and class settled, inputs found; every refusal comes before anything is run."""

from __future__ import annotations

import argparse
import os
import shutil
import uuid
from pathlib import Path

import msgspec

from engine.architecture import ArchitectureError, parse_architecture
from engine.capabilities import BACKEND_OF_KIND, QUANTIZATIONS, Facts
from engine.commands.options import Refused, absolute
from engine.demo import demo_source
from engine.events import FileInspected
from engine.inputs import InputError, parse_input, unknown_sizes
from engine.job import PLANS, InputSpec, Job, ModelSource, Plan
from engine.matrix import BACKENDS, SettingError, configurations, parse_batches, parse_list, parse_threads, precisions_known
from engine.result import ModelInfo
from engine.supervisor import Engine
from engine.words import say

WITHOUT_CLASS = ("state-dict", "checkpoint", "safetensors")


def inspect(engine: Engine, options: argparse.Namespace) -> FileInspected:
    """What the file is; raises Refused when it is no model."""
    path = demo_source()[0] if options.demo else absolute(options.file)
    inspected = engine.inspect(path)
    if inspected.refusal is not None or inspected.info is None:
        refusal = inspected.refusal
        raise Refused(refusal.summary if refusal else path, refusal.hint if refusal else "")
    return inspected


def model_source(inspected: FileInspected, options: argparse.Namespace) -> tuple[ModelSource, ModelInfo]:
    """The model with its class and the user's word on trust; raises Refused."""
    info = inspected.info
    assert info is not None
    name = Path(info.path).name
    if info.kind not in BACKEND_OF_KIND:
        raise Refused(say("kind-not-run", {"file": name, "kind": info.kind}), say("kind-not-run.hint"))
    if inspected.requires_trust and not options.trust:
        raise Refused(say("needs-trust-names", {"file": name, "names": ", ".join(inspected.unsafe_globals[:8]) or "-"}), say("needs-trust.hint"))
    if inspected.danger == "dangerous" and options.trust_dangerous != name:
        raise Refused(say("dangerous-file", {"file": name, "names": ", ".join(inspected.unsafe_globals[:8])}), say("dangerous-file.hint", {"file": name}))
    architecture = _architecture(options)
    if architecture is None and info.kind in WITHOUT_CLASS:
        raise Refused(say("class-needed", {"tensors": info.tensors, "values_count": info.values}), say("class-needed.hint"))
    trusted = bool(inspected.requires_trust and options.trust)
    source = ModelSource(path=info.path, kind=info.kind, architecture=architecture, trusted=trusted, weights_at=info.weights_at)
    return source, msgspec.structs.replace(info, architecture=architecture or info.architecture, trusted=trusted)


def _architecture(options: argparse.Namespace) -> str | None:
    if options.demo:
        return demo_source()[1]
    if not options.arch:
        return None
    try:
        return parse_architecture(options.arch).spec
    except ArchitectureError as error:
        raise Refused(error.summary, error.hint) from error


def inputs(inspected: FileInspected, options: argparse.Namespace) -> tuple[InputSpec, ...]:
    """Inputs given, else declared by the file, else guessed from its first layer; raises Refused when none is known."""
    try:
        given = tuple(parse_input(text) for text in options.input)
    except InputError as error:
        raise Refused(error.summary, error.hint) from error
    given = tuple(_with_absolute_data(spec) for spec in given)
    if not given and options.demo:
        given = demo_source()[2]
    found = given or inspected.inputs or inspected.guessed
    if not found:
        raise Refused(say("inputs-missing", {"file": Path(inspected.path).name}), say("inputs-missing.hint"))
    for spec in found:
        if names := unknown_sizes(spec):
            values = {"input": spec.name or "input", "size": names[0]}
            raise Refused(say("input-size-unknown", values), say("input-size-unknown.hint", values))
    return tuple(found)


def _with_absolute_data(spec: InputSpec) -> InputSpec:
    if spec.data_path is None:
        return spec
    path = absolute(spec.data_path)
    if not os.path.isfile(path):
        values = {"file": spec.data_path, "error": say("no-such-file")}
        raise Refused(say("input-data-unreadable", values), say("input-data-unreadable.hint"))
    return msgspec.structs.replace(spec, data_path=path)


def make_job(options: argparse.Namespace, facts: Facts | None, source: ModelSource, specs: tuple[InputSpec, ...]) -> Job:
    """The job that the options describe; raises Refused for a value that does not exist."""
    try:
        found = configurations(
            facts, source.kind, devices=parse_list(options.device, "device", ("auto", "cpu", "cuda")),
            precisions=parse_list(options.precision, "precision", precisions_known()),
            quantizations=parse_list(options.quantization, "quantization", QUANTIZATIONS), backends=parse_list(options.backend, "backend", BACKENDS),
            batches=parse_batches(options.batch), threads=parse_threads(options.threads),
        )
        plan = plan_named(options.plan)
    except SettingError as error:
        raise Refused(error.summary, error.hint) from error
    if not found:
        raise Refused(say("no-configuration"), say("see-help", {"command": "python3 main.py profile"}))
    times = {} if options.timeout is None else {"timeout_s": options.timeout, "first_timeout_s": options.timeout}
    return Job(
        id=uuid.uuid4().hex, model=source, inputs=specs, configurations=found, plan=plan, interpreter=interpreter(options.python), **times
    )


def plan_named(name: str) -> Plan:
    """One of the plans; raises SettingError."""
    if name not in PLANS:
        raise SettingError("setting-unknown", axis="plan", value=name, known=", ".join(PLANS))
    return PLANS[name]


def interpreter(path: str | None) -> str | None:
    """The other Python, which must exist; raises Refused."""
    if path is None:
        return None
    found = shutil.which(os.path.expanduser(path))
    if found is None:
        raise Refused(say("no-such-python", {"path": path}), say("no-such-python.hint"))
    return os.path.abspath(found)

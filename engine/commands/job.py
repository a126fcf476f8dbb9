"""From options to a job: the file inspected, trust and class settled, inputs found; every refusal comes before anything is run."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import uuid
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.capabilities import BACKEND_OF_KIND, QUANTIZATIONS, Facts
from engine.commands.classes import file_beside, named_class, place_of
from engine.commands.options import NONE_OK, REFUSED, Refused, absolute, check_place, tell
from engine.demo import demo_source
from engine.events import FileInspected
from engine.inputs import InputError, format_input, parse_input, unknown_sizes
from engine.job import PLANS, InputSpec, Job, ModelSource, Plan
from engine.matrix import (
    BACKENDS,
    Batches,
    SettingError,
    configurations,
    parse_batches,
    parse_list,
    parse_memory_limit,
    parse_micro_batches,
    parse_switch,
    parse_threads,
    precisions_known,
    settle_batches,
)
from engine.result import Failure, ModelInfo
from engine.supervisor import Engine
from engine.switches import teaching_set
from engine.words import say

DANGEROUS = "dangerous"
REFUSING = frozenset({"class-mismatch", "input-mismatch", "needs-trust"})
"""Codes that mean: the class or the input was refused, nothing was measured."""
REFUSING_SAY = (
    "class-", "module-", "no-weights-", "name-left-out", "object-outdated", "weights-not-there", "torchscript-", "exported-", "transformers-", "folder-", "inputs-",
    "input-",
)
"""Beginnings of sentences that mean the same among the loading errors."""


def inspect(engine: Engine, options: argparse.Namespace) -> FileInspected:
    """What the file is; raises Refused when it is no model."""
    path = demo_source()[0] if options.demo else absolute(options.file)
    place = place_of(options.arch)
    inspected = engine.inspect(path, (place,) if place else (), options.weights_at)
    if inspected.refusal is not None or inspected.info is None:
        refusal = inspected.refusal
        raise Refused(refusal.summary if refusal else path, refusal.hint if refusal else "")
    return inspected


def model_source(inspected: FileInspected, options: argparse.Namespace) -> tuple[ModelSource, ModelInfo]:
    """The model with the class that was named and the user's word on trust; raises Refused. Nothing is run, and no class is searched for."""
    info = inspected.info
    assert info is not None
    if info.kind not in BACKEND_OF_KIND:
        values = {"file": Path(info.path).name, "kind": info.kind}
        raise Refused(say("kind-not-run", values), say("kind-not-run.hint", values))
    check_place(inspected, options.weights_at)
    check_trust(inspected, info, options)
    architecture = named_class(inspected, options)
    trusted = bool(inspected.requires_trust and options.trust)
    source = ModelSource(
        path=info.path, kind=info.kind, architecture=architecture, trusted=trusted, weights_at=info.weights_at, allow_missing=options.allow_missing,
        dangerous=inspected.danger == DANGEROUS,
    )
    return source, msgspec.structs.replace(info, trusted=trusted)


def with_architecture(info: ModelInfo, source: ModelSource) -> ModelInfo:
    """What the run says of its model, with the class that it runs as."""
    return msgspec.structs.replace(info, architecture=source.architecture or info.architecture)


def check_trust(inspected: FileInspected, info: ModelInfo, options: argparse.Namespace) -> None:
    """Raise Refused where loading would run code that nobody has agreed to, or that lacks its class; the worst is told first."""
    name = Path(info.path).name
    values = {"file": name, "names": ", ".join(inspected.unsafe_globals[:8]) or "-"}
    if inspected.danger == DANGEROUS and not (options.trust and options.trust_dangerous == name):
        raise Refused(say("dangerous-file", values), say("dangerous-file.hint", values))
    if inspected.missing_classes and not options.arch:
        missing = {"file": name, "names": ", ".join(inspected.missing_classes[:8])}
        beside = file_beside(inspected)
        hint = say("main-class-beside.hint", beside) if beside else say("main-class-missing.hint", missing)
        raise Refused(say("main-class-missing", missing), hint)
    if inspected.requires_trust and not options.trust:
        raise Refused(say("needs-trust-names", values), say("needs-trust.hint"))


def given_inputs(options: argparse.Namespace) -> tuple[InputSpec, ...]:
    """Inputs as --input gives them, or the demo's; raises Refused."""
    try:
        given = tuple(parse_input(text) for text in options.input)
    except InputError as error:
        raise Refused(error.summary, error.hint) from error
    given = tuple(_with_absolute_data(spec) for spec in given) or (demo_source()[2] if options.demo else ())
    _check_sizes(given)
    return given


def _check_sizes(specs: tuple[InputSpec, ...]) -> None:
    for spec in specs:
        if names := unknown_sizes(spec):
            values = {"input": spec.name or "input", "size": names[0]}
            raise Refused(say("input-size-unknown", values), say("input-size-unknown.hint", values))


class Inputs(NamedTuple):
    """What the model is called with."""

    specs: tuple[InputSpec, ...]
    declared: tuple[InputSpec, ...] = ()
    """The file's own inputs."""
    least_batch: int | None = None
    """The smallest batch that ran, where one row was refused."""


def inputs(engine: Engine, inspected: FileInspected, source: ModelSource, options: argparse.Namespace) -> Inputs:
    """Inputs given, else declared by the file with all their sizes, else guessed and seen to run; raises Refused."""
    declared = tuple(inspected.inputs or ())
    found = given_inputs(options) or declared
    if found and not any(unknown_sizes(spec) for spec in found):
        return Inputs(found, declared)
    examined = engine.examine(source, tuple(inspected.inputs or inspected.guessed))
    if examined.failure is not None:
        raise refused_by(examined.failure)
    if not examined.inputs:
        raise Refused(say("inputs-missing", {"file": Path(inspected.path).name}), say("inputs-missing.hint"))
    _check_sizes(examined.inputs)
    tell(say("inputs-guessed", {"inputs": ", ".join(format_input(spec) for spec in examined.inputs)}), "")
    return Inputs(examined.inputs, declared, examined.least_batch)


def batches(options: argparse.Namespace, found: Inputs) -> Batches:
    """Batch sizes as asked for, or as the inputs leave a choice; raises SettingError."""
    return settle_batches(parse_batches(options.batch), found.specs, found.declared, found.least_batch)


def tell_batches(options: argparse.Namespace, found: Inputs) -> None:
    """Say why the sizes are others than those that were asked for, or than one."""
    settled = batches(options, found)
    if settled.code and settled.sizes != (parse_batches(options.batch) or (1,)):
        tell(say(settled.code, settled.values), "")


def refused_by(failed: Failure) -> Refused:
    """What a worker answered, as the command's end: a class or input that does not fit is refused, all else means that the model does not run."""
    return Refused(failed.summary, with_proposal(failed), REFUSED if refuses(failed) else NONE_OK, failed.details)


def with_proposal(failed: Failure) -> str:
    """The hint, with the first complete set of inputs that was seen to run, where there is one and the hint does not name it."""
    proposed = proposed_inputs(failed)
    if not proposed or all(text in failed.hint for text in proposed):
        return failed.hint
    return say("inputs-proposed", {"inputs": " ".join(f"--input {shlex.quote(text)}" for text in proposed)})


def proposed_inputs(failed: Failure) -> list[str]:
    """The first set of inputs that a refusal proposes; whatever came from a worker may be anything."""
    proposed = failed.values.get("proposed")
    first = proposed[0] if isinstance(proposed, list | tuple) and proposed else []
    return [str(text) for text in first] if isinstance(first, list | tuple) else [str(first)]


def refuses(error: Failure) -> bool:
    """Whether nothing was wrong but the class or the input, which somebody named."""
    return error.code in REFUSING or error.say.startswith(REFUSING_SAY)


def _with_absolute_data(spec: InputSpec) -> InputSpec:
    if spec.data_path is None:
        return spec
    path = absolute(spec.data_path)
    if not os.path.isfile(path):
        values = {"file": spec.data_path, "error": say("no-such-file")}
        raise Refused(say("input-data-unreadable", values), say("input-data-unreadable.hint"))
    return msgspec.structs.replace(spec, data_path=path)


def make_job(options: argparse.Namespace, facts: Facts | None, source: ModelSource, inputs: Inputs) -> Job:
    """The job that the options describe; raises Refused for a value that does not exist."""
    try:
        settled = batches(options, inputs)
        found = configurations(
            facts, source.kind, devices=parse_list(options.device, "device", ("auto", "cpu", "cuda")),
            precisions=parse_list(options.precision, "precision", precisions_known()),
            quantizations=parse_list(options.quantization, "quantization", QUANTIZATIONS), backends=parse_list(options.backend, "backend", BACKENDS),
            batches=settled.sizes, threads=parse_threads(options.threads), micro_batches=parse_micro_batches(options.micro_batch), least_batch=settled.least,
            memory_formats=parse_switch(options.memory_format, "memory_format"), grads=parse_switch(options.grad, "grad"), modes=parse_switch(options.mode, "mode"),
        )
        limit = parse_memory_limit(options.memory_limit)
        plan = plan_named(options.plan)
    except SettingError as error:
        raise Refused(error.summary, error.hint) from error
    if not found:
        raise Refused(say("no-configuration"), say("see-help", {"command": "python3 main.py profile"}))
    teach = bool(getattr(options, "teach", False))
    if teach:
        found = teaching_set(found[0], source.kind, inputs.specs, facts.cores if facts is not None else None)
    times = {} if options.timeout is None else {"timeout_s": options.timeout, "first_timeout_s": options.timeout}
    return Job(
        id=uuid.uuid4().hex, model=source, inputs=inputs.specs, configurations=found, plan=plan, interpreter=interpreter(options.python), memory_limit_bytes=limit,
        compare_outputs=teach, idle_gap_s=options.idle_gap, **times
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

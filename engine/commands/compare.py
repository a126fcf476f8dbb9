"""`compare`: two configurations of one model, or two models, measured in turn; the last line is the verdict."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from engine.commands.classes import settle_class
from engine.commands.job import Inputs, given_inputs, inputs, inspect, interpreter, make_job, model_source, tell_batches, with_architecture
from engine.commands.options import Refused, tell
from engine.commands.profile import INTERRUPTED, OK, UNWRITABLE, Interrupts, exit_code, guarded, not_started, remember_class, show_all_details
from engine.commands.progress import Progress
from engine.commands.sides import parse_compare
from engine.commands.table import show_table
from engine.commands.writing import Writer
from engine.devices import is_joint
from engine.events import FileInspected
from engine.job import Job, ModelSource
from engine.process import EngineLost
from engine.result import Comparison, ModelInfo, Run
from engine.supervisor import Engine
from engine.verdict import SAME_WITHIN, SLOWER
from engine.words import say
from engine.workers import ConfigurationEnded, Interrupted

FAIL_ON_SLOWER = 4


class _Side(NamedTuple):
    """A or B, looked at: nothing of it was run."""

    options: argparse.Namespace
    inspected: FileInspected
    source: ModelSource
    info: ModelInfo


def main(argv: Sequence[str]) -> int:
    """Run the command; the exit code is the contract's."""
    return guarded(argv, lambda: _compare(*parse_compare(argv)))


def _compare(options: argparse.Namespace, a: argparse.Namespace, b: argparse.Namespace) -> int:
    python = interpreter(options.python)
    progress = Progress()
    engine = Engine(progress.take, python=python, keep_history=not options.no_history)
    with Interrupts(engine) as interrupts:
        try:
            with progress:
                run, writer = _measure(engine, options, (a, b), progress)
        except Interrupted:
            return INTERRUPTED
        except (EngineLost, ConfigurationEnded) as error:
            return not_started(error, options)
        finally:
            engine.close()
        show_table(run)
        written = writer.write(run, progress.kept)
        if progress.save_failure is not None:
            tell(progress.save_failure.summary, progress.save_failure.hint)
        if options.debug:
            show_all_details(run)
        code = _exit_code(run, options, written and progress.save_failure is None)
        _tell_verdict(run)
        return INTERRUPTED if interrupts.count else code


def _measure(engine: Engine, options: argparse.Namespace, both: tuple[argparse.Namespace, argparse.Namespace], progress: Progress) -> tuple[Run, Writer]:
    """Everything that can be refused is, on both sides, then they are measured."""
    sides = [_look(engine, each) for each in both]
    writer, _ = (Writer(options, side.source.path) for side in sides)       # no file of either may be written over
    progress.also = writer.take
    for side in sides:
        _one(side.options, make_job(side.options, None, side.source, Inputs(given_inputs(side.options))))
    progress.say(say("engine-starting"))
    sides = [side._replace(source=settle_class(engine, side.inspected, side.source, side.options)) for side in sides]
    engine.warm_up()
    facts = engine.start()
    jobs = []
    for side in sides:
        found = inputs(engine, side.inspected, side.source, side.options)
        tell_batches(side.options, found)
        jobs.append(_one(side.options, make_job(side.options, facts, side.source, found)))
    infos = [with_architecture(side.info, side.source) for side in sides]
    if msgspec.structs.replace(jobs[0], id="") == msgspec.structs.replace(jobs[1], id=""):
        tell(say("compare-same-job"), "")
    run = engine.compare(jobs[0], infos[0], jobs[1], infos[1])
    for side, outcome in zip(sides, run.outcomes, strict=True):
        if outcome.status == "ok" and not options.no_history:
            remember_class(side.inspected, side.source, side.options)
    return run, writer


def _look(engine: Engine, options: argparse.Namespace) -> _Side:
    inspected = inspect(engine, options)
    return _Side(options, inspected, *model_source(inspected, options))


def _one(options: argparse.Namespace, job: Job) -> Job:
    """The job, which must have one configuration; raises Refused."""
    if len(job.configurations) != 1:
        raise Refused(say("compare-one-each", {"side": options.side, "count": len(job.configurations)}), say("compare-one-each.hint"))
    if is_joint(device := job.configurations[0].device):
        raise Refused(say("compare-replicas", {"device": device}), say("compare-replicas.hint", {"device": device}))
    if "batch" in job.configurations[0].options:
        raise Refused(say("compare-batch-max", {"side": options.side}), say("compare-batch-max.hint"))
    if job.idle_gap_s:
        raise Refused(say("compare-idle-gap", {"side": options.side}), say("compare-idle-gap.hint"))
    return job


def _exit_code(run: Run, options: argparse.Namespace, written: bool) -> int:
    """As `profile`, and 4 for a slower B where that is to fail."""
    code = exit_code(run, written, None)
    assert run.comparison is not None
    is_slower = options.fail_on_slower and run.comparison.verdict == SLOWER
    return FAIL_ON_SLOWER if is_slower and code in (OK, UNWRITABLE) else code


def _tell_verdict(run: Run) -> None:
    """The sentence, then the last line, for programs."""
    assert run.comparison is not None
    for line in (*verdict_sentences(run.comparison), verdict_line(run.comparison)):
        print(line)
    sys.stdout.flush()


def verdict_sentences(found: Comparison, language: str = "en") -> list[str]:
    """What the verdict means, and what it lacks."""
    percent = 0.0 if found.ratio is None else abs(found.ratio - 1.0) * 100.0
    lines = [say(f"verdict-{found.verdict}", {"percent": percent, "band": SAME_WITHIN * 100.0}, language)]
    if found.samples_needed:
        lines.append(say("verdict-needs", {"count": found.samples_needed}, language))
    return lines


def verdict_line(found: Comparison) -> str:
    """`SLOWER 1.052 [1.047, 1.058]`; what is not known is a question mark."""
    ratio = "?" if found.ratio is None else f"{found.ratio:.4f}"
    low, high = ("?", "?") if found.ci95 is None else (f"{end:.4f}" for end in found.ci95)
    return f"{found.verdict} {ratio} [{low}, {high}]"

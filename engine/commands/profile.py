"""`profile`: measure a model without a window; same engine, same job, same figures."""

from __future__ import annotations

import argparse
import io
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, NamedTuple, Self

from engine.commands.classes import WEIGHTS, settle_class
from engine.commands.job import (
    Inputs,
    given_inputs,
    inputs,
    inspect,
    interpreter,
    make_job,
    model_source,
    proposed_inputs,
    refuses,
    tell_batches,
    with_architecture,
    with_proposal,
)
from engine.commands.options import NONE_OK, REFUSED, Refused, parse_profile, tell
from engine.commands.progress import Progress
from engine.commands.table import show_table
from engine.commands.teaching_table import print_teaching
from engine.commands.writing import Writer
from engine.events import FileInspected
from engine.failures import start_failure
from engine.job import InputSpec, ModelSource
from engine.process import EngineLost
from engine.result import Failure, Run
from engine.search import remembered
from engine.supervisor import Engine
from engine.words import say
from engine.workers import ConfigurationEnded, Interrupted, interpreter_of

OK, FAILED, UNWRITABLE, INTERRUPTED = 0, 1, 5, 130
UNSUPPORTED = frozenset({"unsupported", "not-swapped"})


class _Measured(NamedTuple):
    """A run, who writes it, and a refusal of the inputs that says more than its outcomes do."""

    run: Run
    writer: Writer
    refusal: Failure | None


def main(argv: Sequence[str]) -> int:
    """Run the command; the exit code is the contract's."""
    return guarded(argv, lambda: _profile(parse_profile(argv)))


def guarded(argv: Sequence[str], work: Callable[[], int]) -> int:
    """Do it; what is refused or fails becomes two lines and an exit code."""
    speak_plainly()
    try:
        return work()
    except Refused as refused:
        tell(refused.summary, refused.hint)
        if "--debug" in argv:
            show_details(refused.details)
        return refused.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if "--debug" in argv:
            traceback.print_exc()
        tell(say("program-failed", {"error": f"{type(error).__name__}: {error}"}), say("program-failed.hint"))
        return FAILED


def speak_plainly() -> None:
    """A terminal that knows few characters gets their numbers; it is no reason to fail after everything was measured."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _profile(options: argparse.Namespace) -> int:
    python = interpreter(options.python)
    progress = Progress()
    engine = Engine(progress.take, python=python, keep_history=not options.no_history)
    with Interrupts(engine) as interrupts:
        try:
            with progress:
                measured = _measure(engine, options, python, progress)
        except Interrupted:
            return INTERRUPTED
        except (EngineLost, ConfigurationEnded) as error:
            return not_started(error, options)
        finally:
            engine.close()
        run = measured.run
        show_table(run)
        if options.teach:
            print_teaching(run)
        written = measured.writer.write(run, progress.kept)
        if progress.save_failure is not None:
            tell(progress.save_failure.summary, progress.save_failure.hint)
        if options.debug:
            show_all_details(run)
        return INTERRUPTED if interrupts.count else exit_code(run, written and progress.save_failure is None, measured.refusal)


def _measure(engine: Engine, options: argparse.Namespace, python: str | None, progress: Progress) -> _Measured:
    """Everything that can be refused is, then the job runs."""
    inspected = inspect(engine, options)
    source, info = model_source(inspected, options)
    given = given_inputs(options)
    writer = Writer(options, source.path)
    progress.also = writer.take
    make_job(options, None, source, Inputs(given))      # a value that does not exist is told before torch is waited for
    progress.say(say("engine-starting"))
    source = settle_class(engine, inspected, source, options)
    engine.warm_up()
    facts = engine.start()
    found = inputs(engine, inspected, source, options)
    tell_batches(options, found)
    run = engine.run_job(make_job(options, facts, source, found), with_architecture(info, source))
    if any(outcome.status == "ok" for outcome in run.outcomes) and not options.no_history:
        remember_class(inspected, source, options)
    return _Measured(run, writer, _explain(engine, run, source, found.specs) if given else None)


def remember_class(inspected: FileInspected, source: ModelSource, options: argparse.Namespace) -> None:
    """Keep the class that ran these weights, so that it need not be named again; a convenience, whose failing is told with --debug only."""
    if options.demo or source.architecture is None or source.kind not in WEIGHTS or source.allow_missing:
        return
    failed = remembered.remember(inspected.fingerprint, source.architecture)
    if failed is not None and options.debug:
        tell(failed.summary, failed.hint)


def _explain(engine: Engine, run: Run, source: ModelSource, specs: tuple[InputSpec, ...]) -> Failure | None:
    """When no configuration took the inputs that were given: the refusal with inputs that were seen to run, where some are found."""
    errors = [outcome.error for outcome in run.outcomes]
    if not all(error is not None and error.code == "input-mismatch" and not proposed_inputs(error) for error in errors):
        return None
    examined = engine.examine(source, specs)
    return examined.failure if examined.failure is not None and proposed_inputs(examined.failure) else None


def not_started(error: EngineLost | ConfigurationEnded, options: argparse.Namespace) -> int:
    """No worker came to life: an argument's fault when another Python was asked for, else the program's own."""
    failed = error.failure if isinstance(error, ConfigurationEnded) else start_failure(interpreter_of(options.python), str(error))
    tell(failed.summary, failed.hint)
    if options.debug:
        print(failed.details.get("log", ""), file=sys.stderr)
    return FAILED if options.python is None else REFUSED


def show_all_details(run: Run) -> None:
    """The traceback and the log of each configuration that failed."""
    for outcome in run.outcomes:
        details = outcome.error.details if outcome.error else {}
        show_details(details)


def show_details(details: dict[str, Any]) -> None:
    """The traceback and the log of one failure."""
    for text in filter(None, (details.get("traceback"), details.get("log"))):
        print(text, file=sys.stderr)


def exit_code(run: Run, written: bool, refusal: Failure | None) -> int:
    """The contract's code for how the run ended; failures beside a success are named on standard error."""
    if not any(outcome.status == "ok" for outcome in run.outcomes):
        failed = [refusal] if refusal is not None else [outcome.error for outcome in run.outcomes if outcome.error]
        errors = {(error.summary, with_proposal(error)): error for error in failed}
        for summary, hint in errors:
            tell(summary, hint or say("unsupported.hint"))
        refused = [refuses(error) for error in errors.values() if error.code not in UNSUPPORTED]
        return REFUSED if refused and all(refused) else NONE_OK
    for outcome in run.outcomes:
        if outcome.status == "failed" and outcome.error:
            tell(outcome.error.summary, "")
    return OK if written else UNWRITABLE


class Interrupts:
    """Ctrl-C: the first finishes the running configuration, the second stops now."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.count = 0

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 1 and self._engine.measuring:
            print(say("interrupted-once"), file=sys.stderr)
            self._engine.cancel()
        else:
            self._engine.stop_now()

"""`profile`: measure a model without a window; same engine, same job, same figures."""

from __future__ import annotations

import argparse
import io
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Self

from engine.commands.job import inputs, inspect, interpreter, make_job, model_source
from engine.commands.options import REFUSED, Refused, parse_profile, tell
from engine.commands.progress import Progress
from engine.commands.table import show_table
from engine.commands.writing import Writer
from engine.failures import start_failure
from engine.process import EngineLost
from engine.result import Failure, Run
from engine.supervisor import Engine
from engine.words import say
from engine.workers import ConfigurationEnded, Interrupted, interpreter_of

OK, FAILED, NONE_OK, UNWRITABLE, INTERRUPTED = 0, 1, 3, 5, 130
REFUSING = frozenset({"class-mismatch", "input-mismatch", "needs-trust"})
"""Codes of outcomes that mean: the class or the input was refused, nothing was measured."""
REFUSING_SAY = ("class-", "module-class-", "module-is-", "no-weights-")
"""Sentences that mean the same among the loading errors."""
UNSUPPORTED = frozenset({"unsupported", "not-swapped"})


def main(argv: Sequence[str]) -> int:
    """Run the command; the exit code is the contract's."""
    _speak_plainly()
    try:
        return _profile(parse_profile(argv))
    except Refused as refused:
        tell(refused.summary, refused.hint)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if "--debug" in argv:
            traceback.print_exc()
        tell(say("program-failed", {"error": f"{type(error).__name__}: {error}"}), say("program-failed.hint"))
        return FAILED


def _speak_plainly() -> None:
    """A terminal that knows few characters gets their numbers; it is no reason to fail after everything was measured."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _profile(options: argparse.Namespace) -> int:
    python = interpreter(options.python)
    progress = Progress()
    engine = Engine(progress.take, python=python, keep_history=not options.no_history)
    with _Interrupts(engine) as interrupts:
        try:
            with progress:
                run, writer = _measure(engine, options, python, progress)
        except Interrupted:
            return INTERRUPTED
        except (EngineLost, ConfigurationEnded) as error:
            return _not_started(error, options)
        finally:
            engine.close()
        show_table(run)
        written = writer.write(run, progress.kept)
        if progress.save_failure is not None:
            tell(progress.save_failure.summary, progress.save_failure.hint)
        if options.debug:
            _show_details(run)
        return INTERRUPTED if interrupts.count else _exit_code(run, written and progress.save_failure is None)


def _measure(engine: Engine, options: argparse.Namespace, python: str | None, progress: Progress) -> tuple[Run, Writer]:
    """Everything that can be refused is, then the job runs."""
    inspected = inspect(engine, options)
    source, info = model_source(inspected, options)
    specs = inputs(inspected, options)
    writer = Writer(options, source.path)
    progress.also = writer.take
    progress.say(say("engine-starting"))
    make_job(options, None, source, specs)      # a value that does not exist is told before torch is waited for
    engine.warm_up()
    facts = engine.start()
    return engine.run_job(make_job(options, facts, source, specs), info), writer


def _not_started(error: EngineLost | ConfigurationEnded, options: argparse.Namespace) -> int:
    """No worker came to life: an argument's fault when another Python was asked for, else the program's own."""
    failed = error.failure if isinstance(error, ConfigurationEnded) else start_failure(interpreter_of(options.python), str(error))
    tell(failed.summary, failed.hint)
    if options.debug:
        print(failed.details.get("log", ""), file=sys.stderr)
    return FAILED if options.python is None else REFUSED


def _show_details(run: Run) -> None:
    """The traceback and the log of each configuration that failed."""
    for outcome in run.outcomes:
        details = outcome.error.details if outcome.error else {}
        for text in filter(None, (details.get("traceback"), details.get("log"))):
            print(text, file=sys.stderr)


def _exit_code(run: Run, written: bool) -> int:
    """The contract's code for how the run ended; failures beside a success are named on standard error."""
    if not any(outcome.status == "ok" for outcome in run.outcomes):
        errors = {(outcome.error.summary, outcome.error.hint): outcome.error for outcome in run.outcomes if outcome.error}
        for summary, hint in errors:
            tell(summary, hint or say("unsupported.hint"))
        refused = [_refuses(error) for error in errors.values() if error.code not in UNSUPPORTED]
        return REFUSED if refused and all(refused) else NONE_OK
    for outcome in run.outcomes:
        if outcome.status == "failed" and outcome.error:
            tell(outcome.error.summary, "")
    return OK if written else UNWRITABLE


def _refuses(error: Failure) -> bool:
    """Whether nothing was wrong but the class or the input, which somebody named."""
    return error.code in REFUSING or error.say.startswith(REFUSING_SAY)


class _Interrupts:
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

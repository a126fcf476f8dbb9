"""`profile`: measure a model without a window; same engine, same job, same figures."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType

from engine.commands.job import inputs, inspect, make_job, model_source
from engine.commands.options import REFUSED, Refused, parse_profile, tell
from engine.commands.progress import Progress
from engine.commands.table import print_table
from engine.commands.writing import Writer
from engine.result import Run
from engine.supervisor import Engine
from engine.words import say
from engine.workers import ConfigurationEnded, Interrupted, interpreter_of

OK, FAILED, NONE_OK, UNWRITABLE, INTERRUPTED = 0, 1, 3, 5, 130
REFUSING = frozenset({"class-mismatch", "input-mismatch", "needs-trust"})
"""Codes of outcomes that mean: the class or the input was refused, nothing was measured."""

UNSUPPORTED = frozenset({"unsupported", "not-swapped"})


def main(argv: Sequence[str]) -> int:
    """Run the command; the exit code is the contract's."""
    try:
        options = parse_profile(argv)
        return _profile(options)
    except Refused as refused:
        tell(refused.summary, refused.hint)
        return REFUSED
    except ConfigurationEnded as ended:
        tell(ended.failure.summary, ended.failure.hint)
        if "--debug" in argv:
            print(ended.failure.details.get("log", ""), file=sys.stderr)
        return FAILED
    except Exception as error:
        if "--debug" in argv:
            traceback.print_exc()
        tell(say("program-failed", {"error": f"{type(error).__name__}: {error}"}), say("program-failed.hint"))
        return FAILED


def _profile(options: argparse.Namespace) -> int:
    progress = Progress()
    engine = Engine(progress.take, keep_history=not options.no_history)
    interrupts = _Interrupts(engine)
    try:
        with interrupts, progress:
            inspected = inspect(engine, options)
            source, info = model_source(inspected, options)
            specs = inputs(inspected, options)
            writer = Writer(options)
            progress.say(say("engine-starting"))
            engine.warm_up()
            facts = engine.start(interpreter_of(options.python))
            run = engine.run_job(make_job(options, facts, source, specs), info)
    except Interrupted:
        return INTERRUPTED
    finally:
        engine.close()
    print_table(run)
    written = writer.write(run, progress.run_path)
    return INTERRUPTED if interrupts.count else _exit_code(run, written and progress.save_failure is None)


def _exit_code(run: Run, written: bool) -> int:
    """The contract's code for how the run ended; failures beside a success are named on standard error."""
    if not any(outcome.status == "ok" for outcome in run.outcomes):
        errors = {(outcome.error.summary, outcome.error.hint): outcome.error.code for outcome in run.outcomes if outcome.error}
        for summary, hint in errors:
            tell(summary, hint)
        codes = set(errors.values())
        return REFUSED if codes & REFUSING and codes <= REFUSING | UNSUPPORTED else NONE_OK
    for outcome in run.outcomes:
        if outcome.status == "failed" and outcome.error:
            print(outcome.error.summary, file=sys.stderr)
    return OK if written else UNWRITABLE


class _Interrupts:
    """Ctrl-C: the first finishes the running configuration, the second stops now."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.count = 0

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGINT, self._interrupted)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 1 and self._engine.measuring:
            print(say("interrupted-once"), file=sys.stderr)
            self._engine.cancel()
        else:
            self._engine.stop_now()

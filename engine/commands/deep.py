"""`inspect --deep`: the model is loaded once, its class found, and its forward tried with inputs until it runs."""

from __future__ import annotations

import argparse
import signal
from types import FrameType
from typing import NamedTuple

from engine.candidates import Candidate
from engine.commands.classes import WEIGHTS, Ranked, rank, refused_class, take
from engine.commands.facts import as_json, as_text, candidate_rows, examined_rows
from engine.commands.inspect import INTERRUPTED, complain, show, write
from engine.commands.job import given_inputs, inspect, interpreter, model_source, refused_by
from engine.commands.options import Refused
from engine.commands.profile import not_started, show_details
from engine.commands.progress import Progress
from engine.events import FileInspected, ModelExamined
from engine.process import EngineLost
from engine.result import Failure, Reason
from engine.supervisor import Engine
from engine.words import say
from engine.workers import ConfigurationEnded, Interrupted


class _Found(NamedTuple):
    """What came of it: classes that were compared, the examination, or why there is none."""

    candidates: tuple[Candidate, ...] = ()
    left_out: tuple[Reason, ...] = ()
    examined: ModelExamined | None = None
    refused: Refused | None = None


def run(options: argparse.Namespace) -> int:
    """Print, write and end: 0 when the forward ran, 2 when something is refused, 3 when the model does not run, 130 after Ctrl-C."""
    progress = Progress()
    engine = Engine(progress.take, python=interpreter(options.python), keep_history=False)
    before = signal.signal(signal.SIGINT, lambda number, frame: _stop(engine, number, frame))
    try:
        with progress:
            progress.say(say("engine-starting"))
            inspected = inspect(engine, options)
            show(inspected)
            found = _look(engine, inspected, options)
    except Interrupted:
        return INTERRUPTED
    except (EngineLost, ConfigurationEnded) as error:
        return not_started(error, options)
    finally:
        signal.signal(signal.SIGINT, before)
        engine.close()
    return _finish(inspected, found, options)


def _stop(engine: Engine, number: int, frame: FrameType | None) -> None:
    engine.stop_now()


def _look(engine: Engine, inspected: FileInspected, options: argparse.Namespace) -> _Found:
    """Class, then inputs; a refusal is part of the answer, because all that is known is still said."""
    known = Ranked(())
    try:
        source, _ = model_source(inspected, options)
        given = given_inputs(options)
        if source.architecture is None and source.kind in WEIGHTS:
            known = rank(engine, inspected, source, options)
            source = take(known.candidates, source, options) or source
            if source.architecture is None:
                return _Found(*known, refused=refused_class(inspected, known.candidates, options))
        engine.warm_up()
        engine.start()
        return _Found(*known, engine.examine(source, given or tuple(inspected.inputs or inspected.guessed)))
    except Refused as refused:
        return _Found(*known, refused=refused)


def _finish(inspected: FileInspected, found: _Found, options: argparse.Namespace) -> int:
    examined, refused = found.examined, found.refused
    candidates = found.candidates or inspected.candidates
    lines = as_text([*candidate_rows(candidates, found.left_out), *(examined_rows(examined) if examined else [])])
    if lines:
        print("\n".join(lines))
    failed = examined.failure if examined else None
    reason = failed or (Failure(code="class-mismatch", summary=refused.summary, hint=refused.hint) if refused else None)
    written = 0 if options.json is None else write(options.json, as_json(inspected, candidates, examined, reason))
    if failed is not None:
        refused = refused_by(failed)
    if refused is None:
        return written
    complain(Failure(code="", summary=refused.summary, hint=refused.hint))
    if options.debug:
        show_details(refused.details)
    return refused.exit_code

"""`inspect FILE`: what the file is, without running it and without torch; `--deep` loads it once and finds inputs that it runs with."""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path

from engine.commands.classes import place_of
from engine.commands.facts import as_json, as_text, candidate_rows, rows
from engine.commands.options import Parser, Refused, absolute, add_model_options, check_model_options, check_place
from engine.events import FileInspected
from engine.files import InspectionProcess
from engine.result import Failure
from engine.storage import StorageError, write_atomically
from engine.words import failure, say

REFUSED, UNWRITTEN, FAILED, INTERRUPTED = 2, 5, 1, 130
DEEP_ONLY = ("allow_missing", "input", "python", "trust", "trust_dangerous")
"""Options that mean nothing while the model is not loaded."""


def main(argv: list[str]) -> int:
    """Print what FILE is; 0 when it is a model, 2 when it is refused, 5 when the JSON could not be written."""
    try:
        options = parse(argv)
        return _deep(options) if options.deep else _plain(options)
    except SystemExit as stop:
        return int(stop.code or 0)
    except Refused as refused:
        complain(Failure(code="usage", summary=refused.summary, hint=refused.hint))
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last net: a fault of ours is two lines and an exit code too
        if "--debug" in argv:
            traceback.print_exc()
        complain(failure("failed", "program-failed", {"error": f"{type(error).__name__}: {error}"}))
        return FAILED


class _Parser(Parser):
    """Complains in two lines, with the usage in the second."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Refuse the arguments."""
        raise Refused(say("inspect-usage", {"problem": message}), say("inspect-usage.hint"))


def parse(argv: list[str]) -> argparse.Namespace:
    """The options given; raises Refused."""
    parser = _Parser(prog="python3 main.py inspect", description="What a model file is: nothing of it is run without --deep.", allow_abbrev=False)
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--json", metavar="PATH", help="write the same as JSON")
    parser.add_argument("--deep", action="store_true", help="load the model once, find its class and inputs that it runs with: takes seconds, and the same consent as measuring")
    add_model_options(parser)
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    parser.set_defaults(demo=False)
    options = parser.parse_args(argv)
    given = [name for name in DEEP_ONLY if getattr(options, name)]
    if given and not options.deep:
        parser.error(say("only-deep", {"option": f"--{given[0].replace('_', '-')}"}))
    check_model_options(options)
    return options


def _plain(options: argparse.Namespace) -> int:
    place = place_of(options.arch)
    if options.arch and place is None:
        raise Refused(say("inspect-usage", {"problem": say("only-deep", {"option": "--arch SPEC"})}), say("inspect-usage.hint"))
    process = InspectionProcess(options.file, near=(place,) if place else (), at=options.weights_at)
    try:
        inspected = process.result()
    finally:
        process.kill()
    if inspected.refusal is not None or inspected.info is None:
        complain(inspected.refusal)
        return REFUSED
    check_place(inspected, options.weights_at)
    print("\n".join(as_text([*rows(inspected, inspected.info), *candidate_rows(inspected.candidates)])))
    return 0 if options.json is None else write(options.json, as_json(inspected, inspected.candidates))


def _deep(options: argparse.Namespace) -> int:
    from engine.commands import deep

    absolute(options.file)
    return deep.run(options)


def complain(refusal: Failure | None) -> None:
    """Two lines on standard error: what is wrong, what to do."""
    if refusal is not None:
        for text in filter(None, (refusal.summary, refusal.hint)):
            print(_printable(" ".join(text.split())), file=sys.stderr)


def _printable(text: str) -> str:
    encoding = sys.stderr.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def write(path: str, content: bytes) -> int:
    """Write the JSON: 0, or 5 with two lines."""
    try:
        write_atomically(Path(path), content)
    except StorageError as error:
        complain(error.failure)
        return UNWRITTEN
    return 0


def show(inspected: FileInspected) -> None:
    """What the bytes tell, on standard output."""
    if inspected.info is not None:
        print("\n".join(as_text(rows(inspected, inspected.info))), flush=True)

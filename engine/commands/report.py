"""`report RUN.json -o OUT.html`: the page of a run that was saved before."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from engine.commands.options import REFUSED, Parser, Refused, tell
from engine.history import HistoryError
from engine.report import write_report
from engine.storage import StorageError
from engine.words import LANGUAGES, say

OK, FAILED, UNWRITABLE = 0, 1, 5


def main(argv: Sequence[str]) -> int:
    """Write the page; 2 where the run cannot be read, 5 where the page cannot be written."""
    try:
        return _report(_parser().parse_args(argv))
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    except Refused as refused:
        tell(_printable(refused.summary), _printable(refused.hint))
        return REFUSED
    except HistoryError as error:
        tell(_printable(error.failure.summary), _printable(error.failure.hint))
        return REFUSED
    except StorageError as error:
        tell(_printable(error.failure.summary), _printable(error.failure.hint))
        return UNWRITABLE
    except Exception as error:  # noqa: BLE001 - the last net: a fault of ours is two lines and an exit code too
        if "--debug" in argv:
            traceback.print_exc()
        tell(_printable(say("program-failed", {"error": f"{type(error).__name__}: {error}"})), say("program-failed.hint"))
        return FAILED


def _parser() -> Parser:
    parser = Parser(prog="python3 main.py report", description="Make the page of a run that was saved before.", allow_abbrev=False)
    parser.add_argument("run", metavar="RUN.json", help="a run that profile --json or the history wrote")
    parser.add_argument("-o", "--output", required=True, metavar="OUT.html", help="where the page goes")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="the page's language (default: en)")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    return parser


def _report(options: argparse.Namespace) -> int:
    run, out = Path(options.run), Path(options.output)
    if run.exists() and out.exists() and run.samefile(out):
        raise Refused(say("report-onto-run", {"path": out}), say("report-onto-run.hint"))
    write_report(run, out, options.language)
    return OK


def _printable(text: str) -> str:
    """The text without line breaks (an error is two lines) and without what the terminal's encoding cannot show."""
    encoding = sys.stderr.encoding or "utf-8"
    return " ".join(text.split()).encode(encoding, "backslashreplace").decode(encoding)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

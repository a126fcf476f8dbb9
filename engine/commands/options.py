"""The options of `profile`: what they are called, what they accept, and two lines for what they don't."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from engine.events import FileInspected
from engine.words import say

REFUSED, NONE_OK = 2, 3


class Refused(Exception):
    """The command cannot begin: `summary` says what is wrong with which thing, `hint` what to do; `details` are for --debug."""

    def __init__(self, summary: str, hint: str, exit_code: int = REFUSED, details: dict[str, Any] | None = None) -> None:
        super().__init__(summary)
        self.summary, self.hint, self.exit_code, self.details = summary, hint, exit_code, details or {}


def tell(summary: str, hint: str) -> None:
    """Two lines on standard error, whatever line breaks a path or an error holds."""
    for text in filter(None, (summary, hint)):
        print(" ".join(text.split()), file=sys.stderr)


def absolute(path: str) -> str:
    """The path from the root; raises Refused where it cannot be sent to a worker or where the current folder is gone."""
    try:
        path.encode()
        return os.path.abspath(path)
    except UnicodeEncodeError as error:
        shown = os.path.basename(path).encode("utf-8", "backslashreplace").decode()
        raise Refused(say("name-not-unicode", {"file": shown}), say("name-not-unicode.hint")) from error
    except FileNotFoundError as error:
        raise Refused(say("main-no-folder", {"file": path}), say("main-no-folder.hint", {"file": path})) from error


class Parser(argparse.ArgumentParser):
    """argparse whose errors are two lines and exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        raise Refused(message[:1].upper() + message[1:] + ".", say("see-help", {"command": self.prog}))


def profile_parser() -> Parser:
    """All options of `profile`, as in docs/contract.md."""
    parser = Parser(prog="python3 main.py profile", description="Measure a model without a window.", allow_abbrev=False)
    parser.add_argument("file", nargs="?", metavar="FILE", help="the model file")
    parser.add_argument("--demo", action="store_true", help="measure the bundled demo model and write its page")
    add_model_options(parser)
    add_measuring_options(parser)
    parser.add_argument("--plan", default="standard", help="quick, standard or publication")
    parser.add_argument("--teach", action="store_true", help="show what each switch does: one row each for gradients, mode, memory format and threads, with time, memory and outputs")
    return parser


def add_measuring_options(parser: argparse.ArgumentParser) -> None:
    """The options that say what is measured and what is written, the same for every command that measures."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1; a list multiplies")
    parser.add_argument("--precision", default="fp32", help="fp32, fp16, bf16, amp")
    parser.add_argument("--quantization", default="none", help="none, dynamic-int8")
    parser.add_argument("--backend", default="", help="eager, torchscript, onnxruntime (default: by kind of file)")
    parser.add_argument("--batch", default="", help="1, or 1,8,32, or 1:64 for doubling, or max (the largest that fits), or max:75%% (default: 1, or the smallest that the model was seen to take)")
    parser.add_argument("--micro-batch", default="", metavar="PARTS", help="run each batch in so many parts, one after another; a list multiplies, 1 is in one piece")
    parser.add_argument("--memory-limit", default="", metavar="SIZE", help="on the CPU no worker may hold more, for example 4GB (default: for max, a safe part of what is free)")
    parser.add_argument("--threads", default="", help="intra-op threads (default: physical cores less one)")
    parser.add_argument("--memory-format", default="", help="contiguous, channels_last; a list multiplies")
    parser.add_argument("--grad", default="", help="inference, no_grad, kept (outputs keep their graph), backward; a list multiplies")
    parser.add_argument("--mode", default="", help="eval, train; a list multiplies")
    parser.add_argument(
        "--idle-gap", type=_seconds, nargs="?", const=0.1, default=None, metavar="SECONDS", help="also time calls after so long a rest each (without a number: 0.1)"
    )
    parser.add_argument("--timeout", type=_seconds, default=None, metavar="SECONDS", help="without an answer for so long a call counts as hung")
    parser.add_argument("--json", metavar="PATH", help="write the run")
    parser.add_argument("--report", metavar="PATH", help="write the page")
    parser.add_argument("--samples", metavar="PATH", help="write all raw samples (.npz)")
    parser.add_argument("--no-history", action="store_true", help="keep no copy of the run")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """The options that say how the model is loaded, the same for every command that loads one."""
    parser.add_argument(
        "--arch", metavar="SPEC",
        help="the class of bare weights: path/to/file.py:Class(argument=1) or package.module:callable; or the Python file (or folder) alone, to find the class in it",
    )
    parser.add_argument("--weights-at", metavar="PLACE", help="which weights of a checkpoint to take, as inspect lists them")
    parser.add_argument("--allow-missing", action="store_true", help="run with random weights in place of those that the file lacks")
    parser.add_argument("--input", action="append", default=[], metavar="SPEC", help="f32[B,3,224,224], NAME=i64[B,128]{0..30521}, NAME=16000, NAME=@data.npy")
    parser.add_argument("--python", metavar="PATH", help="another Python whose torch and packages run the model")
    parser.add_argument("--trust", action="store_true", help="let this file run code while it is loaded, and try classes of the Python files beside it")
    parser.add_argument("--trust-dangerous", metavar="NAME", help="the file's name, for a file that is graded dangerous")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


def parse_profile(argv: Sequence[str]) -> argparse.Namespace:
    """The options given; raises Refused."""
    options = profile_parser().parse_args(argv)
    if bool(options.file) == options.demo:
        raise Refused(say("one-file-or-demo"), say("see-help", {"command": "python3 main.py profile"}))
    check_model_options(options)
    return options


def check_place(inspected: FileInspected, place: str | None) -> None:
    """Raise Refused where the weights do not lie at the place that --weights-at names."""
    if place is None or inspected.info is None or place == inspected.info.weights_at:
        return
    values = {"file": os.path.basename(inspected.path.rstrip(os.sep)), "place": place, "places": ", ".join(inspected.weights_places)}
    code = "weights-place-unknown" if inspected.weights_places else "weights-place-none"
    raise Refused(say(code, values), say(f"{code}.hint", values))


def check_model_options(options: argparse.Namespace) -> None:
    """Raise Refused for options that do not go together."""
    if options.allow_missing and not options.arch:
        raise Refused(say("allow-missing-alone"), say("allow-missing-alone.hint"))

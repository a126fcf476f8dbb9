"""A and B of `compare` as people write them: `FILE` or `FILE::precision=fp16,batch=8,...`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any

from engine.commands.options import Parser, Refused, add_measuring_options, add_model_options, check_model_options, profile_parser
from engine.words import say

BOTH = frozenset("help demo plan timeout python trust-dangerous json report samples no-history debug".split())
"""Options of `profile` that hold for the whole comparison."""
_OPENING, _CLOSING, _QUOTES = "([{", ")]}", "\"'"


def settings() -> dict[str, bool]:
    """What may stand after `::`, in `profile`'s order, and whether it is a flag without a value."""
    options = _Options()
    add_model_options(options)
    add_measuring_options(options)
    return {name: is_flag for name, is_flag in options.names.items() if name not in BOTH}


class _Options(argparse.ArgumentParser):
    """A parser that remembers what it was given: names without dashes, and whether each is a flag."""

    def __init__(self) -> None:
        self.names: dict[str, bool] = {}
        super().__init__(add_help=False)

    def add_argument(self, *names: Any, **about: Any) -> argparse.Action:
        """As argparse's."""
        action = super().add_argument(*names, **about)
        self.names[action.option_strings[0].removeprefix("--")] = action.nargs == 0
        return action


def compare_parser() -> Parser:
    """All options of `compare`; those of `profile` hold for both sides where a side does not say otherwise."""
    parser = Parser(prog="python3 main.py compare", description="Measure two configurations in turn and say whether B is faster than A.", allow_abbrev=False)
    parser.add_argument("sides", nargs="*", metavar="FILE[::precision=fp16,batch=8,...]", help=f"A, then B; after :: any of {', '.join(settings())}")
    add_model_options(parser)
    add_measuring_options(parser)
    parser.add_argument("--fail-on-slower", action="store_true", help="exit code 4 when B is slower")
    return parser


def parse_compare(argv: Sequence[str]) -> tuple[argparse.Namespace, argparse.Namespace, argparse.Namespace]:
    """The common options, and those of A and B as `profile` would have them; raises Refused."""
    options = compare_parser().parse_args(argv)
    if len(options.sides) != 2:
        raise Refused(say("compare-two", {"count": len(options.sides)}), say("see-help", {"command": "python3 main.py compare"}))
    options.demo, options.plan = False, "standard"
    a, b = (parse_side(name, text, options) for name, text in zip("AB", options.sides, strict=True))
    return options, a, b


def parse_side(side: str, text: str, common: argparse.Namespace) -> argparse.Namespace:
    """One side's options: what it says itself, else what holds for both."""
    known = settings()
    file, written = split_side(text)
    given = _given(side, written, known)
    words = [f"--{name}" if known[name] else f"--{name}={value}" for name, values in given.items() for value in values]
    own = profile_parser().parse_args([file, *words])
    named = {name.replace("-", "_") for name in given}
    found = argparse.Namespace(**{**vars(common), **{name: getattr(own, name) for name in named}, "file": file, "side": side})
    check_model_options(found)
    return found


def split_side(text: str) -> tuple[str, list[str]]:
    """The file and its settings; a file whose own name holds `::` is taken as it is where it exists."""
    if os.path.exists(text) or "::" not in text:
        return text, []
    file, _, written = text.rpartition("::")
    return file, split_settings(written)


def split_settings(text: str) -> list[str]:
    """Apart at commas, but for those inside brackets or quotes: `arch=net.py:Net(1, 2),input=f32[B,3]`."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in _QUOTES:
            quote = letter
        elif letter in _OPENING:
            depth += 1
        elif letter in _CLOSING:
            depth -= 1
        if letter == "," and depth <= 0 and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _given(side: str, written: Sequence[str], known: dict[str, bool]) -> dict[str, list[str]]:
    """Values by name; raises Refused for a name that there is not, a missing value, or a second value where one is meant."""
    found: dict[str, list[str]] = {}
    for setting in written:
        name, sign, value = setting.partition("=")
        name = name.strip()
        if name not in known or known[name] == bool(sign) or (sign and not value.strip()) or (name in found and name != "input"):
            raise Refused(say("compare-setting", {"side": side, "setting": setting}), say("compare-setting.hint", {"known": ", ".join(known)}))
        found.setdefault(name, []).append(value.strip())
    return found

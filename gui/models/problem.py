"""What the problem bar shows: worded when it is shown, so that it follows the language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.result import Failure
from gui import text


@dataclass(frozen=True)
class Problem:
    """A sentence and what to do; `details` stand behind a button, `fix` behind another."""

    words: Callable[[], tuple[str, str]]
    details: str = ""
    fix_code: str = ""
    fix: Callable[[], None] | None = None
    is_notice: bool = False
    about: str = ""
    """What it is over with, when that is solved."""

    @property
    def summary(self) -> str:
        """What is wrong, in the language of the moment."""
        return self.words()[0]

    @property
    def hint(self) -> str:
        """What to do, in the language of the moment."""
        return self.words()[1]


def problem(code: str, details: str = "", *, fix_code: str = "", fix: Callable[[], None] | None = None, about: str = "", **values: Any) -> Problem:
    """A problem of the window itself, worded by `code` and `code.hint`."""
    return Problem(lambda: (text.say(code, **values), text.say(f"{code}.hint", **values)), details, fix_code, fix, about=about)


def notice(code: str, *, fix_code: str = "", fix: Callable[[], None] | None = None, **values: Any) -> Problem:
    """Good news in the same place."""
    return Problem(lambda: (text.say(code, **values), ""), "", fix_code, fix, is_notice=True)


def failure_problem(failure: Failure, *, fix_code: str = "", fix: Callable[[], None] | None = None, about: str = "") -> Problem:
    """A failure that the engine reported."""
    return Problem(lambda: say_failure(failure), details_text(failure), fix_code, fix, about=about)


def reason_problem(code: str, values: dict[str, Any]) -> Problem:
    """A sentence of the engine's that already says what to do."""
    return Problem(lambda: (text.say_reason(code, values), ""))


def say_failure(failure: Failure) -> tuple[str, str]:
    """Summary and hint in the language of the moment; a code from a newer program keeps its own sentence."""
    if not failure.say:
        return failure.summary, failure.hint
    return text.say_reason(failure.say, failure.values, failure.summary), text.say_hint(failure.say, failure.values, failure.hint)


def details_text(failure: Failure) -> str:
    """Traceback, signal, end of the log: one part after another."""
    return "\n\n".join(f"{name}:\n{value}" for name, value in failure.details.items() if value not in (None, "", [], {}))

"""Why a configuration ended, in words: what a worker says of itself, and what its interpreter said instead of starting one."""

from __future__ import annotations

import re
from typing import Any

from engine import messages
from engine.result import Failure
from engine.units import format_bytes
from engine.words import failure, say

TRACEBACK_CHARACTERS = 20_000
VALUE_CHARACTERS = 2_000
FAILURE_CODES = frozenset({
    "out-of-memory", "timeout", "killed-by-signal", "exited", "protocol-error", "engine-lost", "forward-raised", "load-failed", "class-mismatch",
    "input-mismatch", "not-swapped", "non-finite", "device-error", "disk-full", "needs-trust", "unsupported",
})
"""`error.code` of docs/contract.md."""
SPEECH_ERRORS = (KeyError, IndexError, ValueError, TypeError, AttributeError, ArithmeticError)
"""What wording can raise when code or values are not ours."""
_MISSING = re.compile(r"No module named '(\w+)")


def worded(answer: messages.Failed, log: str) -> Failure:
    """A worker's `Failed` with its sentence; byte counts among its values become words. What is no sentence of ours is a protocol error."""
    details = {"traceback": answer.traceback[-TRACEBACK_CHARACTERS:], "log": log}
    try:
        if answer.code not in FAILURE_CODES:
            raise ValueError(f"code {answer.code[:100]!r}")
        return failure(answer.code, answer.say, _worded_values(answer), details)
    except SPEECH_ERRORS as error:
        return failure("protocol-error", "protocol-error", {"error": f"unknown sentence {answer.say[:100]!r} ({error})"[:300]}, details)


def _worded_values(answer: messages.Failed) -> dict[str, Any]:
    """The values with bytes in words; a worker ran somebody's model, so only plain values of some length are let in."""
    values: dict[str, Any] = {
        name: value if isinstance(value, int | float | None) or (name == "proposed" and _is_proposals(value)) else str(value)[:VALUE_CHARACTERS]
        for name, value in answer.values.items()
    }
    if answer.say == "out-of-memory":
        free, total, own = values.get("free_bytes"), values.get("total_bytes"), values.get("own_bytes")
        others = None if free is None or total is None or own is None else max(0, total - free - own)
        values |= {"wanted": format_bytes(values.get("wanted_bytes")), "free": format_bytes(free), "total": format_bytes(total), "others": format_bytes(others)}
    return values


def _is_proposals(value: object) -> bool:
    """Whether it is a short list of lists of input texts."""
    return isinstance(value, list) and len(value) <= 8 and all(
        isinstance(one, list) and len(one) <= 32 and all(isinstance(text, str) and len(text) <= VALUE_CHARACTERS for text in one) for one in value
    )


def unspeakable(answer: messages.Answer) -> str | None:
    """Why the notes in an answer are none of ours; None when all can be said."""
    try:
        for code, values in answer.notes if isinstance(answer, messages.Prepared) else ():
            if not all(isinstance(value, str | int | float | None) for value in values.values()):
                raise ValueError("a value that is neither text nor number")
            say(code, values)
    except SPEECH_ERRORS as error:
        return f"a note that is none ({error})"[:300]
    return None


def start_failure(python: str, said: str) -> Failure:
    """Why no worker came to life, from what its interpreter said: a package that it lacks is named."""
    details = {"log": said}
    missing = _MISSING.search(last_line(said))
    if missing is not None:
        return failure("engine-lost", "interpreter-lacks", {"python": python, "package": missing[1]}, details)
    return failure("engine-lost", "engine-failed", {"error": last_line(said)}, details)


def last_line(text: str) -> str:
    """The last line of a text that says something, at most 300 characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else "")[:300]

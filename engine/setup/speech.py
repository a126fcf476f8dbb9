"""What set-up says, in the language of the system, and the one exception that ends it."""

from __future__ import annotations

import os
from typing import Any

from engine.words.setup import TABLE


class SetupStopped(Exception):
    """Set-up cannot go on: `summary` says what is wrong with which thing, `hint` what to do."""

    def __init__(self, code: str, exit_code: int = 1, **values: Any) -> None:
        self.code = code
        self.exit_code = exit_code
        self.summary = say(code, **values)
        self.hint = say(f"{code}.hint", **values)
        super().__init__(f"{self.summary}\n{self.hint}")


_only_latin = False


def use_latin_letters() -> None:
    """Speak English from here on: what shows the sentences has no other letters."""
    global _only_latin
    _only_latin = True


def system_language() -> str:
    """`zh` where the system speaks Chinese, else `en`."""
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def say(code: str, language: str | None = None, **values: Any) -> str:
    """The sentence for `code` with `values` put in."""
    return TABLE[code][(language or system_language()) == "zh" and not _only_latin].format(**values)


def say_bytes(count: int) -> str:
    """A size for the eye, in decimal units as downloads are given."""
    if count >= 1_000_000_000:
        return f"{count / 1e9:.1f} GB"
    if count >= 1_000_000:
        return f"{count / 1e6:.{0 if count >= 10_000_000 else 1}f} MB"
    return f"{count / 1e3:.0f} kB"

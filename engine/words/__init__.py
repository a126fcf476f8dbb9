"""Words for codes: one table an area, English and Simplified Chinese side by side; nobody else makes sentences from values."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:       # set-up speaks before anything is installed
    from engine.result import Failure

AREAS = ("files", "loading", "inputs", "search", "confinement", "outcomes", "comparison", "batches", "switches", "replicas", "measuring", "self_cost", "trust", "capabilities", "setup", "report", "window")
LANGUAGES = ("en", "zh")

Table = dict[str, tuple[str, str]]
"""code -> (English, Simplified Chinese), each a `str.format` template over the values."""

_table: Table = {}


def table() -> Table:
    """All areas in one table; a code stands in one area only."""
    if not _table:
        for area in AREAS:
            part: Table = importlib.import_module(f"engine.words.{area}").TABLE
            _table.update(part)
    return _table


def say(code: str, values: dict[str, Any] | None = None, language: str = "en") -> str:
    """The sentence for `code` with `values` put in; raises KeyError for an unknown code or a missing value.

    A value that is itself `{"say": code, "values": {...}}` is worded first, in the same language.
    """
    said = {name: _worded(value, language) for name, value in (values or {}).items()}
    return table()[code][LANGUAGES.index(language)].format(**said)


def _worded(value: Any, language: str) -> Any:
    if not isinstance(value, dict) or value.keys() != {"say", "values"}:
        return value
    try:
        return say(value["say"], value["values"], language)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):      # a code or values of another version
        return str(value["say"])


def failure(code: str, say_code: str, values: dict[str, Any] | None = None, details: dict[str, Any] | None = None) -> Failure:
    """A `Failure` worded in English from `say_code` and `say_code + ".hint"`, keeping code and values for other languages."""
    from engine.result import Failure

    values = values or {}
    hint = say(f"{say_code}.hint", values) if f"{say_code}.hint" in table() else ""
    return Failure(code=code, summary=say(say_code, values), hint=hint, details=details or {}, say=say_code, values=values)

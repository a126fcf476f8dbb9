"""Every sentence that the window shows, by code, in the language of the moment; switching tells whoever listens."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QLocale, QObject, Signal

from engine import words
from gui.words import batches, compare, figures, looking, models, own_cost, replicas, setup, switches, views, window

LANGUAGES = ("en", "zh")
TABLE: dict[str, tuple[str, str]] = {
    **window.TABLE, **setup.TABLE, **models.TABLE, **looking.TABLE, **views.TABLE, **own_cost.TABLE, **compare.TABLE, **batches.TABLE, **figures.TABLE,
    **switches.TABLE, **replicas.TABLE,
}


class Language(QObject):
    """The language of the moment; `changed` asks every widget to say its words again."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.code = "en"


current = Language()


def language() -> str:
    """`en` or `zh`."""
    return current.code


def set_language(code: str) -> None:
    """Switch, live; widgets connected to `current.changed` say their words again."""
    if code not in LANGUAGES:
        raise ValueError(code)
    if code != current.code:
        current.code = code
        current.changed.emit()


def system_language() -> str:
    """`zh` where the system speaks Chinese, else `en`."""
    return "zh" if QLocale.system().language() == QLocale.Language.Chinese else "en"


def say(code: str, **values: Any) -> str:
    """The words for `code` with `values` put in; raises KeyError for an unknown code or a missing value."""
    return TABLE[code][LANGUAGES.index(current.code)].format(**values)


def say_hint(code: str, values: dict[str, Any], hint: str = "") -> str:
    """What to do about one of the engine's codes, here: where the command line speaks of its options, the window has words of its own."""
    named = f"{code}.hint.window" if f"{code}.hint.window" in words.table() else f"{code}.hint"
    return say_reason(named, {name: _for_window(value) for name, value in values.items()}, hint)


def _for_window(value: Any) -> Any:
    """A sentence within a sentence (engine.words), in the window's words where it has some of its own."""
    inner = f"{value.get('say')}.window" if isinstance(value, dict) else ""
    return {**value, "say": inner} if inner in words.table() else value


def say_reason(code: str, values: dict[str, Any], sentence: str = "") -> str:
    """The engine's words for one of its codes; a code from a newer program keeps the sentence that came with it."""
    try:
        return words.say(code, values, current.code)
    except (KeyError, IndexError, ValueError, TypeError):
        return sentence or code

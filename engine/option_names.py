"""What a configuration's options are called, in both languages: short words for the name of a row."""

from __future__ import annotations

from collections.abc import Container

from engine.job import Configuration
from engine.largest import parse_max
from engine.words import say, table

ORDER = ("batch", "micro_batch", "memory_format", "grad", "mode")
"""Size first, then the switches."""


def option_names(configuration: Configuration, language: str = "en", without: Container[str] = ()) -> list[str]:
    """`channels_last`, `grad kept`, `micro-batches of 8`, `max 75 %`, in one order; an option of a newer program stands as it is."""
    names = [name for name in configuration.options if name not in without]
    ordered = [*(name for name in ORDER if name in names), *sorted(set(names) - set(ORDER))]
    return [option_name(configuration, name, language) for name in ordered]


def option_name(configuration: Configuration, name: str, language: str = "en") -> str:
    """One of the options in a few words."""
    value = configuration.options[name]
    if name == "micro_batch" and isinstance(value, int) and value > 0:
        return say("option.micro_batch", {"size": -(-configuration.batch_size // value)}, language)
    if name == "batch" and (asked := parse_max(str(value))) is not None:
        return say("option.max" if asked.share_percent is None else "option.max-share", {"percent": f"{asked.share_percent or 100:g}"}, language)
    code = f"option.{name}.{value}"
    return say(code, {}, language) if code in table() else f"{name}={value}"

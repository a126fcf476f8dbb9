"""Lists that people type, batch sizes and threads, read as the command line reads them."""

from __future__ import annotations

from engine.matrix import parse_batches, parse_threads

_CHINESE_PUNCTUATION = str.maketrans("，：、％", ",:,%")


def parse_batch_text(typed: str) -> tuple[int | str, ...]:
    """`1,8,32`, `1:64` (doubling), `max` or `max:75%`; empty means the default. Raises SettingError."""
    return parse_batches(typed.translate(_CHINESE_PUNCTUATION))


def parse_threads_text(typed: str) -> tuple[int, ...]:
    """`1,2,4`; empty means the default. Raises SettingError."""
    return parse_threads(typed.translate(_CHINESE_PUNCTUATION))


def format_list(values: tuple[int, ...] | tuple[int | str, ...]) -> str:
    """The list as it is read again."""
    return ",".join(str(value) for value in values)

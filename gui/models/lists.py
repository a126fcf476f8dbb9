"""Lists that people type: batch sizes and threads."""

from __future__ import annotations

LARGEST = 1 << 20
MOST_VALUES = 64


class ListError(ValueError):
    """A typed list that cannot be read; `code` (in gui.text) and `values` say what is wrong with which part."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values


def parse_list(text: str) -> tuple[int, ...]:
    """`1,8,32`, `1:64` (doubling), or a mix; in the order given, each once. Raises ListError."""
    values: dict[int, None] = {}
    for part in text.replace("，", ",").replace("：", ":").split(","):
        if part.strip():
            values.update(dict.fromkeys(_part(part.strip())))
    if not values:
        raise ListError("list.empty")
    if len(values) > MOST_VALUES:
        raise ListError("list.too-many", limit=MOST_VALUES)
    return tuple(values)


def format_list(values: tuple[int, ...]) -> str:
    """The list as `parse_list` reads it."""
    return ",".join(str(value) for value in values)


def _part(part: str) -> tuple[int, ...]:
    if ":" not in part:
        return (_number(part),)
    low, _, high = part.partition(":")
    first, last = _number(low.strip()), _number(high.strip())
    if first > last:
        raise ListError("list.backwards", part=part)
    return _doubling(first, last)


def _doubling(first: int, last: int) -> tuple[int, ...]:
    values = [first]
    while values[-1] * 2 <= last:
        values.append(values[-1] * 2)
    return (*values, last) if values[-1] != last else tuple(values)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 0 < int(text) <= LARGEST):
        raise ListError("list.not-a-number", part=text, limit=LARGEST)
    return int(text)

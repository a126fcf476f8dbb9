"""Finding what a dotted place such as `model.state_dict` or `0.ema` leads to inside a loaded file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def descend(content: Any, place: str | None) -> Any:
    """What lies at `place`; keys may hold dots themselves, so the longest key that fits is taken first. Raises KeyError."""
    if not place:
        return content
    for key, child in _children(content, place):
        if place == key:
            return child
        if place.startswith(f"{key}."):
            return descend(child, place[len(key) + 1 :])
    raise KeyError(place)


def _children(content: Any, place: str) -> list[tuple[str, Any]]:
    """Name and value of what `place` may begin with, longest name first: keys of a mapping, indices of a list, attributes of an object."""
    if isinstance(content, Mapping):
        named = [(str(key), value) for key, value in content.items()]
        return sorted((pair for pair in named if place == pair[0] or place.startswith(f"{pair[0]}.")), key=lambda pair: -len(pair[0]))
    head = place.partition(".")[0]
    if isinstance(content, list | tuple):
        return [(head, content[int(head)])] if head.isdigit() and int(head) < len(content) else []
    return [(head, getattr(content, head))] if hasattr(content, head) else []

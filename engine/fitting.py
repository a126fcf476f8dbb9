"""How weights lie in a class: one measure for loading and for the search, on names and shapes alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.candidates import Fit
from engine.prefixes import strip

Shapes = Mapping[str, Sequence[int] | None]
"""Name -> shape; None takes any shape (a lazy layer before its first call)."""
NAMED = 20
"""Names that a `Fit` lists of each sort."""
_COUNTER = "num_batches_tracked"


def measure_fit(weights: Shapes, expected: Shapes) -> Fit:
    """The file's tensors beside the class's own, with what fits best taken off every key; counters of batches may be absent on either side."""
    prefix = best_prefix(weights, expected)
    named = {name.removeprefix(prefix): shape for name, shape in weights.items()}
    missing = [name for name in expected if name not in named and not name.endswith(_COUNTER)]
    unexpected = [name for name in named if name not in expected and not name.endswith(_COUNTER)]
    common = [name for name in expected if name in named]
    differing = [name for name in common if not _same(named[name], expected[name])]
    listed = [f"{name} {_sizes(named[name])} (class: {_sizes(expected[name])})" for name in differing[:NAMED]]
    return Fit(
        matching=len(common) - len(differing), keys=len(common) + len(missing) + len(unexpected), prefix=prefix, missing=tuple(missing[:NAMED]),
        unexpected=tuple(unexpected[:NAMED]), differing=tuple(listed), missing_count=len(missing), unexpected_count=len(unexpected), differing_count=len(differing),
    )


def best_prefix(weights: Iterable[str], expected: Iterable[str]) -> str:
    """What to take off every key of the file so that most names are the class's own: wrappers', or any part that all keys share; the shortest of equals."""
    names, wanted = list(weights), set(expected)
    candidates = sorted({"", strip(names)[0], *_shared_parts(names)}, key=len)
    return max(candidates, key=lambda prefix: sum(name.removeprefix(prefix) in wanted for name in names))


def _shared_parts(names: list[str]) -> list[str]:
    """`a.`, `a.b.` where every name begins so."""
    if not names:
        return []
    first, last = min(names), max(names)
    parts, found = first.split(".")[:-1], []
    for count in range(1, len(parts) + 1):
        prefix = ".".join(parts[:count]) + "."
        if not last.startswith(prefix):
            break
        found.append(prefix)
    return found


def _same(one: Sequence[int] | None, other: Sequence[int] | None) -> bool:
    return one is None or other is None or tuple(one) == tuple(other)


def _sizes(shape: Sequence[int] | None) -> str:
    return "[?]" if shape is None else f"[{', '.join(str(size) for size in shape)}]"

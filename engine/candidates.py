"""Classes that may belong to bare weights, and how well each one fits."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

Origin = Literal["remembered", "file", "config", "torchvision", "timm", "transformers"]


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """Weights laid beside a class's own state dict, wrapper prefixes taken off; each list holds the first names only."""

    matching: int
    """Keys that both have, with equal shapes."""
    keys: int
    """Keys of either."""
    prefix: str = ""
    """What was taken off every key of the file, e.g. `module.`."""
    missing: tuple[str, ...] = ()
    """Keys of the class that the file lacks: these weights would stay random."""
    unexpected: tuple[str, ...] = ()
    """Keys of the file that the class lacks."""
    differing: tuple[str, ...] = ()
    """`key [shape in the file] (class: [its shape])`."""
    missing_count: int = 0
    unexpected_count: int = 0
    differing_count: int = 0

    @property
    def score(self) -> float:
        """Share of keys that match, 0..1."""
        return self.matching / self.keys if self.keys else 0.0

    @property
    def perfect(self) -> bool:
        """Nothing is missing, left over or of another shape."""
        return self.keys > 0 and self.matching == self.keys


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One class that may fit."""

    spec: str
    """As `--arch` names it: `/path/net.py:Net(width=3)` or `torchvision.models:resnet18(num_classes=10)`."""
    origin: Origin
    score: float
    """Share of keys (and shapes, where `fit` is there) that match, 0..1; without `fit` it was read from the source alone, nothing being imported."""
    fit: Fit | None = None
    needs: tuple[str, ...] = ()
    """Constructor arguments without a default that could not be found: to be typed."""

    @property
    def perfect(self) -> bool:
        """It was built, every key and shape fits, and no argument is left that the weights do not tell (a number of heads)."""
        return self.fit is not None and self.fit.perfect and not self.needs


def best_first(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Perfect ones first, then those that fit best; last those that could not be built for want of arguments."""
    return tuple(sorted(candidates, key=lambda each: (each.fit is None, not each.perfect, bool(each.needs), -each.score)))


def short_spec(spec: str) -> str:
    """A spec as it is shown: the file's name, not its folder."""
    where, _, rest = spec.partition(".py:")
    return f"{Path(where).name}.py:{rest}"[:200] if rest else spec[:200]

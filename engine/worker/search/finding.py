"""The arguments with which a class fits the weights best: one argument after another, within a bound of builds and of time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from engine.candidates import Fit
from engine.fitting import measure_fit
from engine.worker.search.building import Builder, NotBuilt, Shapes
from engine.worker.search.parameters import MISSING, Parameter

BUILDS_LIMIT = 400
TIME_LIMIT_S = 10.0
_ROUNDS = 4
_PAIR_OPTIONS = 10
_ALTERNATIVES = 6
Values = dict[str, Any]


class Result(NamedTuple):
    """What came out: the arguments, how the weights fit then, and required arguments that the weights do not tell."""

    values: Values
    fit: Fit
    untold: tuple[str, ...] = ()


class Tried(NamedTuple):
    """One build: what it is worth, and its fit."""

    worth: float
    fit: Fit


class Finder:
    """A search for the arguments of one class."""

    def __init__(
        self, make: Callable[[Values], Any], parameters: list[Parameter], weights: Mapping[str, tuple[int, ...]], builder: Builder,
        limit_s: float = TIME_LIMIT_S, clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make, self._parameters, self._weights, self._builder, self._clock = make, parameters, weights, builder, clock
        self._deadline = clock() + limit_s
        self._kept: dict[str, Tried | None] = {}
        self.reason = ""
        """Why the first build failed."""

    @property
    def builds(self) -> int:
        """How many builds were tried."""
        return len(self._kept)

    def plain(self) -> Result | None:
        """With defaults and what the configuration says; None when that cannot be built or arguments are missing."""
        for values in self._starts():
            if (tried := self._try(values)) is not None:
                return Result(values, tried.fit)
        return None

    def best(self) -> Result | None:
        """The best arguments found; None when nothing could be built."""
        values = self._first_that_builds()
        if values is None:
            return None
        for _ in range(_ROUNDS):
            before = self._worth(values)
            values = self._improve(values)
            if self._is_over(values) or self._worth(values) <= before:
                break
        if not self._is_over(values):
            values = self._improve_pairs(values)
        tried = self._try(values)
        assert tried is not None
        return Result(values, tried.fit, self._untold(values) if tried.fit.perfect else ())

    # -- one build ----------------------------------------------------------------------------------------------------

    def _try(self, values: Values) -> Tried | None:
        """Build once for the same arguments; None when it cannot be built, or nothing may be tried any more."""
        key = repr(sorted(values.items()))
        if key not in self._kept:
            left_s = self._deadline - self._clock()
            if self._kept and (self.builds >= BUILDS_LIMIT or left_s <= 0):
                return None
            self._kept[key] = self._build(values, left_s)
        return self._kept[key]

    def _build(self, values: Values, left_s: float) -> Tried | None:
        self._builder.limit_s = max(1.0, left_s)
        try:
            shapes = self._builder.shapes(lambda: self._make(values))
        except NotBuilt as error:
            self.reason = self.reason or str(error)
            return None
        fit = measure_fit(self._weights, shapes)
        return Tried(worth(self._weights, shapes, fit), fit)

    def _worth(self, values: Values) -> float:
        tried = self._try(values)
        return -1.0 if tried is None else tried.worth

    def _is_over(self, values: Values) -> bool:
        tried = self._try(values)
        return (tried is not None and tried.fit.perfect) or self.builds >= BUILDS_LIMIT or self._clock() > self._deadline

    # -- where to begin -----------------------------------------------------------------------------------------------

    def _starts(self) -> Iterator[Values]:
        """With what the configuration says; then with what must be given only."""
        first: Values = {}
        for each in self._parameters:
            if each.configured is not MISSING and not each.is_pinned and repr(each.configured) != repr(each.default):
                first[each.name] = each.configured
            elif each.required or (each.is_pinned and each.options and each.default is True):
                if not each.options:
                    return
                first[each.name] = each.options[0]
        yield first
        needed = {each.name: each.options[0] for each in self._parameters if each.options and (each.required or (each.is_pinned and each.default is True))}
        if needed != first:
            yield needed

    def _first_that_builds(self) -> Values | None:
        """A start that can be built at all: one argument changed, then several."""
        starts = list(self._starts())
        for values in starts:
            if self._try(values) is not None:
                return values
        open_ones = [each for each in self._parameters if not each.is_pinned and each.options and (each.required or each.default is None)]
        for values in starts:
            for each in open_ones:
                for option in each.options:
                    if self._try({**values, each.name: option}) is not None:
                        return {**values, each.name: option}
            for chosen in itertools.islice(itertools.product(*(each.options[:_PAIR_OPTIONS] for each in open_ones[:4])), BUILDS_LIMIT // 2):
                tried = {**values, **dict(zip((each.name for each in open_ones), chosen, strict=False))}
                if self._try(tried) is not None:
                    return tried
        return None

    # -- climbing -----------------------------------------------------------------------------------------------------

    def _improve(self, values: Values) -> Values:
        """The best option of each argument in turn, the others left as they are: what must be given and what the source names first."""
        for each in sorted(self._parameters, key=lambda one: (not one.required, len(one.options))):
            if each.is_pinned:
                continue
            for option in self._options(each):
                changed = {name: value for name, value in values.items() if name != each.name} | ({} if option is MISSING else {each.name: option})
                if self._worth(changed) > self._worth(values):
                    values = changed
                if self._is_over(values):
                    return values
        return values

    def _options(self, parameter: Parameter) -> list[Any]:
        """Its options, and its default by not naming it."""
        return [*parameter.options, *([] if parameter.required else [MISSING])]

    def _improve_pairs(self, values: Values) -> Values:
        """Two arguments at once, where one alone does not help."""
        movable = [each for each in self._parameters if not each.is_pinned and each.options]
        for one, other in itertools.combinations(movable, 2):
            for chosen in itertools.product(one.options[:_PAIR_OPTIONS], other.options[:_PAIR_OPTIONS]):
                changed = {**values, one.name: chosen[0], other.name: chosen[1]}
                if self._worth(changed) > self._worth(values):
                    values = changed
                if self._is_over(values):
                    return values
        return values

    def _untold(self, values: Values) -> tuple[str, ...]:
        """Required arguments of which another value fits as well: the weights do not tell them (number of heads), so somebody has to."""
        found = []
        for each in self._parameters:
            if not each.required or each.is_pinned or each.configured is not MISSING or each.name not in values:
                continue
            others = [option for option in each.options if option != values[each.name]][:_ALTERNATIVES]
            if any((tried := self._try({**values, each.name: option})) is not None and tried.fit.perfect for option in others):
                found.append(each.name)
        return tuple(found)


def worth(weights: Mapping[str, tuple[int, ...]], expected: Shapes, fit: Fit) -> float:
    """Share of keys that match, where a key with some equal sizes counts in part: it tells which way to go."""
    total = 0.0
    for key, shape in weights.items():
        name = key.removeprefix(fit.prefix)
        if name not in expected or name.endswith("num_batches_tracked"):
            continue
        there = expected[name]
        if there is None or there == shape:
            total += 1.0
        elif len(there) == len(shape):
            total += 0.4 + 0.4 * sum(one == other for one, other in zip(there, shape, strict=True)) / len(shape)
        else:
            total += 0.2
    return total / fit.keys if fit.keys else 0.0

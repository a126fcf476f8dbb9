"""The search for the largest batch that fits: which batch to try next, judged from those that were tried; pure, nobody acts here.

Doubling from the least batch until one does not fit, then bisecting between the largest that fits and the smallest that does not. A batch counts as
fitting only when it was seen to run, and the other end only when it was seen to fail. Peaks grow about linearly with the batch, so after two that fit the
peak of a larger one is foretold: where the next doubling would be far beyond the limit it is not even started, and the search goes on from the
foretold boundary in strides that double.
"""

from __future__ import annotations

import msgspec

from engine.result import Largest, Probe

PRECISION = 32
"""The search ends when the next larger batch known to fail is within 1/32 of the size (within 1: exact below 64)."""
PRECISION_REJECTED = 8
"""And within 1/8 once a batch that fitted when it was tried ran out of memory when it was measured: so near the limit chance decides."""
FAR = 1.25
"""A batch whose foretold peak is so many times the limit is not started."""
MOST = 2**22
"""No larger batch is tried: beyond that the size of the numbers is what fails, not the memory."""


class Asked(msgspec.Struct, frozen=True):
    """What was written: `max`, or `max:75%`."""

    share_percent: float | None = None


def parse_max(text: str) -> Asked | None:
    """What `max` or `max:75%` asks for; None where it is neither (a share is above 0 and at most 100)."""
    word, colon, share = text.strip().lower().partition(":")
    if word.strip() != "max":
        return None
    if not colon:
        return Asked()
    try:
        percent = float(share.strip().removesuffix("%")) if share.strip().endswith("%") else 0.0
    except ValueError:
        return None
    return Asked(percent) if 0 < percent <= 100 else None


class Search:
    """One search; `next_batch` and `tell` in turn until there is none left to try."""

    def __init__(self, least: int, limit_bytes: int | None = None, most: int = MOST) -> None:
        self._least, self._limit, self._most = max(1, least), limit_bytes, max(least, most)
        self.probes: list[Probe] = []
        self._fits = 0
        """The largest that was seen to fit; 0 before the first."""
        self._fails: int | None = None
        """The smallest that was seen not to fit."""
        self._stride = 0
        self._precision = PRECISION

    @property
    def largest(self) -> int | None:
        """The largest batch that was seen to fit so far."""
        return self._fits or None

    @property
    def smallest_failing(self) -> int | None:
        """The smallest batch that was seen not to fit."""
        return self._fails

    def next_batch(self) -> int | None:
        """The batch to try now; None when the search is over."""
        if not self._fits:
            return self._least if self._fails is None else None
        if self._fails is not None:
            return (self._fits + self._fails) // 2 if self._fails - self._fits > within(self._fits, self._precision) else None
        if self._fits >= self._most:
            return None
        return min(self._most, self._upwards())

    def _upwards(self) -> int:
        """Twice the size, or where that would be far beyond the limit, about as much as is foretold to fit."""
        double = 2 * self._fits
        if not self._is_far(double):
            self._stride = 0
            return double
        self._note_foretold(double)
        self._stride = max(within(self._fits), 2 * self._stride)
        return min(double - 1, max(self._fits + self._stride, self._foretold_boundary()))

    def _is_far(self, batch: int) -> bool:
        foretold = self.foretell(batch)
        return self._limit is not None and foretold is not None and foretold > FAR * self._limit

    def _note_foretold(self, batch: int) -> None:
        """Say that this batch was not started, and why; of several the smallest."""
        if all(probe.foretold_bytes is None or probe.batch_size > batch for probe in self.probes):
            self.probes.append(Probe(batch_size=batch, fits=False, foretold_bytes=self.foretell(batch)))

    def _foretold_boundary(self) -> int:
        """The largest batch whose foretold peak is within the limit; only where a line is known."""
        line = self._line()
        if line is None or self._limit is None:
            return 0
        base, each = line
        step = within(self._fits)
        return int((self._limit - base) / each) // step * step

    def foretell(self, batch: int) -> int | None:
        """The peak that a larger batch would have, were it to grow as it did so far; None while nobody can say."""
        line = self._line()
        return None if line is None else int(line[0] + line[1] * batch)

    def _line(self) -> tuple[float, float] | None:
        """Bytes at batch 0 and for each item, through the two largest that fit and were far enough apart; None unless it rises."""
        seen = sorted({probe.batch_size: probe.peak_bytes for probe in self.probes if probe.fits and probe.peak_bytes is not None}.items())
        if len(seen) < 2:
            return None
        last, peak = seen[-1]
        before, lower = next(((batch, held) for batch, held in reversed(seen[:-1]) if 2 * batch <= last), seen[0])
        each = (peak - lower) / (last - before)
        return (peak - each * last, each) if each > 0 else None

    def tell(self, probe: Probe) -> None:
        """What came of the batch that was asked for last."""
        self.probes = [each for each in self.probes if each.batch_size != probe.batch_size or each.foretold_bytes is None]
        self.probes.append(probe)
        if probe.fits:
            self._fits = max(self._fits, probe.batch_size)
        else:
            self._bound(probe.batch_size)

    def reject(self, batch: int) -> None:
        """A batch that was seen to fit ran out of memory all the same: it and all above it are out, and one that fits is taken from well below."""
        self._precision = PRECISION_REJECTED
        self.probes = [msgspec.structs.replace(each, fits=False) if each.batch_size >= batch else each for each in self.probes]
        self._bound(batch)

    def _bound(self, batch: int) -> None:
        self._fails = batch if self._fails is None else min(self._fails, batch)
        fitting = [probe.batch_size for probe in self.probes if probe.fits and probe.batch_size < self._fails]
        self._fits = max(fitting, default=0)

    def result(self, share_percent: float | None = None) -> Largest | None:
        """What was found; None when not even the least batch fits."""
        if not self._fits:
            return None
        return Largest(
            batch_size=self._fits, limit_bytes=self._limit, share_percent=share_percent, probes=tuple(self.probes), fails_at=self._fails
        )


def within(batch: int, precision: int = PRECISION) -> int:
    """How near the next larger failing batch has to be."""
    return max(1, batch // precision)

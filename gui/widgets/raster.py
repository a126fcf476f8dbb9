"""Samples as points on a grid of pixels: every sample is counted, new ones are added to what is there, a million cost milliseconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

Floats = NDArray[np.float64]
CHUNK = 250_000
"""Samples handled by one call: none may hold the interpreter long."""
View = tuple[float, float, float, float, int, int]
"""Left, right, bottom, top in data, width and height in pixels."""


class Raster:
    """How many samples fell on each pixel of a view; those above it are counted by column."""

    def __init__(self) -> None:
        self._view: View | None = None
        self._drawn = 0
        self._counts: NDArray[np.intp] = np.zeros((1, 1), np.intp)
        self.above: NDArray[np.bool_] = np.zeros(1, np.bool_)
        self.above_count = self._total = 0
        self._image: tuple[tuple[str, int, float], QImage] | None = None

    def draw(self, x: Floats, y: Floats, view: View) -> bool:
        """Bring the counts up to date with series that only ever grow; True when anything changed."""
        if view == self._view and self._drawn == len(x):
            return False
        self._image = None
        if view != self._view or self._drawn > len(x):
            self._clear(view)
        for start in range(self._drawn, len(x), CHUNK):
            self._add(x[start : start + CHUNK], y[start : start + CHUNK])
        self._drawn = len(x)
        return True

    def image(self, colour: str, size: int = 2, strength: float = 1.0) -> QImage:
        """Points of `size` pixels; where many samples share a pixel it is more opaque."""
        if self._image is None or self._image[0] != (colour, size, strength):
            pixels = np.ascontiguousarray(_table(colour, strength)[np.minimum(_widened(self._counts, size), _LEVELS - 1)])
            height, width = pixels.shape
            # The image borrows the bytes; the copy owns its own.
            made = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()
            self._image = (colour, size, strength), made
        return self._image[1]

    def above_runs(self, near: int) -> list[tuple[int, int]]:
        """First and last column of each stretch in which something lies above; gaps of up to `near` columns are bridged."""
        columns = np.flatnonzero(self.above)
        if not len(columns):
            return []
        breaks = np.flatnonzero(np.diff(columns) > near)
        return list(zip(columns[np.r_[0, breaks + 1]].tolist(), columns[np.r_[breaks, len(columns) - 1]].tolist(), strict=True))

    @property
    def total(self) -> int:
        """How many samples are inside the view."""
        return self._total

    def _clear(self, view: View) -> None:
        self._view, self._drawn = view, 0
        self._counts = np.zeros((max(1, view[5]), max(1, view[4])), np.intp)
        self.above = np.zeros(max(1, view[4]), np.bool_)
        self.above_count = self._total = 0

    def _add(self, x: Floats, y: Floats) -> None:
        assert self._view is not None
        left, right, bottom, top, _, _ = self._view
        height, width = self._counts.shape
        # Times ascend, so what lies outside the view is cut off without looking at it.
        begin, end = np.searchsorted(x, (left, right))
        if begin == end:
            return
        rows = np.subtract(top, y[begin:end])
        rows *= height / (top - bottom)
        columns = np.subtract(x[begin:end], left)
        columns *= width / (right - left)
        np.minimum(columns, width - 1, out=columns)
        places = columns.astype(np.intp)
        above, below = rows < 0, rows >= height
        hidden = above | below
        flat = rows.astype(np.intp)
        flat *= width
        flat += places
        if hidden.any():
            self.above[places[above]] = True
            self.above_count += int(np.count_nonzero(above))
            flat = flat[~hidden]
        self._total += len(flat)
        self._counts += np.bincount(flat, minlength=width * height).reshape(height, width)


_LEVELS = 64


def _table(colour: str, strength: float) -> NDArray[np.uint32]:
    """Premultiplied ARGB by count: a lone sample is seen, a crowd is solid."""
    counts = np.arange(_LEVELS)
    alpha = np.where(counts > 0, (0.72 + 0.28 * (1 - np.exp(-(counts - 1) / 3.0))) * strength, 0.0)
    base = QColor(colour)
    channels = [np.round(255 * alpha), *(np.round(part * alpha) for part in (base.red(), base.green(), base.blue()))]
    a, r, g, b = (channel.astype(np.uint32) for channel in channels)
    return (a << np.uint32(24)) | (r << np.uint32(16)) | (g << np.uint32(8)) | b


def _widened(counts: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Each point grown to a square of `size` pixels."""
    for axis in (0, 1):
        grown = counts.copy()
        for step in range(1, size):
            target, source = [slice(None), slice(None)], [slice(None), slice(None)]
            target[axis], source[axis] = slice(step, None), slice(None, -step)
            np.maximum(grown[tuple(target)], counts[tuple(source)], out=grown[tuple(target)])
        counts = grown
    return counts

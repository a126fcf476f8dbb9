"""Growing arrays for plots: appending is amortised, reading is a view without a copy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
XY = tuple[Floats, Floats]


class GrowingXY:
    """Two float64 columns that double their room when full."""

    def __init__(self) -> None:
        self._xy: Floats = np.empty((2, 256))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, x: Floats, y: Floats) -> None:
        """Append arrays of equal length."""
        needed = self._count + len(x)
        if needed > self._xy.shape[1]:
            grown: Floats = np.empty((2, max(needed, 2 * self._xy.shape[1])))
            grown[:, : self._count] = self._xy[:, : self._count]
            self._xy = grown
        self._xy[0, self._count : needed] = x
        self._xy[1, self._count : needed] = y
        self._count = needed

    def xy(self) -> XY:
        """What is there now; a later append never changes what was returned."""
        return self._xy[0, : self._count], self._xy[1, : self._count]


class SeriesBuffer:
    """Values over time, warm-up and steady apart; `revision` grows with every append."""

    def __init__(self) -> None:
        self._steady = GrowingXY()
        self._warm_up = GrowingXY()
        self.revision = 0

    def __len__(self) -> int:
        return len(self._steady) + len(self._warm_up)

    def extend(self, t_s: Floats, values: Floats, warm_up: bool = False) -> None:
        """Append arrays of equal length."""
        (self._warm_up if warm_up else self._steady).extend(t_s, values)
        self.revision += 1

    def append(self, t_s: float, value: float) -> None:
        """Append one steady value."""
        self.extend(np.array([t_s]), np.array([value]))

    def xy(self) -> XY:
        """The steady values; for a timeline that is all of them."""
        return self._steady.xy()

    steady_xy = xy

    def warm_up_xy(self) -> XY:
        """The warm-up values, which enter no figure."""
        return self._warm_up.xy()

"""Words of figures, graphs, results and details."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {}

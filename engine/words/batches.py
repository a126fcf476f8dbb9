"""Words for batch sizes: the largest that fits, the curve, and what memory is held by whom."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {}

"""Words for several devices at once."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {}

"""Words for what cannot exist on a machine."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {}

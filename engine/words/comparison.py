"""Words for a comparison of two configurations."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {}

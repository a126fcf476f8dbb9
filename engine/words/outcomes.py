"""Words for what came of a configuration."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {}

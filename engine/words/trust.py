"""Words for how far a figure may be believed, and why measuring stopped."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {}

"""Words of the setup part of the window."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {}

"""Words for what a file is and why it was refused."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {}

"""Words for memory format, gradients, train mode, and what they do."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {}

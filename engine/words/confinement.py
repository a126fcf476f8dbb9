"""Words for what holds a worker that runs foreign code."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
}

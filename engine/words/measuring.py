"""Words for phases, copies, energy and the program's own cost."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {}

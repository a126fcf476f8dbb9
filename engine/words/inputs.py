"""Words for inputs that were guessed, tried and refused."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
}

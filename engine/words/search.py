"""Words for the search for the class of bare weights."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
}

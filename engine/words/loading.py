"""Words for loading whole modules, exported programs and folders."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
}

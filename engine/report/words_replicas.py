"""Words of the page for several devices at once."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "replicas.title": ("Each replica", "各副本"),
    "replicas.line": ("{p50} (p50) · {rate} · {memory} at the peak", "{p50}(p50)· {rate} · 峰值 {memory}"),
}

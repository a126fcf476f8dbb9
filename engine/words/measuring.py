"""Words for phases, copies, energy and the program's own cost."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "extras-failed": ("Figures beside the loop (copies, energy, rest) are missing: {error}", "循环之外的数据(拷贝、能耗、间歇)缺失:{error}"),
}

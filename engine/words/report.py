"""Words for making the page of a run."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "report-onto-run": ("{path} is the run itself: the page would take its place.", "{path} 就是运行记录本身:网页会将其覆盖。"),
    "report-onto-run.hint": ("Give another name with -o, for example report.html.", "请用 -o 指定其他名称,例如 report.html。"),
}

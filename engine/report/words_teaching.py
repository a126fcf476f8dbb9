"""Words of the page for what each switch did."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "teach.title": ("What each switch does", "各开关的作用"),
    "teach.note": (
        "Against the first row, {name}. Memory: what running takes beyond the loaded model. Outputs: against eval and inference_mode on the same inputs.",
        "与第一行 {name} 比较。内存:运行时超出已加载模型的部分。输出:与相同输入下 eval 和 inference_mode 的输出比较。",
    ),
    "teach.switch": ("Switch", "开关"),
    "teach.plain": ("plain", "默认"),
    "teach.time": ("Time", "时间"),
    "teach.times": ("Of the first row", "与第一行之比"),
    "teach.memory": ("Memory", "内存"),
    "teach.more": ("{size} ({sign}{difference})", "{size}({sign}{difference})"),
    "teach.outputs": ("Outputs", "输出"),
}

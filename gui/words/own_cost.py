"""Words of the status strip for what the program itself costs."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "own-cost.unknown": ("own cost –", "自身开销 –"),
    "own-cost.unknown.tip": (
        "What the program itself adds to a latency was not measured on this machine with these versions.\nSome minutes on a quiet machine: python3 main.py doctor --self-cost",
        "尚未在本机以这些版本测量程序自身给延迟带来的影响。\n在空闲的机器上只需几分钟:python3 main.py doctor --self-cost",
    ),
    "own-cost.known": ("own cost {ratio}", "自身开销 {ratio}"),
    "own-cost.tip": (
        "{device}: own cost {own} {interval}, cost of watching {watching}, {rounds} rounds, {date}.\n"
        "Median under this program with its window drawing, over the same loop in a lone Python process beside the same window.",
        "{device}:自身开销 {own} {interval},观看开销 {watching},{rounds} 轮,{date}。\n程序运行且窗口绘制时的中位数,除以旁边有同样窗口的独立 Python 进程中同一循环的中位数。",
    ),
}

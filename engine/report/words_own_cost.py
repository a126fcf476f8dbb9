"""Words of the page for what the program itself costs."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "own-cost": ("What the program itself costs", "程序自身的开销"),
    "own-cost.device": ("on {device}", "{device} 上"),
    "own-cost.own": ("Own cost", "自身开销"),
    "own-cost.watching": ("Cost of watching", "观看开销"),
    "own-cost.goal": ("Goal for the own cost", "自身开销的目标"),
    "own-cost.goal-met": ("{low} – {high}: the whole interval lies within", "{low} – {high}:整个区间在其中"),
    "own-cost.goal-missed": ("{low} – {high}: the interval does not lie within", "{low} – {high}:区间不在其中"),
    "own-cost.rounds": ("Rounds", "轮次"),
    "own-cost.rounds-of": ("{rounds} of {wanted}; {disturbed} besides were disturbed by other programs and count for nothing", "{wanted} 轮中的 {rounds} 轮;另有 {disturbed} 轮受其他程序干扰,不计入"),
    "own-cost.measured": ("Measured", "测量时间"),
    "own-cost.with": ("With", "测量条件"),
    "own-cost.conditions": ("{model}, {seconds} s a stretch, window ({window}) drawn {frames} times a second", "{model},每段 {seconds} 秒,窗口({window})每秒绘制 {frames} 次"),
    "own-cost.definition": (
        "Own cost: the median latency under the program with its window drawing, over that of the same loop in a lone Python process with the same window drawing beside it. "
        "Cost of watching: the same, over the lone loop while the window stands still. Each round takes both in turn (A B C C B A) in new processes; the interval is Student’s t on the rounds.",
        "自身开销:程序运行且窗口绘制时的延迟中位数,除以独立 Python 进程中同一循环(旁边有同样的窗口绘制)的中位数。"
        "观看开销:同上,但除以窗口静止时独立循环的中位数。每轮在新进程中交替测量(A B C C B A);区间按各轮的学生 t 分布得出。",
    ),
    "own-cost.none": (
        "It was not measured on this machine with these versions. Some minutes on a quiet machine: {command}",
        "尚未在这台机器上以这些版本测量。在空闲的机器上只需几分钟:{command}",
    ),
    "own-cost.broken": ("The run’s figures of the own cost cannot be read.", "无法读取此次运行中的自身开销数据。"),
}

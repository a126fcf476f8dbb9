"""Words for a comparison of two configurations."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    # The verdict, as a sentence; `percent` is how far the ratio lies from 1.
    "verdict-FASTER": ("B is faster: its median is {percent:.1f} % below A's.", "B 更快:其中位数比 A 低 {percent:.1f}%。"),
    "verdict-SLOWER": ("B is slower: its median is {percent:.1f} % above A's.", "B 更慢:其中位数比 A 高 {percent:.1f}%。"),
    "verdict-SAME": ("Same: the medians differ by less than {band:.0f} %.", "相同:中位数之差小于 {band:.0f}%。"),
    "verdict-CANNOT-TELL": ("Cannot tell: the interval is too wide for a verdict.", "无法判断:区间太宽,无法得出结论。"),
    "verdict-needs": ("About {count} more blocks of each would be needed.", "大约每个还需 {count} 个测量块。"),
    # Why it ended.
    "compare-done": ("{rounds} rounds, {blocks} blocks of each, in turn; the interval shows a verdict.", "{rounds} 轮,每个 {blocks} 个测量块,交替测量;区间已足以得出结论。"),
    "compare-exhausted": (
        "{rounds} rounds, {blocks} blocks of each, in turn; this is the most, and the interval shows no verdict.",
        "{rounds} 轮,每个 {blocks} 个测量块,交替测量;已达上限,区间仍不足以得出结论。",
    ),
    "compare-time-limit": (
        "The limit of {seconds:.0f} s was reached after {rounds} rounds, {blocks} blocks of each.", "在 {rounds} 轮(每个 {blocks} 个测量块)后达到 {seconds:.0f} 秒的时限。",
    ),
    "compare-other-ended": ("It ended because the other of the two did.", "由于另一个配置已结束,它也随之结束。"),
    # Remarks.
    "compare-fresh-workers": (
        "Each round ran in workers of its own, so that what differs between two processes of one model is in the interval.", "每轮都使用新的工作进程,因此同一模型的两个进程之间的差异已计入区间。",
    ),
    "compare-same-workers": (
        "Starting takes {seconds:.1f} s, so the same two workers served all rounds: what differs between two processes of one model (up to some 2 %) is not in the interval.",
        "启动需要 {seconds:.1f} 秒,因此所有轮次使用同样的两个工作进程:同一模型两个进程之间的差异(可达 2% 左右)未计入区间。",
    ),
    "compare-inputs": ("Called with {inputs}.", "调用时的输入:{inputs}。"),
    # Refusals.
    "compare-no-room": (
        "{this} does not fit in memory beside {other}: comparing needs both in memory at once. {said}", "{this} 无法与 {other} 同时放入内存:对比需要两者同时在内存中。{said}",
    ),
    "compare-no-room.hint": (
        "Choose a smaller batch for both, or measure them one after the other with profile; on a busy machine that cannot show a small difference.",
        "请为两者选择更小的批大小,或用 profile 先后测量;在繁忙的机器上,那样看不出小的差异。",
    ),
    "compare-memory-short": ("the machine has {free} of {total} left.", "本机内存仅剩 {free}(共 {total})。"),
    "compare-one-each": ("{side} names {count} configurations.", "{side} 指定了 {count} 个配置。"),
    "compare-one-each.hint": ("Give each of A and B one value for every setting, e.g. model.pth::precision=bf16,batch=8.", "请为 A 和 B 的每项设置各给一个值,例如 model.pth::precision=bf16,batch=8。"),
    "compare-two": ("compare takes two models, A and B; {count} given.", "compare 需要两个模型 A 和 B;给出了 {count} 个。"),
    "compare-setting": ("{side} has a setting that compare does not know: {setting}.", "{side} 含有 compare 不认识的设置:{setting}。"),
    "compare-setting.hint": (
        "After :: write NAME=VALUE, separated by commas; names: {known}.", "请在 :: 之后写 名称=值,用逗号分隔;名称有:{known}。",
    ),
    "compare-batch-max": ("{side} asks for the largest batch; compare measures one that is known.", "{side} 要求寻找最大批大小;比较只测量已知的批大小。"),
    "compare-batch-max.hint": ("Find it with profile --batch max, then give that number.", "请先用 profile --batch max 找到它,再填入该数值。"),
    "compare-idle-gap": ("{side} asks for calls after a rest; compare measures tight loops in turn.", "{side} 要求测量休息后的调用;比较是交替测量紧密循环。"),
    "compare-idle-gap.hint": ("Leave out --idle-gap, or use profile.", "请去掉 --idle-gap,或使用 profile。"),
    "compare-same-job": ("A and B are the same configuration: what is compared is the machine with itself.", "A 与 B 是同一个配置:比较的是机器与它自己。"),
}

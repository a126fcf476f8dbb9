"""Words for what the program itself costs: `doctor --self-cost`, and the line about it in `doctor`."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "self-cost-option": (
        "measure what the program itself costs on this machine: some minutes, best with nothing else running", "测量程序自身在本机的开销:需要几分钟,最好不要同时运行其他程序",
    ),
    "self-cost-rounds": ("with --self-cost: rounds that must be quiet (10)", "与 --self-cost 连用:需要多少轮不受干扰的测量(10)"),
    "self-cost-seconds": ("with --self-cost: length of each of a round's six stretches (2)", "与 --self-cost 连用:每轮六段测量中每段的秒数(2)"),
    "self-cost-limit": ("with --self-cost: minutes after which no further round begins (20, for each device)", "与 --self-cost 连用:超过多少分钟后不再开始新的一轮(每个设备 20)"),
    "self-cost-device": ("with --self-cost: `cpu` or `cuda:0`; both where both are there", "与 --self-cost 连用:`cpu` 或 `cuda:0`;都有则都测"),
    "self-cost-json": ("with --self-cost: write the figures of every round to this file", "与 --self-cost 连用:把每一轮的数据写入此文件"),
    "self-cost-alone": ("{option} belongs to --self-cost.", "{option} 须与 --self-cost 连用。"),
    "self-cost-number": ("{option} takes a number from {low} to {high}, not {value}.", "{option} 应为 {low} 到 {high} 之间的数,而不是 {value}。"),
    "self-cost-no-device": ("This machine has no {device} to measure on.", "本机没有可供测量的 {device}。"),
    "self-cost-no-device.hint": ("`python3 main.py doctor` lists the devices.", "`python3 main.py doctor` 会列出设备。"),
    "self-cost-begins": (
        "{device}: {rounds} rounds of about {seconds} s each. Leave the machine alone meanwhile; a round that other programs disturb is repeated.",
        "{device}:{rounds} 轮,每轮约 {seconds} 秒。期间请勿使用这台机器;受其他程序干扰的轮次会重做。",
    ),
    "self-cost-stretch": ("{device}: {quiet} of {wanted} rounds, {disturbed} disturbed; stretch {number} of 6", "{device}:已完成 {quiet}/{wanted} 轮,{disturbed} 轮受干扰;第 {number}/6 段"),
    "self-cost-left": ("{line}; about {time} left", "{line};约剩 {time}"),
    "self-cost-own": (
        "{device}: own cost {ratio} {interval}: the median under the program with its window drawing, over the same loop in a lone Python process with the same window drawing beside it.",
        "{device}:自身开销 {ratio} {interval}:程序运行且窗口绘制时的中位数,除以独立 Python 进程中同一循环(旁边有同样的窗口绘制)的中位数。",
    ),
    "self-cost-watching": (
        "{device}: cost of watching {ratio} {interval}: the same, over the lone loop while the window stands still.", "{device}:观看开销 {ratio} {interval}:同上,除以窗口静止时独立循环的中位数。",
    ),
    "self-cost-goal-met": ("{device}: the interval lies within the goal, {low} to {high}.", "{device}:区间在目标 {low} 至 {high} 之内。"),
    "self-cost-goal-missed": ("{device}: the interval does not lie within the goal, {low} to {high}.", "{device}:区间不在目标 {low} 至 {high} 之内。"),
    "self-cost-goal-open": ("{device}: one round gives no interval; the goal is {low} to {high}.", "{device}:单轮测量没有区间;目标为 {low} 至 {high}。"),
    "self-cost-counted": (
        "{device}: {rounds} of {wanted} rounds, {disturbed} besides were disturbed by other programs (over {percent} % of the machine) and are in no figure; {model}, {seconds} s a stretch, "
        "window {window} drawn {frames} times a second.",
        "{device}:{wanted} 轮中完成 {rounds} 轮,另有 {disturbed} 轮受其他程序干扰(占用超过 {percent}%)而不计入;{model},每段 {seconds} 秒,窗口({window})每秒绘制 {frames} 次。",
    ),
    "self-cost-ran-out": ("{device}: the time was over before all rounds were taken.", "{device}:时间用完,未能测完所有轮次。"),
    "self-cost-too-few": ("The own cost on {device} was not measured: of {tried} rounds {quiet} were quiet.", "未能测得 {device} 上的自身开销:{tried} 轮中只有 {quiet} 轮未受干扰。"),
    "self-cost-too-few.hint": (
        "Close what else computes here and start again, or allow more time with --limit.", "请关闭其他占用处理器的程序后重试,或用 --limit 增加时间。",
    ),
    "self-cost-stored": ("Kept in {path}; runs on this machine show it from now on.", "已保存到 {path};今后本机的运行结果会显示它。"),
    "self-cost-round-failed": ("A round of the own cost could not be measured: {error}", "自身开销的一轮测量失败:{error}"),
    "self-cost-round-failed.hint": ("`python3 main.py doctor` says what is missing for the window or the model.", "`python3 main.py doctor` 会说明窗口或模型缺少什么。"),
    "self-cost-broken": ("The figures of the program's own cost cannot be read from {path}: {error}", "无法从 {path} 读取程序自身开销的数据:{error}"),
    "self-cost-broken.hint": ("Measure again: python3 main.py doctor --self-cost", "请重新测量:python3 main.py doctor --self-cost"),
    "self-cost-known": (
        "{device}: own cost {ratio} {interval}, cost of watching {watching}; {rounds} rounds, {date}", "{device}:自身开销 {ratio} {interval},观看开销 {watching};{rounds} 轮,{date}",
    ),
    "self-cost-unknown": ("What the program itself costs was not measured on this machine with these versions.", "尚未在本机以这些版本测量程序自身的开销。"),
    "self-cost-unknown.hint": ("Some minutes on a quiet machine: python3 main.py doctor --self-cost", "在空闲的机器上只需几分钟:python3 main.py doctor --self-cost"),
}

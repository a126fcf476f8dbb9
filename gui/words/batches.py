"""Words of the window about batch sizes: the largest that fits, the limit of memory, the curve."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "batch.max": ("max", "最大"),
    "batch.max.tip": (
        "Find the largest batch that fits: doubling, then bisecting,\neach try in a worker of its own. max:75% finds it under that share of memory.",
        "查找可容纳的最大批大小:先加倍,再二分,\n每次尝试都在单独的工作进程中。max:75% 表示不超过该比例的内存。",
    ),
    "axis.memory": ("Memory limit", "内存上限"),
    "memory-limit.tip": (
        "On the CPU no worker may hold more, for example 4GB.\nEmpty: no limit, and for max a safe part of what is free.",
        "在 CPU 上,工作进程不得占用更多,例如 4GB。\n留空:不限制;对 max 则使用空闲内存的安全部分。",
    ),
    "memory-limit.empty": ("safe", "安全值"),
    "state.finding": ("finding the largest batch", "正在查找最大批大小"),
    "state.finding-batch": ("finding the largest batch: trying {batch} (try {number})", "正在查找最大批大小:尝试 {batch}(第 {number} 次)"),
    "config.found": ("{asked}: {batch}", "{asked}:{batch}"),
    "config.micro": ("b{n} as {parts} × {size}", "b{n} 分 {parts} × {size}"),
    "fix.find-largest": ("Find the largest batch that fits", "查找可容纳的最大批大小"),
    "fix.micro-batches": ("Measure {batch} as {parts} micro-batches", "以 {parts} 份微批次测量 {batch}"),
    "fix.needs-model": ("The file is not among the open models.", "该文件不在已打开的模型中。"),
    "fix.needs-model.hint": ("Open {name} first.", "请先打开 {name}。"),
    "pane.curve": ("Batch curve", "批大小曲线"),
    "curve.throughput": ("items a second", "每秒条目数"),
    "curve.latency": ("p50", "p50"),
    "curve.memory": ("peak memory", "峰值内存"),
    "curve.batch": ("batch size (doubling)", "批大小(逐次加倍)"),
    "curve.knee": ("knee: {batch}", "拐点:{batch}"),
    "curve.knee.tip": ("The last doubling that gained 5 % or more in throughput ends here.", "吞吐量提升不低于 5% 的最后一次加倍止于此处。"),
    "curve.wall": ("out of memory: {batch}", "内存不足:{batch}"),
    "curve.band": ("70-80 % of {total}", "{total} 的 70-80%"),
    "curve.which": ("Show", "显示"),
    "curve.tip": (
        "One point for each batch measured in this run, with its interval.\nHollow: noisy or poor. Knee: the last doubling that gained 5 % or more.",
        "本次运行中测过的每个批大小对应一个点及其区间。\n空心:波动较大或较差。拐点:吞吐量提升不低于 5% 的最后一次加倍。",
    ),
}

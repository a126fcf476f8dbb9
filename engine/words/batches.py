"""Words for batch sizes: the largest that fits, the curve, and what memory is held by whom."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    # Out of memory: who holds what.
    "out-of-memory-gpu": (
        "Batch {batch_size} does not fit on {device}: it asked for {wanted} more, {free} of {total} were free. This model held {allocated} (weights {weights}), "
        "{cached} was cached but free, other programs held {others}: {holders}.",
        "批大小 {batch_size} 放不进 {device}:还需 {wanted},{total} 中仅剩 {free}。此模型占用 {allocated}(权重 {weights}),缓存但空闲 {cached},其他程序占用 {others}:{holders}。",
    ),
    "out-of-memory-gpu-alone": (
        "Batch {batch_size} does not fit on {device}: it asked for {wanted} more, {free} of {total} were free. This model held {allocated} (weights {weights}), "
        "{cached} was cached but free, others held {others}.",
        "批大小 {batch_size} 放不进 {device}:还需 {wanted},{total} 中仅剩 {free}。此模型占用 {allocated}(权重 {weights}),缓存但空闲 {cached},其他占用 {others}。",
    ),
    "out-of-memory-cpu": (
        "Batch {batch_size} does not fit on {device}: it asked for {wanted} more, {free} of {total} were free. This worker held {own}; the largest others: {holders}.",
        "批大小 {batch_size} 放不进 {device}:还需 {wanted},{total} 中仅剩 {free}。此工作进程占用 {own};占用最多的其他程序:{holders}。",
    ),
    "out-of-memory-limit": (
        "Batch {batch_size} does not fit within the limit of {limit} on {device}: it asked for {wanted} more while this worker held {own}.",
        "批大小 {batch_size} 超出 {device} 的内存上限 {limit}:此工作进程已占用 {own},还需 {wanted}。",
    ),
    "out-of-memory-limit-stopped": (
        "Batch {batch_size} was stopped: this worker held {held}, and the limit is {limit}.", "批大小 {batch_size} 已被停止:此工作进程占用 {held},上限为 {limit}。"
    ),
    "out-of-memory-died": (
        "Batch {batch_size} ended its worker on {device}: it got no memory beyond the limit of {limit}.", "批大小 {batch_size} 使 {device} 上的工作进程终止:超出上限 {limit} 后无法再获得内存。"
    ),
    "out-of-memory-above": (
        "Batch {batch_size} runs on {device}, but held {held} at its peak, and the limit is {limit}.", "批大小 {batch_size} 可在 {device} 上运行,但峰值占用 {held},上限为 {limit}。"
    ),
    "batch-find-largest": ("Find the largest batch that fits", "查找可容纳的最大批大小"),
    # The largest batch.
    "largest-found": ("Largest batch that fits: {batch}; {next} does not ({count} tries).", "可容纳的最大批大小:{batch};{next} 放不下(尝试 {count} 次)。"),
    "largest-found-within": (
        "Largest batch that fits within {limit}: {batch}; {next} does not ({count} tries).", "在 {limit} 内可容纳的最大批大小:{batch};{next} 放不下(尝试 {count} 次)。"
    ),
    "largest-open": (
        "Batch {batch} fits, and no larger one was tried ({count} tries): beyond it the numbers grow too large, not the memory.",
        "批大小 {batch} 可以运行,未再尝试更大的值(尝试 {count} 次):再大则受数值大小限制,而非内存。",
    ),
    "largest-foretold": (
        "Batch {batch} was not started: growing as the smaller ones did, it would need {needs}.", "未启动批大小 {batch}:按较小批大小的增长趋势,它需要 {needs}。"
    ),
    "largest-other-reason": (
        "Batch {batch} does not run for another reason than memory ({code}), so the search ended below it.", "批大小 {batch} 因内存以外的原因无法运行({code}),因此查找止于其下。"
    ),
    "largest-safe-limit": (
        "Memory was held to {limit}, a safe part of what was free; set a memory limit to allow another.", "内存被限制在 {limit},即空闲内存的安全部分;可设置其他内存上限。"
    ),
    "finding-batch": ("{index}/{count} finding the largest batch: trying {batch} (try {number})", "{index}/{count} 正在查找最大批大小:尝试 {batch}(第 {number} 次)"),
    "batch-max-fixed": (
        "`max` has no meaning here: the inputs have no B, so every call has the batch that they are made of ({inputs}).",
        "此处 `max` 没有意义:输入中没有 B,每次调用的批大小由输入决定({inputs})。",
    ),
    "cached-but-free": (
        "{cached} of the {reserved} reserved at the peak was cached but free: `torch.cuda.empty_cache()` would return it to other programs, but does not by itself raise the largest batch.",
        "峰值时保留的 {reserved} 中有 {cached} 是缓存但空闲的:`torch.cuda.empty_cache()` 可将其归还给其他程序,但本身不会提高最大批大小。",
    ),
    # Settings, as written.
    "memory-limit-unreadable": ("Memory limit {text!r} cannot be read.", "无法理解内存上限 {text!r}。"),
    "memory-limit-unreadable.hint": ("Write a size, for example 4GB or 512MiB; 64 MiB is the least.", "请写成大小,例如 4GB 或 512MiB;最小为 64 MiB。"),
    "micro-batch-unreadable": ("Micro-batch {text!r} cannot be read.", "无法理解微批次 {text!r}。"),
    "micro-batch-unreadable.hint": ("Write into how many parts a batch is cut, for example 4 or 1,2,4.", "请写出一批要切成几份,例如 4 或 1,2,4。"),
    # Micro-batches.
    "micro-batched": ("Batch {batch} was run as {parts} × {size}, and the outputs put together again.", "批大小 {batch} 以 {parts} × {size} 分份运行,再将输出合并。"),
    "micro-batch-needs-module": ("{kind} files run in one piece: their batch cannot be cut into micro-batches.", "{kind} 文件只能整体运行:无法将批次切成微批次。"),
    "micro-batch-needs-module.hint": ("Choose a smaller batch.", "请选择更小的批大小。"),
    "micro-batch-too-many": ("Batch {batch} cannot be cut into {parts} parts.", "批大小 {batch} 无法切成 {parts} 份。"),
    "micro-batch-too-many.hint": ("Choose as many parts as the batch has items, or fewer.", "份数不能超过批大小。"),
    # The curve.
    "curve-knee": (
        "{name}: from batch {batch} on, doubling the batch gains less than {percent:.0f} % in throughput.", "{name}:从批大小 {batch} 起,批大小加倍带来的吞吐量提升不足 {percent:.0f}%。"
    ),
    "curve-no-knee": ("{name}: up to batch {batch}, each doubling still gains throughput.", "{name}:直到批大小 {batch},每次加倍仍能提高吞吐量。"),
    "curve-wall": ("{name}: batch {batch} does not fit in memory.", "{name}:批大小 {batch} 超出内存。"),
    "curve-band": ("{name}: peak memory reaches 70-80 % of {total} at about batch {low} to {high}.", "{name}:批大小约为 {low} 至 {high} 时,峰值内存达到 {total} 的 70-80%。"),
    "crossover": ("From batch {batch} on, {gpu} does more items a second than {cpu}.", "从批大小 {batch} 起,{gpu} 每秒处理的条目多于 {cpu}。"),
    "crossover-always-gpu": ("At every batch measured ({low} to {high}), {gpu} does more items a second than {cpu}.", "在所有测过的批大小({low} 至 {high})下,{gpu} 每秒处理的条目都多于 {cpu}。"),
    "crossover-always-cpu": ("At every batch measured ({low} to {high}), {cpu} does more items a second than {gpu}.", "在所有测过的批大小({low} 至 {high})下,{cpu} 每秒处理的条目都多于 {gpu}。"),
    "crossover-unclear": (
        "Where {gpu} overtakes {cpu} cannot be told: at batch {batches} their figures are too uncertain to be told apart.",
        "无法判断 {gpu} 从何处起超过 {cpu}:在批大小 {batches} 处,两者的数据不够确定,无法区分。",
    ),
}

_GENERAL = ("Find the largest batch that fits with --batch max, or choose a precision with fewer bytes.", "可用 --batch max 查找可容纳的最大批大小,或选用占用更少的精度。")
_WINDOW = ("Find the largest batch that fits, or choose a precision with fewer bytes.", "请查找可容纳的最大批大小,或选用占用更少的精度。")
_FITS = (
    "Batch {fitting} fits. The same {batch_size} runs in micro-batches, {parts} times smaller: --batch {batch_size} --micro-batch {parts} measures what that costs.",
    "批大小 {fitting} 可以运行。同样的 {batch_size} 也可切成 {parts} 份微批次运行:用 --batch {batch_size} --micro-batch {parts} 测量其代价。",
)
_FITS_WINDOW = (
    "Batch {fitting} fits. The same {batch_size} runs as {parts} micro-batches; what that costs can be measured.", "批大小 {fitting} 可以运行。同样的 {batch_size} 也可切成 {parts} 份微批次运行,并可测量其代价。"
)
OUT_OF_MEMORY = ("out-of-memory-gpu", "out-of-memory-gpu-alone", "out-of-memory-cpu", "out-of-memory-limit", "out-of-memory-limit-stopped", "out-of-memory-died", "out-of-memory-above")

# Each of them ends with what to do: in general, or with what the run has seen fit.
for _code in OUT_OF_MEMORY:
    TABLE |= {f"{_code}.hint": _GENERAL, f"{_code}.hint.window": _WINDOW, f"{_code}-fits": TABLE[_code], f"{_code}-fits.hint": _FITS, f"{_code}-fits.hint.window": _FITS_WINDOW}

"""Words for how far a figure may be believed, why measuring stopped, and what happened to runs on disk."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    # Why warming up or measuring stopped.
    "warm-up-settled": (
        "Warm-up settled after {calls:,} calls and {seconds:.1f} s.",
        "预热在 {calls} 次调用、{seconds:.1f} 秒后趋于稳定。",
    ),
    "warm-up-never-settled": (
        "Warm-up had not settled after {calls:,} calls and {seconds:.1f} s: two windows in a row never agreed within {percent:,.0f} %.",
        "经过 {calls:,} 次调用、{seconds:.1f} 秒,预热仍未稳定:相邻两个窗口的中位数始终相差 {percent:,.0f}% 以上。",
    ),
    "target-reached": (
        "Measured until the median was known to ±{percent:,.1f} %: {count:,} samples in {visits} visits.",
        "已测到中位数误差为 ±{percent:,.1f}%:{visits} 轮,共 {count:,} 个样本。",
    ),
    "visits-exhausted": (
        "All {visits} visits of the plan were taken: {count:,} samples in {seconds:.1f} s of measuring.",
        "计划中的 {visits} 轮已全部测完:测量 {seconds:.1f} 秒,共 {count:,} 个样本。",
    ),
    "time-limit": (
        "The plan's time ran out after {seconds:.1f} s of measuring: {count:,} of {planned:,} samples.",
        "计划的测量时间已用完({seconds:.1f} 秒):{planned:,} 个样本中测得 {count:,} 个。",
    ),
    "plan-done": (
        "The plan is complete: {count:,} samples in {seconds:.1f} s of measuring.",
        "计划已完成:测量 {seconds:.1f} 秒,共 {count:,} 个样本。",
    ),
    # Trust: what lowers the grade.
    "spread-noisy": (
        "Timings vary by {percent:,.0f} % (interquartile range over median; above {limit:,.0f} % is noisy). To compare two settings, measure both in one run.",
        "耗时波动 {percent:,.0f}%(四分位距与中位数之比,超过 {limit:,.0f}% 即波动较大)。若要比较两种设置,请在同一次运行中测量。",
    ),
    "spread-poor": (
        "Timings vary by {percent:,.0f} % (interquartile range over median; above {limit:,.0f} % is poor). Find what disturbs the machine before using this figure.",
        "耗时波动 {percent:,.0f}%(四分位距与中位数之比,超过 {limit:,.0f}% 即不可靠)。使用此结果前,请先找出干扰来源。",
    ),
    "cause-not-found": (
        "The cause of the variation was not found.",
        "未找到波动的原因。",
    ),
    "drift-slower": (
        "The last third was {percent:,.0f} % slower than the first: something changed meanwhile. Measure again.",
        "后三分之一比前三分之一慢 {percent:,.0f}%:测量期间情况有变。请重新测量。",
    ),
    "drift-faster": (
        "The last third was {percent:,.0f} % faster than the first: something changed meanwhile. Measure again.",
        "后三分之一比前三分之一快 {percent:,.0f}%:测量期间情况有变。请重新测量。",
    ),
    "visits-wander": (
        "Visits differ by {percent:,.0f} % and follow one another instead of scattering: the level drifts. Find what changes, then measure again.",
        "各轮之间相差 {percent:,.0f}%,且逐轮变化而非随机起伏:水平在漂移。请找出变化的原因后重新测量。",
    ),
    "visits-differ": (
        "Visits differ by {percent:,.0f} %, more than the timings within one ({spread_percent:,.0f} %). Measure longer.",
        "各轮之间相差 {percent:,.0f}%,超过单轮内的波动({spread_percent:,.0f}%)。请延长测量时间。",
    ),
    "interval-noisy": (
        "The median is known to ±{percent:.3g} % only; the plan wanted ±{target_percent:,.1f} %. Measure longer.",
        "中位数的误差为 ±{percent:.3g}%,计划要求 ±{target_percent:,.1f}%。请延长测量时间。",
    ),
    "interval-poor": (
        "The median is known to ±{percent:,.0f} % only; the plan wanted ±{target_percent:,.1f} %. Find what disturbs the machine, then measure again.",
        "中位数的误差高达 ±{percent:,.0f}%,计划要求 ±{target_percent:,.1f}%。请先找出干扰来源,再重新测量。",
    ),
    "few-samples": (
        "There are {count:,} samples; a median needs {floor}. Measure longer.",
        "只有 {count:,} 个样本,中位数至少需要 {floor} 个。请延长测量时间。",
    ),
    "stopped-early": (
        "Time ran out at {count:,} of {planned:,} samples. Measure longer for a firmer figure.",
        "时间用完时只测得 {planned:,} 个样本中的 {count:,} 个。延长测量时间可得到更可靠的结果。",
    ),
    "other-load": (
        "Other programs used {busy_cores:.1f} of {cores} cores meanwhile, and this ran on {threads}. Close them, or use fewer threads.",
        "测量期间其他程序占用了 {cores} 个核心中的 {busy_cores:.1f} 个,而本配置使用 {threads} 个线程。请关闭它们,或减少线程数。",
    ),
    "host-steal": (
        "The host of this virtual machine took {percent:,.0f} % of its CPU time for others. Measure when it is quieter, or on a machine of your own.",
        "此虚拟机的宿主机将其 {percent:,.0f}% 的 CPU 时间让给了他人。请在其空闲时或在独占的机器上重新测量。",
    ),
    "gpu-hot": (
        "{device} slowed down because it was too hot. Let it cool, or improve its airflow, and measure again.",
        "{device} 因过热而降频。请待其冷却或改善散热后重新测量。",
    ),
    "gpu-hardware-slowdown": (
        "{device} was slowed down by its hardware (power supply or brake signal). Check its power, then measure again.",
        "{device} 被硬件强制降频(供电或制动信号)。请检查供电后重新测量。",
    ),
    "gpu-clock-drift": (
        "The clock of {device} moved between {low_mhz:.0f} and {high_mhz:.0f} MHz meanwhile. Measure again once it is steady.",
        "测量期间 {device} 的频率在 {low_mhz:.0f} 与 {high_mhz:.0f} MHz 之间变动。请待其稳定后重新测量。",
    ),
    "gpu-shared": (
        "Other programs were computing on {device} meanwhile: {count}. Wait for them, or choose another device.",
        "测量期间有其他程序在 {device} 上计算,共 {count} 个。请等它们结束,或选择其他设备。",
    ),
    "gpu-graphics-busy": (
        "Graphics programs used {percent:,.0f} % of {device} meanwhile. Close them, or choose another device.",
        "测量期间图形程序占用了 {device} 的 {percent:,.0f}%。请关闭它们,或选择其他设备。",
    ),
    # Trust: notes that leave the grade as it is.
    "one-visit": (
        "One visit: how much another visit would differ is not known; the standard plan finds out.",
        "只测了一轮:再测一轮会相差多少尚不可知,“标准”方案可以测出。",
    ),
    "other-load-harmless": (
        "Other programs used {busy_cores:.1f} of {cores} cores meanwhile; the rest was enough for {threads} threads.",
        "测量期间其他程序占用了 {cores} 个核心中的 {busy_cores:.1f} 个;其余核心足够 {threads} 个线程使用。",
    ),
    "busiest": ("Busiest meanwhile, in cores: {programs}.", "期间最忙的程序(占用核心数):{programs}。"),
    "cpu-clock-moved": (
        "The CPU's clock moved between {low_mhz:.0f} and {high_mhz:.0f} MHz during the visits.",
        "测量期间 CPU 频率在 {low_mhz:.0f} 与 {high_mhz:.0f} MHz 之间变动。",
    ),
    "power-battery": (
        "The machine ran from its battery, which slows it down. Plug it in and measure again.",
        "电脑当时使用电池供电,会降低速度。请接通电源后重新测量。",
    ),
    "power-saver": (
        "The machine was set to save power. Choose its balanced or performance profile and measure again.",
        "电脑当时处于省电模式。请改为平衡或高性能模式后重新测量。",
    ),
    "gpu-power-cap": (
        "{device} ran at its power limit, as it does under a steady full load.",
        "{device} 达到功率上限,持续满载时属正常现象。",
    ),
    "gpu-desktop": (
        "{device} also drew the desktop, at {percent:,.0f} % of its time.",
        "{device} 同时负责桌面显示,占用 {percent:,.0f}% 的时间。",
    ),
    # Why the GPU is not watched.
    "nvml-missing": (
        "GPU memory, power and clocks are not shown: the NVIDIA driver was not found ({cause}).",
        "无法显示 GPU 显存、功率和频率:未找到 NVIDIA 驱动({cause})。",
    ),
    "nvml-package-missing": (
        "GPU memory, power and clocks are not shown: the package nvidia-ml-py is not installed. Install it with pip.",
        "无法显示 GPU 显存、功率和频率:未安装 nvidia-ml-py。请用 pip 安装。",
    ),
    "nvml-failed": (
        "GPU memory, power and clocks are not shown: the NVIDIA driver answered with an error ({cause}). Restart the machine if it was just updated.",
        "无法显示 GPU 显存、功率和频率:NVIDIA 驱动返回错误({cause})。如果刚更新过驱动,请重启电脑。",
    ),
    # Files that are written and read.
    "save-disk-full": ("{path} was not saved: the disk is full.", "未能保存 {path}:磁盘已满。"),
    "save-disk-full.hint": ("Free some space or choose another folder, then save again.", "请腾出空间或选择其他文件夹,然后重新保存。"),
    "save-unwritable": ("{path} was not saved: {cause}.", "未能保存 {path}:{cause}。"),
    "save-unwritable.hint": ("Choose a folder you may write to, then save again.", "请选择有写入权限的文件夹,然后重新保存。"),
    "samples-broken": (
        "The samples of this row cannot be read: {column} is damaged. Its figures still stand.",
        "此行的样本无法读取:{column} 已损坏。各项结果不受影响。",
    ),
    "run-unreadable": ("{path} cannot be read: {cause}.", "无法读取 {path}:{cause}。"),
    "run-unreadable.hint": ("Check that the file exists and that you may read it.", "请确认文件存在且有读取权限。"),
    "run-broken": ("{path} is not a run of Model Dyno, or it is damaged: {cause}.", "{path} 不是 Model Dyno 的运行记录,或已损坏:{cause}。"),
    "run-broken.hint": ("Choose a JSON file that profile --json or the history wrote.", "请选择由 profile --json 或历史记录生成的 JSON 文件。"),
    "run-put-aside": ("{path} was damaged and is now called {aside}: {cause}.", "{path} 已损坏,现已改名为 {aside}:{cause}。"),
    "run-put-aside.hint": ("Nothing was deleted. Measure again to get a new run.", "没有删除任何内容。重新测量即可得到新的运行记录。"),
    "run-newer": (
        "{path} was written by a newer Model Dyno (schema {schema}; this one reads {known}).",
        "{path} 由更新版本的 Model Dyno 写入(模式 {schema},本版本可读 {known})。",
    ),
    "run-newer.hint": ("Update Model Dyno, then open it again.", "请更新 Model Dyno 后再打开。"),
    "replicas-differ": ("{slow} takes {percent:,.0f} % longer than {fast}: the pooled calls spread by that.", "{slow} 比 {fast} 慢 {percent:,.0f}%:合并后的调用因此分散。"),
}

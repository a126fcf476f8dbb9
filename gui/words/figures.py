"""Words of the details pane's graphs and tables: visits, memory's parts, times."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "details.visit-graph": ("Visits", "各轮"),
    "details.memory": ("Memory", "内存"),
    "details.times": ("Times", "时间"),
    "visits.note": (
        "Each mark: one visit's median with its quartiles. Line: median of all; band: its 95 % interval.", "每个标记:一轮的中位数及四分位数。横线:总体中位数;色带:其 95% 区间。"
    ),
    "visits.note-one": ("One visit: how much another would differ is not known.", "只有一轮:另一轮会相差多少未知。"),
    "visits.tip": ("{start}–{end} s: median {median}, quartiles {low} – {high}, {count} calls", "{start}–{end} 秒:中位数 {median},四分位数 {low} – {high},{count} 次调用"),
    "visits.spoken": ("Medians of {n} visits between {low} and {high}", "{n} 轮的中位数在 {low} 与 {high} 之间"),
    "memory.context": ("context", "上下文"),
    "memory.weights": ("weights", "权重"),
    "memory.inputs": ("inputs", "输入"),
    "memory.activations": ("activations", "激活"),
    "memory.workspace": ("workspace", "工作区"),
    "memory.cached": ("cached, free", "缓存(空闲)"),
    "memory.others": ("others", "其他程序"),
    "memory.growth": ("growth", "增长"),
    "memory.rest": ("Python, torch", "Python、torch"),
    "memory.context.tip": (
        "What the driver keeps for a process on the GPU before anything is loaded.\nEvery process pays it once.", "驱动在加载任何内容之前为进程保留的显存。\n每个进程付一次。"
    ),
    "memory.weights.tip": ("Parameters, buffers and packed weights, each storage once.\nPrecision and quantization change it.", "参数、缓冲区和打包权重,每份存储只计一次。\n精度和量化会改变它。"),
    "memory.inputs.tip": ("The inputs, which lie on the device before the first timed call.\nThey grow with the batch.", "在首次计时调用之前已在设备上的输入。\n随批大小增长。"),
    "memory.activations.tip": (
        "What a call allocates at its peak beyond what lies there before it.\nIt grows with the batch.", "一次调用在峰值时额外分配的内存。\n随批大小增长。"
    ),
    "memory.workspace.tip": ("What libraries keep between calls: cuBLAS, loaded kernels.\nThe batch hardly changes it.", "各库在调用之间保留的内存:cuBLAS、已加载的内核。\n几乎不随批变化。"),
    "memory.cached.tip": (
        "Reserved by torch's allocator, but free: torch.cuda.empty_cache() would return it.\nThat alone does not raise the largest batch.",
        "由 torch 分配器保留但空闲:torch.cuda.empty_cache() 可归还。\n仅此并不会提高最大批大小。",
    ),
    "memory.others.tip": ("Other processes on the GPU, this job's resting workers among them.\nAs the driver lists them.", "GPU 上的其他进程,包括本任务中等待的工作进程。\n由驱动列出。"),
    "memory.growth.tip": (
        "Private memory that running takes beyond the loaded model, at its peak.\nCounted by the kernel, so no peak is missed.", "运行时超出已加载模型的私有内存峰值。\n由内核计数,不会漏掉峰值。"
    ),
    "memory.rest.tip": ("The rest up to the process's peak: Python, torch and what loading left behind.\nWorkers share most of it.", "到进程峰值为止的其余部分:Python、torch 和加载遗留。\n各工作进程大多共享。"),
    "memory.adds-up": ("Adds up to {percent} % of the {total} that the driver shows.", "合计为驱动所示 {total} 的 {percent}%。"),
    "memory.adds-up-cpu": ("Adds up to the process's peak: {total}.", "合计为进程峰值:{total}。"),
    "memory.sum-only": ("{sum} together; the driver's own figure is not known.", "合计 {sum};驱动的数值未知。"),
    "memory.missing": ("Not read: {names}.", "未读取:{names}。"),
    "memory.bar": ("Memory: {parts}", "内存:{parts}"),
    "times.host": ("call, host", "调用(主机)"),
    "times.device": ("device, events", "设备(事件)"),
    "times.enqueue": ("enqueue", "入队"),
    "times.busy": ("GPU busy", "GPU 计算"),
    "times.to-device": ("copy to device", "拷入设备"),
    "times.from-device": ("copy back", "拷回"),
    "times.rested": ("after a rest", "间歇之后"),
    "times.joules": ("energy an item", "每项能耗"),
    "times.watts": ("mean power", "平均功率"),
    "times.context": ("context", "创建上下文"),
    "times.steady": ("steady, all visits", "稳态(各轮合计)"),
    "times.host.tip": ("Median from the call to the finished result.\nThis is the headline figure.", "从调用到结果完成的中位数。\n即主要结果。"),
    "times.device.tip": ("Median between two events on the GPU around the call.\nIncludes its waiting for launches.", "GPU 上调用前后两个事件之间的中位数。\n包含等待启动的时间。"),
    "times.enqueue.tip": ("Median until the call returned without waiting for the GPU.\nClose to the host time: the CPU sets the pace.", "调用返回(不等待 GPU)的中位数。\n接近主机时间:由 CPU 决定快慢。"),
    "times.busy.tip": ("How long the GPU computes when it never waits for the CPU.\nThe gap to the device time is what CUDA graphs can win.", "GPU 从不等待 CPU 时的计算时间。\n与设备时间之差即 CUDA graph 可赢得的部分。"),
    "times.to-device.tip": ("All inputs from ordinary memory to the device, median.\nNot part of the call's time.", "所有输入从普通内存到设备的中位数。\n不计入调用时间。"),
    "times.from-device.tip": ("All outputs back to ordinary memory, median.\nNot part of the call's time.", "所有输出取回普通内存的中位数。\n不计入调用时间。"),
    "times.rested.tip": ("Median of calls after a rest each.\nCaches and clocks have cooled.", "每次间歇后调用的中位数。\n缓存和频率已冷却。"),
    "times.joules.tip": ("The GPU's energy counter over seconds of calls, per item.\nNothing is subtracted.", "数秒调用内 GPU 能耗计数器的读数,按项计。\n未作扣除。"),
    "times.watts.tip": ("The same energy over its time.\nThe whole GPU.", "同一能耗除以时间。\n整块 GPU。"),
    "times.context.tip": ("Until the GPU was ready in the new process.\nPaid once, before loading.", "新进程中 GPU 就绪所需的时间。\n加载之前付一次。"),
    "times.steady.tip": ("Time spent in measured calls, rests not counted.\nWhat the figures rest on.", "用于计入测量的调用的时间,不含间歇。\n结果即基于此。"),
}

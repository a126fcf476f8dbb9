"""Words for phases, copies, energy and the program's own cost."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "extras-failed": ("Figures beside the loop (copies, energy, rest) are missing: {error}", "循环之外的数据(拷贝、能耗、间歇)缺失:{error}"),
    "launch-bound": (
        "Launch-bound: of {host} a call, the CPU takes {enqueue} to launch it. A faster GPU would change little; CUDA graphs, compile or a larger batch may.",
        "受限于启动:每次调用 {host},其中 CPU 启动内核用去 {enqueue}。更快的 GPU 帮助不大;CUDA graph、编译或更大的批可能有效。",
    ),
    "launch-bound-busy": (
        "Launch-bound: of {host} a call, the CPU takes {enqueue} to launch it, while the GPU computes for {busy} only. CUDA graphs, compile or a larger batch "
        "can win up to {times} times.",
        "受限于启动:每次调用 {host},其中 CPU 启动内核用去 {enqueue},而 GPU 只计算 {busy}。CUDA graph、编译或更大的批最多可快 {times} 倍。",
    ),
    "device-bound": (
        "Device-bound: the GPU computes for {busy} of {host} a call, and the CPU launches it in {enqueue}. Fewer or cheaper operations are what helps.",
        "受限于设备:每次调用 {host} 中 GPU 计算 {busy},CPU 启动只需 {enqueue}。只有减少或简化运算才有帮助。",
    ),
    "copies-beside": (
        "Copies come on top: the inputs ({to_bytes}) to the device {to}, the outputs ({back_bytes}) back {back}; together {percent} % of a call. From ordinary memory.",
        "拷贝另计:输入({to_bytes})到设备 {to},输出({back_bytes})取回 {back};合计为一次调用的 {percent}%。使用普通内存。",
    ),
    "after-rest": (
        "After {gap} ms of rest a call takes {p50}, {times} times the tight loop: caches and clocks cool. A service with little traffic sees this figure.",
        "间歇 {gap} 毫秒后一次调用需 {p50},为连续调用的 {times} 倍:缓存和频率会冷却。访问稀疏的服务看到的是这个数值。",
    ),
    "after-rest-same": (
        "After {gap} ms of rest a call takes {p50}, as in the tight loop.", "间歇 {gap} 毫秒后一次调用需 {p50},与连续调用相同。",
    ),
    "energy-of-gpu": (
        "{joules} J an item, {watts} W on average over {seconds} s: the whole GPU by its own counter, nothing subtracted; CPU and memory of the machine not included.",
        "每项 {joules} J,{seconds} 秒内平均 {watts} W:取自 GPU 自身的计数器,为整块 GPU,未作扣除;不含主机的 CPU 和内存。",
    ),
}

"""Words for several devices at once."""

from __future__ import annotations

TABLE: dict[str, tuple[str, str]] = {
    "replicas-name": ("{device} at once", "{device} 同时"),
    "replicas-all": ("A replica on each of the {count} GPUs, all at once.", "{count} 块 GPU 各运行一个副本,同时进行。"),
    "replicas-member": ("Device {text}: {member!r} is not a device that a replica can run on.", "设备 {text}:{member!r} 不是可以运行副本的设备。"),
    "replicas-member.hint": ("Join devices with plus, e.g. cuda:0+cuda:1; known: {known}.", "用加号连接设备,例如 cuda:0+cuda:1;可用:{known}。"),
    "replicas-twice": (
        "{device} is named twice: on one GPU two replicas would take turns and show neither's speed.", "{device} 出现了两次:同一块 GPU 上的两个副本会轮流运行,测不出任何一个的速度。"
    ),
    "replicas-twice.hint": ("Name each GPU once; only cpu may be repeated.", "每块 GPU 只写一次;只有 cpu 可以重复。"),
    "replicas-mixed": (
        "{device} mixes the CPU with GPUs: the slow one would set the pace of every visit, and their figures cannot be pooled.",
        "{device} 混用了 CPU 与 GPU:慢的一方会拖慢每一轮,而且两者的数据不能合并。",
    ),
    "replicas-mixed.hint": ("Join GPUs only, or write cpu+cpu; compare the two kinds with a comma: cpu,cuda:0.", "只连接 GPU,或写 cpu+cpu;要比较两类设备请用逗号:cpu,cuda:0。"),
    "replicas-batch-max": (
        "The largest batch is sought on one device; {device} are several. Find it on one of them, then give its number here.",
        "最大批大小只能在一个设备上查找,而 {device} 是多个设备。请先在其中一个上查找,再在此填写该数值。",
    ),
    "replicas-batch-max.hint": ("Measure --batch max on one of the devices first.", "请先在其中一个设备上使用 --batch max 测量。"),
    "replicas-batch-max.hint.window": ("Find the largest batch on one of the devices first.", "请先在其中一个设备上查找最大批大小。"),
    "replicas-keep": ("A row of several devices at once ({device}) cannot be measured on: its replicas' calls are pooled in the run.", "同时使用多个设备({device})的行不能继续测量:各副本的调用在结果中已合并。"),
    "replicas-keep.hint": ("Run it again with a longer plan.", "请用更长的方案重新运行。"),
    "compare-replicas": ("{device} are several devices at once; compare takes turns on one device each.", "{device} 是同时使用的多个设备;比较时每一方只在一个设备上轮流测量。"),
    "compare-replicas.hint": ("Profile both in one run: --device {device} in a list shows them side by side.", "请在同一次运行中测量两者:在 --device 列表中加入 {device} 即可并排显示。"),
    "compare-replicas.hint.window": ("Run both together: choose the devices and all GPUs at once; the table shows them side by side.", "请一起运行:同时选择各设备和“所有 GPU 同时”,表格会并排显示。"),
    "replica-ended": ("On {device}: {said}", "在 {device} 上:{said}"),
    "replica-ended.hint": ("{hint}", "{hint}"),
    "replicas-pooled": (
        "Latency is over the calls of all {count} replicas together; items/s are the sum of each one's over the {seconds:.1f} s in which all of them measured, {percent:.0f} % of it "
        "or more spent in calls. Calls outside of that time, which do not count: {left_out}.",
        "延迟为全部 {count} 个副本调用的合并结果;吞吐量为各副本在共同测量的 {seconds:.1f} 秒内之和,每个副本至少有 {percent:.0f}% 的时间在调用中。此时间之外的 {left_out} 次调用不计入。",
    ),
    "replicas-scaling": (
        "{count} replicas together: {total}, {times:.2f} times {device} alone ({alone}); {percent:.0f} % of what {count} that do not disturb one another would do.",
        "{count} 个副本合计:{total},为单独 {device}({alone})的 {times:.2f} 倍;达到 {count} 个互不干扰时的 {percent:.0f}%。",
    ),
}

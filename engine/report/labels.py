"""Words of the page, English and Simplified Chinese side by side; sentences of the engine come from engine.words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.report import words_compare, words_figures, words_own_cost, words_replicas, words_teaching
from engine.result import Failure, Reason
from engine.words import LANGUAGES, say

LANGUAGE_TAGS = {"en": "en", "zh": "zh-Hans"}


class Labels:
    """The page's words in one language: `labels("p50")`, `labels("needs-more", n="362")`."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ValueError(language)
        self.language = language
        self.tag = LANGUAGE_TAGS[language]
        self._column = LANGUAGES.index(language)

    def __call__(self, code: str, **values: Any) -> str:
        """The words for `code`; raises KeyError for an unknown one."""
        return TABLE[code][self._column].format(**values)

    def or_raw(self, prefix: str, value: str) -> str:
        """The words for `prefix.value`, or the value itself where a newer program wrote one that is not known here."""
        entry = TABLE.get(f"{prefix}.{value}")
        return value if entry is None else entry[self._column]

    def join(self, parts: Iterable[str]) -> str:
        """A list in running text."""
        return ("、" if self.language == "zh" else ", ").join(parts)

    def reason(self, reason: Reason) -> str:
        """The engine's sentence for its code; what this program does not know keeps the sentence that came with it."""
        return self._said(reason.code, reason.values) or reason.sentence or reason.code

    def failure(self, failure: Failure) -> tuple[str, str]:
        """What went wrong, and what to do."""
        if not failure.say:
            return failure.summary or failure.code, failure.hint
        return self._said(failure.say, failure.values) or failure.summary or failure.code, self._said(f"{failure.say}.hint", failure.values) or failure.hint

    def damaged(self, code: str, values: dict[str, Any]) -> str:
        """The engine's sentence for something in the run that cannot be read."""
        return self._said(code, values) or code

    def sentences(self, parts: Iterable[str]) -> str:
        """Sentences after one another."""
        return ("" if self.language == "zh" else " ").join(parts)

    def _said(self, code: str, values: dict[str, Any]) -> str:
        try:
            return say(code, values, self.language)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError):  # a code or values of another version
            return ""


TABLE: dict[str, tuple[str, str]] = {
    "title": ("{model} – Model Dyno", "{model} – Model Dyno"),
    "report": ("Inference profile", "推理性能报告"),
    "measured-on": ("measured on", "测量于"),
    "unfinished": (
        "This run was not finished: the program ended before all configurations were measured.",
        "此次运行未完成:程序在测完所有配置之前就结束了。",
    ),
    "theme": ("Light or dark", "浅色或深色"),
    "copy": ("Copy", "复制"),
    "copied": ("Copied", "已复制"),
    "no-script": ("The charts need JavaScript; all figures are in the tables.", "图表需要 JavaScript;所有数据均在表格中。"),
    # Model
    "model": ("Model", "模型"),
    "parameters": ("{n} parameters", "{n} 个参数"),
    "values": ("{n} stored values", "{n} 个存储数值"),
    "kind.state-dict": ("state dict", "状态字典"),
    "kind.checkpoint": ("checkpoint", "检查点"),
    "kind.module": ("pickled module", "完整模块"),
    "kind.torchscript": ("TorchScript", "TorchScript"),
    "kind.onnx": ("ONNX", "ONNX"),
    "kind.safetensors": ("safetensors", "safetensors"),
    "file": ("File", "文件"),
    "class": ("Class", "类"),
    "inputs": ("Inputs", "输入"),
    "source.declared": ("declared", "已声明"),
    "source.guessed": ("guessed", "推测"),
    "source.given": ("given", "指定"),
    "source.file": ("from a file", "来自文件"),
    "guessed-warning": (
        "Input guessed: the model ran with it once, but its usual size may differ, and figures depend on size.",
        "输入是推测的:模型用它成功运行过一次,但实际尺寸可能不同,而结果取决于尺寸。",
    ),
    "sha256": ("SHA-256", "SHA-256"),
    # Verdict
    "verdict.none": ("No configuration could be measured.", "没有任何配置测量成功。"),
    "verdict.one": ("{name}: median {p50}, {rate} items.", "{name}:中位数 {p50},吞吐 {rate}。"),
    "verdict.no-median": ("{name} gave too few samples for a median.", "{name} 的样本太少,不足以给出中位数。"),
    "verdict.best": (
        "{name} does the most items a second: {rate}, {ratio} times as many as {other}.",
        "{name} 每秒处理最多:{rate},是 {other} 的 {ratio} 倍。",
    ),
    "verdict.tie": (
        "{name} and {other} lead; this run does not show which of them does more: the intervals of their medians overlap.",
        "{name} 与 {other} 领先;本次运行未能分出高下:两者中位数的置信区间重叠。",
    ),
    "verdict.unsure": (
        "{name} had the highest throughput, {rate}; without intervals for each row small differences mean nothing.",
        "{name} 的吞吐最高:{rate};并非每行都有置信区间,较小的差异没有意义。",
    ),
    "verdict.quickest": ("The shortest call is {name}: {p50}.", "单次调用最短的是 {name}:{p50}。"),
    "verdict.not-good": ("The figures of {name} are {grade}: see its details for the reasons.", "{name} 的数据{grade},原因见其详情。"),
    "counts": ("{n} configurations: {parts}.", "共 {n} 个配置:{parts}。"),
    "count.one": ("1 configuration: {parts}.", "共 1 个配置:{parts}。"),
    "count.ok": ("{n} measured", "{n} 个已测"),
    "count.out-of-memory": ("{n} out of memory", "{n} 个内存不足"),
    "count.unsupported": ("{n} not possible here", "{n} 个本机不支持"),
    "count.failed": ("{n} failed", "{n} 个失败"),
    "count.cancelled": ("{n} cancelled", "{n} 个已取消"),
    # Configuration
    "batch": ("batch {n}", "批大小 {n}"),
    "threads": ("{n} threads", "{n} 线程"),
    "thread": ("1 thread", "1 线程"),
    "quantization.dynamic-int8": ("dynamic int8", "动态 int8"),
    "backend.onnxruntime": ("ONNX Runtime", "ONNX Runtime"),
    "backend.torchscript": ("TorchScript", "TorchScript"),
    # Figures
    "results": ("Results", "结果"),
    "configuration": ("Configuration", "配置"),
    "p50": ("Median latency", "中位延迟"),
    "p50-short": ("p50", "p50"),
    "p90": ("p90", "p90"),
    "p95": ("p95", "p95"),
    "p99": ("p99", "p99"),
    "p99-long": ("99th percentile", "第 99 百分位"),
    "throughput": ("Throughput", "吞吐"),
    "throughput-short": ("Items/s", "每秒条目"),
    "items": ("items a second, calls one after another", "每秒条目,逐次调用"),
    "peak": ("Peak memory", "峰值内存"),
    "peak-device": ("on {device}", "{device} 上"),
    "peak-difference": ("on {device}: used now less used before", "{device} 上:当前用量减去此前用量"),
    "peak-process": ("of the process that ran it", "运行它的进程"),
    "accuracy": ("Accuracy", "准确度"),
    "trust": ("Trust", "可信度"),
    "not-checked": ("not checked", "未检查"),
    "not-checked-tip": ("Nobody compared its answers with a reference.", "没有将其输出与参考结果比较。"),
    "within-budget": ("within your limit", "在你的上限内"),
    "over-budget": ("over your limit", "超出你的上限"),
    "interval": ("95 % interval {interval}", "95% 置信区间 {interval}"),
    "no-interval": ("one visit: no interval; middle half {quartiles}", "仅一轮,无置信区间;中间一半 {quartiles}"),
    "needs-more": ("needs {n} more samples", "还需 {n} 个样本"),
    "needs-more-tip": ("{name} needs {floor} samples; there are {count}.", "{name} 至少需要 {floor} 个样本,目前有 {count} 个。"),
    "samples": ("{n} samples, {visits} visits", "{n} 个样本,{visits} 轮"),
    "samples-one": ("{n} samples, 1 visit", "{n} 个样本,1 轮"),
    "grade.good": ("good", "可靠"),
    "grade.noisy": ("noisy", "波动较大"),
    "grade.poor": ("poor", "不可靠"),
    "grade.none": ("not graded", "未评定"),
    "no-doubt": ("nothing seen that would disturb it", "未发现干扰因素"),
    "status.out-of-memory": ("out of memory", "内存不足"),
    "status.unsupported": ("not possible here", "本机不支持"),
    "status.failed": ("failed", "失败"),
    "status.cancelled": ("cancelled", "已取消"),
    "status.cancelled-said": ("Not measured: the job was stopped before its turn.", "未测量:轮到它之前任务已停止。"),
    "best": ("most items a second", "吞吐最高"),
    # Charts
    "charts": ("Charts", "图表"),
    "show-rows": ("Configurations shown", "显示的配置"),
    "chart.latency": ("Latency over time", "延迟随时间变化"),
    "chart.latency-note": (
        "Every dot is one call; warm-up is grey and enters no figure; the bands are the visits.",
        "每个点是一次调用;灰色为预热,不计入任何数据;色带表示各轮测量。",
    ),
    "chart.reduced": (
        "{shown} of {total} samples are drawn: the smallest and largest of each stretch.",
        "共 {total} 个样本,绘出 {shown} 个:每段的最小值和最大值。",
    ),
    "chart.distribution": ("Distribution", "分布"),
    "chart.distribution-note": (
        "Share of steady calls that were at most this long: the steeper, the steadier; the median lies at 50 %.",
        "耗时不超过某值的稳态调用所占比例:曲线越陡越稳定,中位数位于 50%。",
    ),
    "chart.distribution-figures": (
        "Where a saved run holds a reduction of its samples, the line joins its exact percentiles.",
        "若保存的运行只含精简后的样本,则曲线连接其精确百分位数。",
    ),
    "chart.memory": ("Memory over time", "内存随时间变化"),
    "chart.none": ("Nothing was recorded to draw here.", "没有可绘制的记录。"),
    "axis.time": ("seconds since the run began", "运行开始后的秒数"),
    "axis.latency": ("latency ({unit})", "延迟({unit})"),
    "axis.share": ("share of calls (%)", "调用占比(%)"),
    "axis.memory": ("memory ({unit})", "内存({unit})"),
    "track.worker_resident_bytes": ("resident memory of the process", "进程常驻内存"),
    "track.process_bytes": ("GPU memory of the process", "进程占用的显存"),
    "track.memory_bytes": ("used GPU memory, all programs", "显存用量(所有程序)"),
    "track.reserved_bytes": ("reserved by torch", "torch 保留"),
    "track.allocated_bytes": ("allocated by torch", "torch 分配"),
    # Details
    "details": ("Each configuration", "各配置详情"),
    "why-trust": ("Why this grade", "评级原因"),
    "stopped": ("Why it stopped", "停止原因"),
    "notes": ("Notes", "备注"),
    "advice": ("Advice", "建议"),
    "what-happened": ("What happened", "经过"),
    "what-to-do": ("What to do", "如何处理"),
    "error-details": ("Error details", "错误详情"),
    "log": ("End of the log", "日志末尾"),
    "code": ("The same in plain PyTorch", "等价的纯 PyTorch 代码"),
    "uncounted": ("{n} calls after a rest were run but not counted.", "休息后的 {n} 次调用已执行但未计入。"),
    "phase.load": ("Load", "加载"),
    "phase.load_reading": ("Load: reading the file", "加载:读取文件"),
    "phase.load_moving": ("Load: moving to the device", "加载:移到设备"),
    "phase.prepare": ("Prepare", "准备"),
    "phase.first_call": ("First call", "首次调用"),
    "phase.warm_up": ("Warm-up", "预热"),
    "figure.latency": ("Latency, host", "延迟(主机)"),
    "figure.device": ("Latency, device", "延迟(设备)"),
    "figure.enqueue": ("Enqueue, median", "入队中位数"),
    "figure.mean": ("Mean ± standard deviation", "均值 ± 标准差"),
    "figure.range": ("Shortest – longest", "最短 – 最长"),
    "figure.quartiles": ("Middle half", "中间一半"),
    "figure.samples": ("Samples", "样本"),
    "figure.phases": ("Before the steady state", "稳态之前"),
    "memory.load_peak_bytes": ("Peak while loading, above the start", "加载期间峰值(相对开始时)"),
    "memory.weights_bytes": ("Weights", "权重"),
    "memory.saved_bytes": ("Saved to a file", "保存为文件"),
    "memory.process_peak_bytes": ("Peak of the process", "进程峰值"),
    "memory.allocated_peak_bytes": ("Peak allocated by torch", "torch 分配峰值"),
    "memory.reserved_peak_bytes": ("Peak reserved by torch", "torch 保留峰值"),
    "memory.device_peak_bytes": ("Peak on the device", "设备峰值"),
    "memory.context_bytes": ("Driver's context", "驱动上下文"),
    # Environment
    "environment": ("Environment", "环境"),
    "env.platform": ("System", "系统"),
    "env.cpu": ("CPU", "CPU"),
    "env.cores": ("{n} cores", "{n} 核"),
    "env.memory": ("Memory", "内存"),
    "env.gpu": ("GPU", "GPU"),
    "env.driver": ("GPU driver", "GPU 驱动"),
    "env.python": ("Python", "Python"),
    "env.torch": ("PyTorch", "PyTorch"),
    "env.packages": ("Packages", "软件包"),
    "env.load": ("Load before and after", "前后系统负载"),
    "env.app": ("Measured with", "测量程序"),
    "env.run": ("Run", "运行编号"),
    # Reproduce
    "method": ("How it was measured", "测量方法"),
    "reproduce": ("Measure the same again", "重新测量"),
    "reproduce-command": ("With Model Dyno", "使用 Model Dyno"),
    "reproduce-code": ("Each configuration above holds the plain code that does what it did.", "上方每个配置都附有等价的纯代码。"),
    "footer": ("Made by {app}. This page needs no network.", "由 {app} 生成。此页面无需联网。"),
}
TABLE.update(words_figures.TABLE)
TABLE.update(words_compare.TABLE)
TABLE.update(words_own_cost.TABLE)
TABLE.update(words_teaching.TABLE)
TABLE.update(words_replicas.TABLE)

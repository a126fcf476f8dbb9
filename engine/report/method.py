"""How the figures were made, in plain words, from the plan that was used."""

from __future__ import annotations

from typing import Protocol

import msgspec

from engine.job import Plan
from engine.report.labels import Labels
from engine.result import Run
from engine.statistics import sample_floor
from engine.units import format_count

_SHOWN = (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99))
_WORDS: dict[str, tuple[str, str]] = {
    "plan": ("Plan “{name}”.", "计划:“{name}”。"),
    "plan-unknown": ("The plan was not recorded.", "未记录所用计划。"),
    "visits": (
        "Each configuration runs in a process of its own and is measured in {low} to {high} visits: stretches of {seconds} s and at least {samples} samples, in turn with the "
        "other configurations in shuffled order and spread over at least {spread} s, because one stretch of time does not know its own error.",
        "每个配置在独立进程中运行,分 {low} 至 {high} 轮测量:每轮 {seconds} 秒且至少 {samples} 个样本,与其他配置按随机顺序交替进行,并分布在至少 {spread} 秒内,因为单独一段时间无法反映自身误差。",
    ),
    "fresh": (
        "Each visit has a process of its own, which loads the model anew, so that what differs from one start to the next is part of the error.",
        "每一轮都使用新的进程并重新加载模型,因此误差中也包含每次启动之间的差异。",
    ),
    "one-visit": (
        "Each configuration runs in a process of its own and is measured in one visit of {seconds} s and {samples} samples, at most {limit} s. One visit gives no interval.",
        "每个配置在独立进程中运行,只测一轮:{seconds} 秒且 {samples} 个样本,最多 {limit} 秒。单轮测量没有置信区间。",
    ),
    "target": (
        "Measuring stops when the 95 % interval of the median is within ±{percent} % and there are {samples} samples, or after {high} visits or {limit} s of measuring.",
        "当中位数的 95% 置信区间在 ±{percent}% 以内且样本达到 {samples} 个时停止;或在 {high} 轮、或测量 {limit} 秒后停止。",
    ),
    "interval": (
        "The interval of the median is Student’s t on the medians of the visits, widened to hold the median of all samples, held to the ends that the sign test gives from six "
        "visits on, and nowhere narrower than Woodruff’s, which carries what differs between the visits to the samples’ own distribution.",
        "中位数的置信区间由各轮中位数按学生 t 分布得出,扩展到包含全部样本的中位数;从六轮起不超出符号检验给出的两端,且不窄于 Woodruff 区间(把各轮之间的差异换算到样本自身的分布上)。",
    ),
    "warm-up": (
        "Warm-up lasts at least {calls} calls and {seconds} s, until the medians of two windows in a row differ by less than 2 %, at most {limit} s. It enters no figure.",
        "预热至少 {calls} 次调用且 {seconds} 秒,直到相邻两个窗口的中位数相差不到 2%,最多 {limit} 秒。预热不计入任何数据。",
    ),
    "clock": (
        "Latency is the time from the call to the finished result (synchronised on a GPU), by time.perf_counter_ns, with the inputs already on the device. Every call is a sample; "
        "Python’s garbage collector rests within a block of calls. After a pause over 1 ms the first calls (1 ms of them or three) are run but not counted.",
        "延迟是从调用到结果完成(GPU 上已同步)的时间,用 time.perf_counter_ns 测量,输入已在设备上。每次调用都是一个样本;一组调用期间暂停 Python 垃圾回收。停顿超过 1 毫秒后,最初的调用(1 毫秒或 3 次)会执行但不计入。",
    ),
    "floors": (
        "A percentile is the nearest rank of the steady samples and is shown only from enough of them (99 % confidence): {floors}. Below that stands a dash.",
        "百分位数取稳态样本的最近秩,仅在样本足够时显示(99% 置信度):{floors}。不足时显示为横线。",
    ),
    "throughput": (
        "Throughput is items per second while calls follow one another: batch size times calls over the time spent in them.",
        "吞吐指逐次调用时每秒处理的条目:批大小乘以调用次数,再除以调用所用时间。",
    ),
    "memory": (
        "Peak memory of a process is the kernel’s own high-water mark; device memory is read from outside the process. The curves are samples and can miss short peaks.",
        "进程峰值内存取自内核记录的最高水位;设备内存从进程外读取。曲线为采样,可能错过短暂的峰值。",
    ),
    "half": ("fp16 and bf16: weights and inputs are both of that format.", "fp16 与 bf16:权重和输入均为该格式。"),
    "amp": ("amp: weights and inputs stay fp32, operators choose under autocast.", "amp:权重和输入保持 fp32,由 autocast 为各算子选择格式。"),
}


class _Say(Protocol):
    def __call__(self, code: str, /, **values: object) -> str: ...


def method_of(run: Run, labels: Labels) -> list[str]:
    """The paragraphs of the method, in the page's language."""

    def say(code: str, /, **values: object) -> str:
        return _WORDS[code][0 if labels.language == "en" else 1].format(**values)

    floors = labels.join(f"{name} {format_count(sample_floor(p))}" for name, p in _SHOWN)
    plan = _plan(run)
    paragraphs = [say("plan-unknown")] if plan is None else [f"{say('plan', name=plan.name)} {_visits(plan, say)}", _warm_up(plan, say)]
    return [*paragraphs, say("clock"), say("floors", floors=floors), say("throughput"), say("memory"), *_formats(run, say)]


def _plan(run: Run) -> Plan | None:
    try:
        return msgspec.convert(run.plan, Plan)
    except msgspec.ValidationError:  # a plan of another version
        return None


def _visits(plan: Plan, say: _Say) -> str:
    if plan.visits_max == 1:
        return say("one-visit", seconds=_number(plan.visit_s), samples=plan.visit_samples, limit=_number(plan.visit_limit_s))
    parts = [
        say("visits", low=plan.visits_min, high=plan.visits_max, seconds=_number(plan.visit_s), samples=plan.visit_samples, spread=_number(plan.spread_s)),
    ]
    if plan.target_relative is not None:
        percent, limit = _number(plan.target_relative * 100), _number(plan.measuring_limit_s)
        parts.append(say("target", percent=percent, samples=format_count(plan.total_samples), high=plan.visits_max, limit=limit))
    if plan.fresh_workers:
        parts.insert(1, say("fresh"))
    return " ".join([*parts, say("interval")])


def _warm_up(plan: Plan, say: _Say) -> str:
    return say("warm-up", calls=plan.warm_up_calls, seconds=_number(plan.warm_up_s), limit=_number(plan.warm_up_limit_s))


def _formats(run: Run, say: _Say) -> list[str]:
    used = {outcome.configuration.precision for outcome in run.outcomes}
    return [say(code) for code, precisions in (("half", {"fp16", "bf16"}), ("amp", {"amp-fp16", "amp-bf16"})) if used & precisions]


def _number(value: float) -> str:
    return f"{value:g}"


"""What the run says in a sentence or two: which configuration leads, and whether that was shown."""

from __future__ import annotations

from collections import Counter

from engine.report.labels import Labels
from engine.report.names import configuration_name
from engine.result import Outcome, Run
from engine.units import format_ci, format_rate, significant

STATUSES = ("ok", "out-of-memory", "unsupported", "failed", "cancelled")


def best_index(run: Run) -> int | None:
    """The row with the most items a second; the shortest median where rates are missing; None where nothing was measured."""
    ranked = ranking(run)
    return ranked[0] if ranked else None


def ranking(run: Run) -> list[int]:
    """Rows that ended well (or were stopped by the user) with figures, most items a second first; what a crash cut short leads nothing."""
    measured = [index for index, outcome in enumerate(run.outcomes) if outcome.status in ("ok", "cancelled") and outcome.latency is not None and outcome.latency.count > 0]
    return sorted(measured, key=lambda index: -(run.outcomes[index].throughput_per_s or 0.0))


def verdict(run: Run, labels: Labels) -> str:
    """How many configurations came to what, and which leads."""
    return labels.sentences([*_leader(run, labels), _counts(run, labels)] if len(run.outcomes) > 1 else _leader(run, labels))


def _counts(run: Run, labels: Labels) -> str:
    found = Counter(outcome.status if outcome.status in STATUSES else "failed" for outcome in run.outcomes)
    parts = labels.join(labels(f"count.{status}", n=found[status]) for status in STATUSES if found[status])
    return labels("counts", n=len(run.outcomes), parts=parts)


def _leader(run: Run, labels: Labels) -> list[str]:
    ranked = ranking(run)
    if not ranked:
        return [labels("verdict.none")]
    first = run.outcomes[ranked[0]]
    sentences = [_only(first, labels) if len(ranked) == 1 else _compared(first, run.outcomes[ranked[1]], labels)]
    quickest = min(ranked, key=lambda index: _p50(run.outcomes[index]))
    if quickest != ranked[0] and _p50(run.outcomes[quickest]) < _p50(first):
        outcome = run.outcomes[quickest]
        sentences.append(labels("verdict.quickest", name=configuration_name(outcome.configuration, labels), p50=p50_text(outcome)))
    if first.trust is not None and first.trust.grade in ("noisy", "poor"):
        sentences.append(labels("verdict.not-good", name=configuration_name(first.configuration, labels), grade=labels(f"grade.{first.trust.grade}")))
    return sentences


def _only(outcome: Outcome, labels: Labels) -> str:
    name = configuration_name(outcome.configuration, labels)
    if outcome.latency is None or outcome.latency.p50_ms is None:
        return labels("verdict.no-median", name=name)
    return labels("verdict.one", name=name, p50=p50_text(outcome), rate=format_rate(outcome.throughput_per_s))


def _compared(first: Outcome, second: Outcome, labels: Labels) -> str:
    names = {"name": configuration_name(first.configuration, labels), "other": configuration_name(second.configuration, labels)}
    rate = format_rate(first.throughput_per_s)
    shown = _is_shown(first, second)
    if shown is None:
        return labels("verdict.unsure", rate=rate, **names)
    if not shown:
        return labels("verdict.tie", **names)
    return labels("verdict.best", rate=rate, ratio=significant((first.throughput_per_s or 0.0) / (second.throughput_per_s or 1.0)), **names)


def has_winner(run: Run) -> bool:
    """Whether the run shows that its first row does more than each other one."""
    ranked = ranking(run)
    return len(ranked) > 1 and all(_is_shown(run.outcomes[ranked[0]], run.outcomes[other]) for other in ranked[1:])


def _is_shown(first: Outcome, second: Outcome) -> bool | None:
    """Whether the medians' intervals, an item, lie apart; None where one of them has none."""
    ends = _per_item(first), _per_item(second)
    if ends[0] is None or ends[1] is None or not first.throughput_per_s or not second.throughput_per_s:
        return None
    return ends[0][1] < ends[1][0]


def _per_item(outcome: Outcome) -> tuple[float, float] | None:
    """The interval of the median, in ms an item."""
    if outcome.latency is None or outcome.latency.p50_ci95_ms is None:
        return None
    low, high = outcome.latency.p50_ci95_ms
    items = max(1, outcome.configuration.batch_size)
    return low / items, high / items


def _p50(outcome: Outcome) -> float:
    return outcome.latency.p50_ms if outcome.latency is not None and outcome.latency.p50_ms is not None else float("inf")


def p50_text(outcome: Outcome) -> str:
    """The median with its interval, as table, figures and page show it."""
    if outcome.latency is None:
        return format_ci(None)
    return format_ci(outcome.latency.p50_ms, *(outcome.latency.p50_ci95_ms or (None, None)))

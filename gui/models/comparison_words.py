"""A comparison as words: verdict, ratio, what is missing, what is being done."""

from __future__ import annotations

from engine import units
from gui import text
from gui.models.comparison_model import ComparisonModel
from gui.models.problem import say_failure
from gui.models.quantity import duration_text

ROLES = {"FASTER": "good", "SLOWER": "bad", "SAME": "good", "CANNOT-TELL": "caution"}
"""Colour of each verdict; its word and its shape stand beside it."""


def headline(model: ComparisonModel) -> tuple[str, str, str]:
    """The verdict or the state in a word or two, its icon (or nothing), and its colour."""
    if model.verdict:
        return text.say(f"compare.{model.verdict}"), model.verdict, ROLES[model.verdict]
    code = {"empty": "", "queued": "compare.waiting", "running": "compare.running", "done": "compare.ended"}[model.state]
    return (text.say(code) if code else ""), ("running" if model.state == "running" else "cancelled" if code == "compare.ended" else ""), "muted"


def ratio_text(model: ComparisonModel) -> str:
    """The ratio with its interval as a sentence."""
    found = model.comparison
    if found is None or found.ratio is None:
        return ""
    if found.ci95 is None:
        return text.say("compare.ratio-only", ratio=percent(found.ratio))
    return text.say("compare.ratio", ratio=percent(found.ratio), low=percent(found.ci95[0]), high=percent(found.ci95[1]))


def percent(ratio: float) -> str:
    """`104.8 %`."""
    return text.say("compare.percent", value=f"{ratio * 100.0:.1f}")


def standing_text(model: ComparisonModel) -> str:
    """Blocks so far, what a verdict still needs, and how long that takes; or why it ended."""
    if model.failure is not None:
        return " ".join(part for part in say_failure(model.failure) if part)
    found = model.comparison
    if found is None:
        return phase_text(model)
    parts = [text.say("compare.blocks", blocks=found.blocks)]
    if found.samples_needed and (model.is_busy or model.verdict == "CANNOT-TELL"):
        parts.append(text.say("compare.needs", count=found.samples_needed))
    if model.progress is not None and model.progress.seconds_left is not None:
        parts.append(text.say("compare.left", time=duration_text(model.progress.seconds_left)))
    return " · ".join(parts)


def phase_text(model: ComparisonModel) -> str:
    """What the worker of the moment does, before there is a figure."""
    if model.progress is None:
        return ""
    phase = model.progress.phase
    named = text.say(f"state.{phase}") if f"state.{phase}" in text.TABLE else phase
    return f"{'AB'[model.progress.index or 0]} · {named}" if phase else ""


def side_text(model: ComparisonModel, index: int) -> str:
    """The side's median of all its blocks."""
    found = model.comparison
    medians = () if found is None else (found.medians_a_ms, found.medians_b_ms)[index]
    if not medians:
        return ""
    middle = sorted(medians)[len(medians) // 2]
    return text.say("compare.side-median", p50=units.format_duration_ms(middle))

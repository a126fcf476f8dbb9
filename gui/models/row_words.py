"""A row as words: its name, where it stands, its figures; table, figures bar, details and Markdown say the same."""

from __future__ import annotations

from collections.abc import Iterable

from engine import devices, units
from engine.job import Configuration
from engine.option_names import option_name, option_names
from engine.result import Latency, Outcome
from engine.statistics import sample_floor, samples_missing
from gui import text
from gui.models.problem import say_failure
from gui.models.row import Row

P99_FLOOR = sample_floor(0.99)


def short_name(configuration: Configuration, others: Iterable[Configuration] = ()) -> str:
    """Precision and batch size, and whatever else differs between the rows."""
    others = list(others)
    parts = [configuration.precision]
    if configuration.quantization != "none":
        parts.append(axis_word(configuration.quantization))
    parts += [batch_name(configuration), *option_names(configuration, text.language(), without=("batch", "micro_batch"))]
    names = ("device", "backend", "threads") if devices.on_cpu(configuration.device) else ("device", "backend")
    parts += [_part(name, configuration) for name in names if len({getattr(other, name) for other in others}) > 1]
    return " · ".join(parts)


def batch_name(configuration: Configuration) -> str:
    """`b8`; `max: b480` where it was found, `b64 as 4 × 16` where it was run in parts."""
    parts, size = configuration.options.get("micro_batch"), configuration.batch_size
    if isinstance(parts, int) and parts > 0:
        name = text.say("config.micro", n=size, parts=parts, size=-(-size // parts))
    else:
        name = text.say("config.batch", n=size)
    return text.say("config.found", asked=option_name(configuration, "batch", text.language()), batch=name) if "batch" in configuration.options else name


def full_name(configuration: Configuration) -> str:
    """Every axis."""
    names = ("device", "backend", "threads") if devices.on_cpu(configuration.device) else ("device", "backend")
    quantization = [axis_word(configuration.quantization)] if configuration.quantization != "none" else []
    batch = text.say("config.batch-full", n=configuration.batch_size)
    options = option_names(configuration, text.language())
    return " · ".join([configuration.precision, *quantization, batch, *(_part(name, configuration) for name in names), *options])


def _part(name: str, configuration: Configuration) -> str:
    if name == "threads":
        return text.say("config.thread" if configuration.threads == 1 else "config.threads", n=configuration.threads)
    if name == "device" and devices.is_joint(configuration.device):
        return devices.shown(configuration.device, text.language())
    return axis_word(str(getattr(configuration, name)))


def axis_word(value: str) -> str:
    """A value of an axis as its chip calls it."""
    return text.say(f"chip.{value}") if f"chip.{value}" in text.TABLE else value


def state_word(row: Row) -> str:
    """Where the row stands."""
    if row.state == "finding" and row.trying is not None:
        return text.say("state.finding-batch", batch=row.trying.batch_size, number=row.trying.number)
    return text.say(f"state.{row.state}")


def picture(row: Row) -> str:
    """The name of the icon for where the row stands."""
    if row.state == "rest":
        return "resting"
    return "running" if row.is_active else row.state


def failure_lines(row: Row) -> tuple[str, str] | None:
    """What went wrong and what to do, for a row without figures; None when it has figures or none are due yet."""
    if row.outcome is None or not row.is_ended or (row.state == "done"):
        return None
    if row.outcome.error is not None:
        return say_failure(row.outcome.error)
    if row.outcome.stopped_because is not None:
        reason = row.outcome.stopped_because
        return text.say_reason(reason.code, reason.values, reason.sentence), ""
    return "", ""


def failure_sentence(row: Row) -> str:
    """One line across the table, empty for a row with figures."""
    lines = failure_lines(row)
    if lines is None or has_figures(row):
        return ""
    sentence = " ".join(line for line in lines if line)
    return text.say("table.failure", state=state_word(row), sentence=sentence) if sentence else state_word(row)


def has_figures(row: Row) -> bool:
    """Whether a median may be shown."""
    return row.outcome is not None and row.outcome.latency is not None and row.outcome.latency.p50_ms is not None


def p50_text(latency: Latency | None) -> str:
    """`4.304 ± 0.013 ms`, or with quartiles where one visit gives no interval."""
    if latency is None or latency.p50_ms is None:
        return units.NONE
    if latency.p50_ci95_ms is not None:
        return units.format_ci(latency.p50_ms, *latency.p50_ci95_ms)
    p50 = units.format_ci(latency.p50_ms)
    if latency.p25_ms is None or latency.p75_ms is None:
        return p50
    low, high, _ = quartiles(latency)
    return text.say("table.quartiles", p50=p50, low=low, high=high)


def quartiles(latency: Latency) -> tuple[str, str, str]:
    """Both quartiles and their unit, which is the median's."""
    assert latency.p50_ms is not None and latency.p25_ms is not None and latency.p75_ms is not None
    unit, length = units.duration_unit(latency.p50_ms)
    places = units.decimals(latency.p50_ms / length)
    return f"{latency.p25_ms / length:,.{places}f}", f"{latency.p75_ms / length:,.{places}f}", unit


def p99_missing(latency: Latency | None) -> int | None:
    """How many samples p99 still needs; None when it is known, or nothing is."""
    if latency is None or latency.p99_ms is not None or not latency.count:
        return None
    return samples_missing(latency.count, 0.99)


def peak_bytes(outcome: Outcome | None) -> int | None:
    """The peak where the model ran: on the device, or of the process."""
    if outcome is None:
        return None
    return outcome.memory.process_peak_bytes if devices.on_cpu(outcome.configuration.device) else outcome.memory.device_peak_bytes


def accuracy_text(row: Row) -> str:
    """What is known of the answers: not checked, or the largest error."""
    if not has_figures(row) or row.outcome is None:
        return units.NONE
    if row.outcome.accuracy is None:
        return text.say("table.not-checked")
    error = row.outcome.accuracy.get("max_abs_error")
    return text.say("table.accuracy-loss", value=units.significant(error if isinstance(error, int | float) else None))


def trust_text(outcome: Outcome | None) -> str:
    """The grade as a word."""
    return text.say(f"grade.{outcome.trust.grade}") if outcome is not None and outcome.trust is not None else units.NONE


def trust_reasons(outcome: Outcome | None) -> list[str]:
    """The reasons of the grade, one sentence each."""
    if outcome is None or outcome.trust is None:
        return []
    return [text.say_reason(reason.code, reason.values, reason.sentence) for reason in outcome.trust.reasons]

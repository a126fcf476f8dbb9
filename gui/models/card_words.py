"""What the model card says about an entry, worded in the language of the moment."""

from __future__ import annotations

import re
from pathlib import Path

from engine.result import Failure, ModelInfo
from engine.units import format_bytes, format_count, format_count_short, format_duration_ms
from gui import text
from gui.models.model_entry import ModelEntry
from gui.models.problem import say_failure

Line = tuple[str, str, str]
"""Icon of gui.theme, role of its colour, words."""
SAY_SECONDS_FROM = 2.0
_BREAKS = re.compile(r"(?<!\d)\.|\.(?!\d)|_")
_UNIT = re.compile(r"(?<=\d) (?=[^\W\d])")
_ON_THE_CARD = ("note-other-weights", "note-picklescan", "note-state-dict-not-model", "note-module-needs-class", "weights-missing")
"""Notes that the card (box of places, code to copy, line of the fit) or the question of trust says in its own way."""


def facts_line(entry: ModelEntry) -> str:
    """Kind, parameters (or values, while the class is not known) and size."""
    info = entry.info
    if info is None:
        return text.say("card.inspecting")
    kind, size = text.say(f"kind.{info.kind}"), format_bytes(info.file_bytes)
    parameters = entry.examined.parameters if entry.examined and entry.examined.parameters is not None else info.parameters
    if parameters is not None:
        return unbroken(text.say("card.line-parameters", kind=kind, parameters=count_text(parameters), size=size))
    return unbroken(text.say("card.line-small", kind=kind, size=size) if info.values is None else text.say("card.line", kind=kind, values=count_text(info.values), size=size))


def saved_line(info: ModelInfo) -> str:
    """Number types, and the devices that the tensors were saved on."""
    parts = [", ".join(info.dtypes)] if info.dtypes else []
    elsewhere = [device for device in info.saved_on if device != "cpu"]
    if elsewhere:
        parts.append(text.say("card.saved-on", devices=", ".join(elsewhere)))
    return " · ".join(parts)


def first_layer_line(entry: ModelEntry) -> str:
    """The first layer and the input that it wants."""
    reason = (entry.examined.first_layer if entry.examined else None) or (entry.inspected.first_layer if entry.inspected else None)
    return text.say_reason(reason.code, reason.values, reason.sentence) if reason else ""


def load_line(entry: ModelEntry) -> str:
    """How loading went: reading, moving, and the peak of memory."""
    phases = entry.examined.phases_ms if entry.examined else {}
    if entry.examined is None or "load" not in phases:
        return ""
    said = {name: format_duration_ms(ms) for name, ms in phases.items()}
    code = "card.load-split" if "moving" in said and "reading" in said else "card.load-reading" if "reading" in said else "card.load"
    line = text.say(code, **said)
    peak = entry.examined.load_peak_bytes
    return unbroken(line if peak is None else text.say("card.load-peak", load=line, peak=format_bytes(peak)))


def notes_lines(entry: ModelEntry) -> str:
    """What inspecting and examining remarked."""
    notes = [*(entry.inspected.notes if entry.inspected else ()), *(entry.examined.notes if entry.examined else ())]
    said = [note for note in notes if note.code not in _ON_THE_CARD]
    return "\n".join(dict.fromkeys(text.say_reason(note.code, note.values, note.sentence) for note in said))


def consent_line(entry: ModelEntry, trusted: frozenset[str]) -> str:
    """Whether loading it runs code, and whether the user is asked first."""
    inspected = entry.inspected
    if inspected is None or not inspected.requires_trust:
        where, _, name = (entry.architecture or "").partition(".py:")
        return text.say("card.safe-class", file=f"{Path(where).name}.py") if name else text.say("card.safe")
    if inspected.danger == "dangerous":
        return text.say("card.dangerous")
    if entry.info and entry.info.sha256 in trusted:
        return text.say("card.trusted")
    return text.say("card.trusted-once" if entry.examined and entry.examined.source.trusted else "card.needs-trust")


def class_line(entry: ModelEntry) -> tuple[str, str]:
    """Role and words for the class: which one and how well it fits, or that one is needed."""
    info, fit = entry.info, entry.fit
    if entry.architecture:
        name, where = (breakable(part) for part in class_name(entry.architecture))
        if fit is not None:
            name = text.say("card.class-fit", name=name, matching=fit.matching, keys=fit.keys)
        said = text.say("card.class", name=name)
        return ("" if fit is None or fit.perfect else "caution"), text.say("card.class-where", said=said, where=where) if where else said
    if entry.missing_classes:
        if entry.candidates:
            name, where = class_name(entry.candidates[0].spec)
            return "caution", text.say("card.missing-class-beside", names=breakable(", ".join(entry.missing_classes)), file=breakable(where), name=breakable(name))
        return "caution", text.say("card.missing-class", names=breakable(", ".join(entry.missing_classes)))
    if info is not None and entry.needs_class:
        if entry.candidates:
            count = len(entry.candidates)
            return "caution", text.say("card.needs-class-one" if count == 1 else "card.needs-class-near", count=count)
        return "caution", text.say("card.needs-class", tensors=format_count(info.tensors), values=count_text(info.values or 0))
    return "", text.say("card.class", name=breakable(info.architecture)) if info and info.architecture else ""


def state_line(entry: ModelEntry) -> Line | None:
    """What is being done with the file, or what came of it."""
    if entry.looking is not None:
        doing = text.say(f"look.{entry.looking.what}")
        if entry.looking.waiting_s >= SAY_SECONDS_FROM:
            doing = text.say("look.since", doing=doing, seconds=int(entry.looking.waiting_s))
        return "running", "accent", doing
    if entry.was_stopped:
        return "cancelled", "muted", text.say("look.stopped")
    if (failure := failure_of(entry)) is not None:
        summary, hint = say_failure(failure)
        return "noisy", "caution", text.say("look.needs-you", summary=summary, hint=hint).strip()
    if entry.examined is None:
        return None
    if entry.examined.outputs is None:
        return "noisy", "caution", text.say("look.loaded")
    return "good", "good", text.say("look.ran", outputs=entry.examined.outputs)


def failure_of(entry: ModelEntry) -> Failure | None:
    """Why the last look at it came to nothing; a search that failed matters only while a class is wanted."""
    if entry.examined is not None:
        return entry.examined.failure
    return entry.ranked.failure if entry.ranked is not None and entry.needs_class else None


def class_name(architecture: str) -> tuple[str, str]:
    """`Net(width=3)` and `net.py` of `/path/net.py:Net(width=3)`."""
    where, _, name = architecture.partition(".py:")
    if name:
        return name, f"{Path(where).name}.py"
    where, _, name = architecture.partition(":")
    return (name, where) if name else (where, "")


def breakable(name: str) -> str:
    """A long dotted name may be broken after each dot, a number not; the space has no width."""
    return _BREAKS.sub("\\g<0>\u200b", name)


def unbroken(line: str) -> str:
    """A number stays with its unit, and a dot between two facts at the end of its line."""
    return _UNIT.sub("\N{NO-BREAK SPACE}", line).replace(" ·", "\N{NO-BREAK SPACE}·")


def count_text(values: int) -> str:
    """Exact while that is short."""
    return format_count(values) if values < 100_000 else format_count_short(values)

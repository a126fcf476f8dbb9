"""What the class picker decides: which class is meant, what it still needs, and what its fit means, without a widget."""

from __future__ import annotations

import re

import msgspec

from engine.architecture import ArchitectureError, parse_architecture
from engine.candidates import Candidate, Fit
from engine.classes import ClassEntry
from gui import text
from gui.models.card_words import class_name
from gui.models.model_entry import bare_spec

_PARTS = re.compile(r"^(?P<where>.+?):(?P<name>[A-Za-z_][\w.]*)\s*(?:\((?P<arguments>.*)\))?$", re.DOTALL)
LIBRARIES = ("torchvision", "timm", "transformers")


def arguments_of(spec: str) -> str:
    """What stands in the parentheses of `--arch`."""
    parts = _PARTS.match(spec)
    return (parts["arguments"] or "").strip() if parts else ""


def with_arguments(spec: str, arguments: str) -> str:
    """The same class with other constructor arguments."""
    return f"{bare_spec(spec)}({arguments.strip()})" if arguments.strip() else bare_spec(spec)


def retyped(candidate: Candidate, arguments: str) -> Candidate:
    """The candidate with the arguments as typed: what was built with others tells nothing about it."""
    if arguments.strip() == arguments_of(candidate.spec):
        return candidate
    return msgspec.structs.replace(candidate, spec=with_arguments(candidate.spec, arguments), fit=None)


def still_needed(needs: tuple[str, ...], spec: str, order: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Arguments of `needs` that `spec` does not give; `order` are all names, for what is given by position."""
    try:
        given = parse_architecture(spec)
    except ArchitectureError:
        return needs
    by_position = (order or needs)[: len(given.positional)]
    return tuple(name for name in needs if name not in given.named and name not in by_position)


def wanted_names(missing_classes: tuple[str, ...]) -> tuple[str, ...]:
    """`Net` of `__main__.Net`: the names that a class file should define."""
    return tuple(dict.fromkeys(name.rpartition(".")[2] for name in missing_classes))


def preselected(entries: list[ClassEntry], wanted: tuple[str, ...]) -> int:
    """The row of the class that the model asks for; where it asks for none, of the most probable one."""
    return next((row for row, entry in enumerate(entries) if entry.name in wanted), -1 if wanted or not entries else 0)


def candidate_lines(candidate: Candidate, wanted: int = 0) -> str:
    """Name, and below it how well it fits and where it comes from; `wanted` is how many classes a whole module lacks."""
    name, where = class_name(candidate.spec)
    origin = text.say(f"origin.{candidate.origin}", file=where) if candidate.origin == "file" else text.say(f"origin.{candidate.origin}")
    return f"{name}\n{text.say('picker.score-line', score=score_text(candidate, wanted), origin=origin)}"


def score_text(candidate: Candidate, wanted: int = 0) -> str:
    """`13 of 13 weights fit`, or that nobody has built it yet; of a whole module's class file, how much it defines."""
    if wanted:
        return text.say("picker.defines-one" if wanted == 1 else "picker.defines", count=round(candidate.score * wanted), total=wanted)
    if candidate.fit is not None:
        return text.say("picker.fits", matching=candidate.fit.matching, keys=candidate.fit.keys)
    code = "picker.about-library" if candidate.origin in LIBRARIES else "picker.about"
    return text.say(code, percent=round(100 * candidate.score))


def candidate_mark(candidate: Candidate) -> tuple[str, str]:
    """Shape and colour: fits, fits partly, not built yet."""
    if candidate.fit is None:
        return "queued", "muted"
    return ("good", "good") if candidate.perfect else ("noisy", "caution")


def differences(fit: Fit) -> str:
    """What does not fit, by name; each list says how much more there is."""
    parts = [text.say("picker.prefix", prefix=fit.prefix)] if fit.prefix else []
    lists = (
        ("picker.missing", fit.missing, fit.missing_count), ("picker.unexpected", fit.unexpected, fit.unexpected_count),
        ("picker.differing", fit.differing, fit.differing_count),
    )
    for code, names, count in lists:
        total = max(count, len(names))
        if total:
            more = [text.say("picker.and-more", count=total - len(names))] if total > len(names) else []
            parts.append("\n".join([text.say(code, count=total), *(f"  {name}" for name in names), *(f"  {line}" for line in more)]))
    return "\n".join(parts)


def left_random(fit: Fit) -> int:
    """Weights of the class that the file cannot fill: missing ones and those of another shape."""
    return max(fit.missing_count, len(fit.missing)) + max(fit.differing_count, len(fit.differing))


def allowing_text(fit: Fit) -> str:
    """What running with a partial fit means."""
    if count := left_random(fit):
        return text.say("picker.allow-one" if count == 1 else "picker.allow", count=count)
    return text.say("picker.allow-extra", count=max(fit.unexpected_count, len(fit.unexpected)))

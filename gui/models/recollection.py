"""What is remembered of a model from one day to the next: its inputs, class, and place of the weights, by the bytes of the file."""

from __future__ import annotations

import msgspec

from engine.inputs import InputError, format_input, parse_input
from engine.job import InputSpec
from engine.result import Failure
from engine.search import remembered
from gui.models.model_entry import ModelEntry
from gui.settings import Remembered, Settings, class_key, with_class, with_remembered


def recall(entry: ModelEntry, settings: Settings) -> bool:
    """Put what is remembered into an entry that was just inspected, where the user has chosen nothing yet; whether anything changed."""
    info, found = entry.info, False
    if info is None:
        return False
    kept = settings.remembered.get(info.sha256)
    if kept is not None and kept.weights_at and entry.weights_at is None and entry.inspected and kept.weights_at in entry.inspected.weights_places:
        entry.weights_at, found = kept.weights_at, True
    if entry.awaits_place:
        return found
    if kept is not None and not entry.inputs_edited:
        found = _recall_inputs(entry, kept) or found
    if entry.needs_class and (architecture := settings.classes.get(class_key(info)) or _by_fingerprint(entry)):
        entry.architecture, found = architecture, True
        entry.allow_missing = kept is not None and kept.allow_missing and settings.classes.get(class_key(info)) == architecture
    return found


def keep(entry: ModelEntry, settings: Settings) -> Settings:
    """The settings with the inputs, place and class that this model has now."""
    info = entry.info
    if info is None or entry.is_demo:
        return settings
    texts = tuple(format_input(spec) for spec in entry.inputs) if entry.inputs_edited or all(spec.ran for spec in entry.inputs) else ()
    kept = Remembered(inputs=texts, edited=entry.inputs_edited, weights_at=entry.weights_at or "", allow_missing=entry.allow_missing)
    settings = with_remembered(settings, info.sha256, kept)
    known = entry.takes_class and entry.architecture and not entry.awaits_place
    return with_class(settings, class_key(info), entry.architecture) if known and entry.architecture else settings


def keep_class(entry: ModelEntry) -> Failure | None:
    """Remember the class for all weights of these keys and shapes; one that only fits with holes is for these very bytes alone."""
    if entry.inspected is None or not entry.architecture or entry.allow_missing or entry.is_demo or not entry.is_weights_only or entry.awaits_place:
        return None
    return remembered.remember(entry.inspected.fingerprint, entry.architecture)


def _by_fingerprint(entry: ModelEntry) -> str | None:
    if not entry.is_weights_only or entry.inspected is None:
        return None
    return remembered.recall(entry.inspected.fingerprint)


def _recall_inputs(entry: ModelEntry, kept: Remembered) -> bool:
    inputs = _parsed(kept)
    if not inputs or (not kept.edited and any(spec.source == "declared" for spec in entry.inputs)):
        return False
    entry.inputs, entry.inputs_edited = inputs, kept.edited
    return True


def _parsed(kept: Remembered) -> tuple[InputSpec, ...]:
    """Empty where a text cannot be read any more, as one from a newer program."""
    try:
        specs = tuple(parse_input(text) for text in kept.inputs)
    except InputError:
        return ()
    return specs if kept.edited else tuple(msgspec.structs.replace(spec, source="guessed") for spec in specs)

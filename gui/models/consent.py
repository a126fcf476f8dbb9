"""The user's consent to run code: what is asked, what was agreed to, and for which exact bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine import storage
from engine.capabilities import Facts
from engine.confinement import PROTECTIONS
from engine.demo import demo_source
from engine.events import FileInspected
from engine.result import ModelInfo, Reason
from gui.settings import Settings, class_key, with_trusted

Decision = Literal["once", "always", "no"]
NOTES = ("note-picklescan", "note-evaluated-text", "note-operators")
"""What speaks of the code in a file; other remarks stay on the card."""


@dataclass(frozen=True)
class TrustRequest:
    """What would run if the user said yes: a model file's own code, or Python files in which classes are looked for."""

    what: Literal["file", "classes"]
    paths: tuple[str, ...]
    grades: tuple[tuple[str, str], ...] = ()
    """(who wants to be imported and called, `harmless`, `unknown` or `dangerous`), the worst first."""
    is_dangerous: bool = False
    """No yes is offered in the window."""
    notes: tuple[Reason, ...] = ()
    """What another scanner says, and what loading evaluates."""
    holding: tuple[str, ...] = ()
    """Protections that hold here, codes of `engine.confinement.PROTECTIONS`."""
    failing: tuple[str, ...] = ()
    """Protections that do not."""
    is_checked: bool = False
    """The machine was probed, so that `holding` is known."""
    has_gpu: bool = False
    failing_on_gpu: tuple[str, ...] = ()
    """Protections that hold, but not where the GPU is used; its memory is never bounded."""
    sha256: tuple[str, ...] = ()
    """One a path; empty for what cannot be read, and then nothing is agreed to for always."""
    command: str = ""
    """Opens a dangerous file in a terminal."""

    @property
    def name(self) -> str:
        """The (first) file's name without its folder."""
        return Path(self.paths[0]).name if self.paths else ""

    @property
    def may_be_remembered(self) -> bool:
        """Whether `always` can mean these exact bytes."""
        return bool(self.sha256) and all(self.sha256) and not self.is_dangerous

    @property
    def dangerous_names(self) -> tuple[str, ...]:
        """The calls that nobody needs to load a model."""
        return tuple(name for name, grade in self.grades if grade == "dangerous")


def ask_for_file(inspected: FileInspected, facts: Facts | None, command: str = "") -> TrustRequest:
    """What loading this model file would run; `command` does it in a terminal."""
    grades = tuple((name, inspected.grades.get(name, "unknown")) for name in inspected.unsafe_globals) or tuple(inspected.grades.items())
    return TrustRequest(
        "file", (inspected.path,), grades, inspected.danger == "dangerous", tuple(note for note in inspected.notes if note.code in NOTES),
        *_protections(facts), sha256=(inspected.info.sha256 if inspected.info else "",), command=command,
    )


def ask_for_classes(paths: tuple[str, ...], facts: Facts | None) -> TrustRequest:
    """What looking closer into these Python files would run: all of their imports and definitions."""
    return TrustRequest("classes", paths, (), False, (), *_protections(facts), sha256=tuple(file_sha256(path) for path in paths))


def remember(settings: Settings, request: TrustRequest) -> Settings:
    """The settings after `always`: these exact bytes may run code from now on."""
    for sha256 in request.sha256 if request.may_be_remembered else ():
        settings = with_trusted(settings, sha256)
    return settings


def may_import(paths: tuple[str, ...], settings: Settings) -> bool:
    """Whether the user agreed for always to every one of these Python files, as they are now."""
    found = [file_sha256(path) for path in paths]
    return all(sha256 and sha256 in settings.trusted_sha256 for sha256 in found)


def file_sha256(path: str) -> str:
    """sha256 of a file, empty where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _protections(facts: Facts | None) -> tuple[tuple[str, ...], tuple[str, ...], bool, bool, tuple[str, ...]]:
    """What holds, what does not, whether that is known, whether there is a GPU, and what does not hold on it."""
    holding = facts.confinement if facts else ()
    known = tuple(code for code in PROTECTIONS if code in holding)
    on_gpu = tuple(code for code in known if facts and facts.gpus and code not in (*facts.confinement_gpu, "memory"))
    return known, tuple(code for code in PROTECTIONS if code not in holding), facts is not None, bool(facts and facts.gpus), on_gpu


def may_load_again(model: ModelInfo, run_path: str | None, settings: Settings) -> bool:
    """Whether the user agreed to the code that loading `model` runs: the file's own, and its class's (naming it was consent, where this program kept the run)."""
    is_own = run_path is not None and Path(run_path).parent == storage.history_folder()
    return _agrees_to_file(model, settings) and (is_own or _agrees_to_class(model, settings))


def _agrees_to_file(model: ModelInfo, settings: Settings) -> bool:
    return not model.trusted or model.sha256 in settings.trusted_sha256 or _is_demo(model)


def _agrees_to_class(model: ModelInfo, settings: Settings) -> bool:
    # Without a colon it is a name to read, which nobody imports.
    return ":" not in (model.architecture or "") or settings.classes.get(class_key(model)) == model.architecture or _is_demo(model)


def _is_demo(model: ModelInfo) -> bool:
    path, architecture, _ = demo_source()
    return (model.path, model.architecture) == (path, architecture)

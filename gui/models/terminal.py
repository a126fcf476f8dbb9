"""The command that opens a model in a terminal, where the window does not: complete, and quoted so that it can be pasted anywhere."""

from __future__ import annotations

import shlex
import sys

import msgspec

from engine.command_line import model_words
from engine.inputs import unknown_sizes
from engine.setup.places import ROOT
from gui.models.model_entry import ModelEntry


def terminal_command(entry: ModelEntry, python: str | None) -> str:
    """Measures a dangerous file with the class, place, inputs and Python that are chosen here; what was only guessed is guessed again there."""
    source = msgspec.structs.replace(entry.source(trusted=True), dangerous=True)
    given = entry.inputs if entry.inputs_edited and not any(unknown_sizes(spec) for spec in entry.inputs) else ()
    words = [sys.executable, str(ROOT / "main.py"), "profile", *model_words(source, given)]
    return _in_lines([*words, "--python", python] if python else words)


def _in_lines(words: list[str]) -> str:
    """Each option begins a line, which the shell joins again: broken anywhere else it could not be read."""
    return "".join(f" \\\n  {word}" if word.startswith("--") else f" {word}" for word in map(shlex.quote, words)).strip()

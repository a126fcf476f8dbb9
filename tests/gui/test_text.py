"""Every sentence exists in both languages, with the same values, and no widget shows words of its own."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import string
from pathlib import Path

import pytest

from engine.words import failure
from gui import text, words
from gui.models.problem import say_failure

GUI = Path(__file__).resolve().parents[2] / "gui"
SOURCES = sorted(path for path in GUI.rglob("*.py") if "words" not in path.parts)
SHOWING = {
    "setText", "setToolTip", "setWindowTitle", "setAccessibleName", "setAccessibleDescription", "setPlaceholderText", "setTitle", "setTabText", "addAction",
    "setStatusTip", "setWhatsThis", "setLabelText", "setInformativeText", "drawText", "addTab", "QLabel", "QPushButton", "QCheckBox", "QRadioButton",
    "QGroupBox", "setHorizontalHeaderLabels", "addItem", "addItems", "setItemText", "QAction",
}
THEIR_OWN_NAME = {"English", "简体中文"}


def fields(template):
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.fixture(autouse=True)
def english_again():
    yield
    text.set_language("en")


@pytest.mark.parametrize("code", sorted(text.TABLE))
def test_both_languages_say_the_same(code):
    """Both are there, with the same values, and say nothing that cannot be formatted."""
    english, chinese = text.TABLE[code]
    assert english.strip() and chinese.strip()
    assert fields(english) == fields(chinese)
    values = dict.fromkeys(fields(english), "x")
    assert text.say(code, **values)
    assert not re.search(r"\b(please|oops)\b", english, re.IGNORECASE)


def test_a_code_stands_in_one_table_only():
    """Otherwise one of two sentences would never be shown."""
    tables = [importlib.import_module(f"gui.words.{module.name}").TABLE for module in pkgutil.iter_modules(words.__path__)]
    assert len(tables) > 3 and len(text.TABLE) == sum(len(table) for table in tables)


def test_switching_is_told_once(qtbot):
    """Widgets say their words again when the language changes, not when it stays."""
    told = []
    text.current.changed.connect(lambda: told.append(text.language()))
    text.set_language("zh")
    text.set_language("zh")
    assert told == ["zh"]
    with pytest.raises(ValueError, match="fr"):
        text.set_language("fr")


def test_the_engines_reasons_keep_their_sentence_when_unknown():
    """A run of a newer program can be read."""
    assert text.say_reason("code-of-the-future", {}, "As it was said then.") == "As it was said then."
    assert text.say_reason("no-gpu", {}) != "no-gpu"


def test_the_window_speaks_of_what_stands_in_it(qtbot):
    """Where the command line names an option, the window names its own box; what has one hint only keeps it."""
    values = {"python": "/venv/bin/python", "package": "torch"}
    lacks = failure("engine-lost", "interpreter-lacks", values)
    assert "--python" in lacks.hint
    for language in text.LANGUAGES:
        text.set_language(language)
        said = say_failure(lacks)[1]
        assert "--" not in said and "Python" in said and text.say("more.open") in said
    assert text.say_hint("no-gpu", {}, "as it came") == text.say_reason("no-gpu.hint", {}, "as it came")


def codes_said(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "say" and node.args:
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield node.args[0], part.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(GUI)))
def test_every_code_that_is_said_exists(path):
    """A missing code would be found by the user."""
    for argument, code in codes_said(ast.parse(path.read_text())):
        if isinstance(argument, ast.Constant):
            assert code in text.TABLE, code


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(GUI)))
def test_no_widget_shows_a_literal(path):
    """Words reach the eye through the tables only."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in SHOWING:
                for argument in node.args:
                    found += [f"{path.name}:{part.lineno} {part.value!r}" for part in literals(argument)]
    assert not found


def literals(argument):
    """Constant words with letters in them, outside calls of `say` and names of things."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        letters = sum(character.isalpha() for character in argument.value)
        return [argument] if letters > 1 and argument.value not in THEIR_OWN_NAME else []
    if isinstance(argument, ast.JoinedStr | ast.List | ast.Tuple | ast.BinOp):
        return [found for child in ast.iter_child_nodes(argument) if not isinstance(child, ast.FormattedValue) for found in literals(child)]
    return []

"""What is asked before code runs, and what was agreed to."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from engine.confinement import PROTECTIONS
from engine.result import Reason
from gui import text
from gui.models.calls import explain
from gui.models.consent import ask_for_classes, ask_for_file, may_import, remember
from gui.settings import Settings
from tests.support.fake_engine import FACTS, inspected

GRADES = {"posix.system": "dangerous", "nets.Net": "unknown", "collections.deque": "harmless"}


def asked(facts=FACTS, **changes):
    values = {"kind": "module", "requires_trust": True, "grades": GRADES, "unsafe_globals": tuple(GRADES)} | changes
    return ask_for_file(inspected("/models/m.pth", **values), facts)


def test_calls_keep_their_grades_and_order():
    """The worst first, as the inspection lists them."""
    request = asked()
    assert request.grades == tuple(GRADES.items()) and request.name == "m.pth"
    assert request.dangerous_names == ("posix.system",)


def test_a_name_without_a_grade_is_unknown():
    """Nothing is harmless because somebody forgot to say what it is."""
    assert asked(grades={}, unsafe_globals=("a.b",)).grades == (("a.b", "unknown"),)


def test_dangerous_files_are_never_remembered():
    """And what other scanners say goes along; other notes stay on the card."""
    note, other = Reason("note-picklescan", {"names": "posix.system"}), Reason("note-new-protocol")
    request = asked(danger="dangerous", notes=(note, other))
    assert request.is_dangerous and not request.may_be_remembered and request.notes == (note,)
    assert remember(Settings(), request).trusted_sha256 == ()
    assert remember(Settings(), asked()).trusted_sha256 == asked().sha256


@pytest.mark.parametrize(("confinement", "holding"), [((), ()), (("memory", "network", "of-the-future"), ("network", "memory")), (PROTECTIONS, PROTECTIONS)])
def test_what_holds_here_comes_from_the_probe(confinement, holding):
    """Each protection stands on one of the two sides."""
    request = asked(msgspec.structs.replace(FACTS, confinement=confinement))
    assert request.holding == holding and set(request.holding) | set(request.failing) == set(PROTECTIONS) and request.is_checked


def test_before_the_probe_nothing_is_promised():
    """The machine is still being checked."""
    request = asked(None)
    assert not request.is_checked and not request.holding


def test_class_files_are_agreed_to_by_their_bytes(tmp_path):
    """Always holds for these bytes: a changed file is another."""
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("a = 1")
    two.write_text("b = 2")
    paths = (str(one), str(two))
    request = ask_for_classes(paths, FACTS)
    assert request.sha256[0] == hashlib.sha256(b"a = 1").hexdigest() and request.may_be_remembered
    settings = remember(Settings(), request)
    assert may_import(paths, settings) and not may_import(paths, Settings())
    one.write_text("a = 3")
    assert not may_import(paths, settings) and may_import(paths[1:], settings)


def test_what_cannot_be_read_cannot_be_agreed_to_for_always(tmp_path):
    """A file that is gone has no bytes."""
    gone = str(tmp_path / "gone.py")
    request = ask_for_classes((gone,), None)
    assert request.sha256 == ("",) and not request.may_be_remembered
    assert not may_import((gone,), msgspec.structs.replace(Settings(), trusted_sha256=("",)))


@pytest.mark.parametrize(
    ("name", "grade", "code"),
    [
        ("posix.system", "dangerous", "calls.process"), ("urllib.request.urlopen", "dangerous", "calls.network"), ("builtins.open", "dangerous", "calls.files"),
        ("torch.ops.aten.from_file.default", "dangerous", "calls.files"), ("torch.ops.load_library", "dangerous", "calls.interpreter"),
        ("builtins.eval", "dangerous", "calls.interpreter"), ("torch.nn.modules.conv.Conv2d", "harmless", "calls.layer"),
        ("collections.deque", "harmless", "calls.value"), ("__main__.Net", "unknown", "calls.script"), ("nets.Net", "unknown", "calls.package"),
    ],
)
def test_each_call_is_said_in_plain_words(name, grade, code):
    """What it can do, not what it is called."""
    said, values = explain(name, grade)
    assert said == code and text.say(said, **values)

"""What was agreed to, for how long, and what a no says."""

from __future__ import annotations

import msgspec
import pytest

from gui.models.agreement import Agreement
from gui.models.model_list import ModelList
from gui.models.preferences import Preferences
from gui.settings import SettingsFile
from tests.support.fake_engine import FACTS, inspected

PATH = "/models/m.pth"


class Desk:
    """An agreement, what it asked and what it said."""

    def __init__(self, folder):
        self.preferences = Preferences(SettingsFile(folder / "settings.json"))
        self.agreement = Agreement(self.preferences)
        self.agreement.facts = FACTS
        self.asked, self.problems, self.done, self.solved = [], [], [], []
        self.agreement.asked.connect(self.asked.append)
        self.agreement.problem_met.connect(self.problems.append)
        self.agreement.problem_solved.connect(self.solved.append)

    def ask(self, **changes):
        models = ModelList()
        entry = models.add(PATH)
        models.apply(inspected(PATH, **({"kind": "module", "requires_trust": True} | changes)))
        self.agreement.ask_file(entry, lambda: self.done.append(entry))
        return entry


@pytest.fixture
def desk(qapp, tmp_path):
    return Desk(tmp_path)


@pytest.mark.parametrize(("decision", "remembered"), [("once", False), ("always", True)])
def test_a_yes_covers_these_bytes(desk, decision, remembered):
    """Once until the window closes, always in the settings; other bytes are another file."""
    entry = desk.ask()
    assert not desk.agreement.covers(entry)
    desk.agreement.answer(desk.asked[0], decision)
    assert desk.done == [entry] and desk.agreement.covers(entry) and bool(desk.preferences.value.trusted_sha256) is remembered
    entry.inspected = msgspec.structs.replace(entry.inspected, info=msgspec.structs.replace(entry.info, sha256="f" * 64))
    assert not desk.agreement.covers(entry)


def test_a_no_does_nothing_and_says_so(desk):
    """And whoever answers yes to what is dangerous is not heard."""
    entry = desk.ask()
    desk.agreement.answer(desk.asked[0], "no")
    attack = desk.ask(danger="dangerous", grades={"posix.system": "dangerous"}, unsafe_globals=("posix.system",))
    desk.agreement.answer(desk.asked[1], "always")
    assert desk.done == [] and not desk.agreement.covers(entry) and not desk.agreement.covers(attack)
    assert len({problem.summary for problem in desk.problems}) == len({problem.hint for problem in desk.problems}) == 2


def test_a_later_yes_takes_the_no_back(desk):
    """What was said of the no is over; of another file's no it is not."""
    desk.ask()
    desk.agreement.answer(desk.asked[0], "no")
    assert desk.solved == []
    desk.ask()
    desk.agreement.answer(desk.asked[1], "once")
    assert desk.solved == [desk.problems[0].about] and desk.problems[0].about
    desk.agreement.forget_no(["/another.pth"])
    assert desk.solved[1] != desk.solved[0]


def test_the_question_about_a_dangerous_file_brings_its_command(desk):
    """With the Python that is chosen."""
    desk.agreement.python = "/venv/bin/python"
    desk.ask(danger="dangerous", grades={"posix.system": "dangerous"}, unsafe_globals=("posix.system",))
    assert desk.asked[0].command.replace(" \\\n ", "").endswith(f"profile {PATH} --trust --trust-dangerous m.pth --python /venv/bin/python")


def test_class_files_are_agreed_to_one_by_one(desk, tmp_path):
    """A yes to one is no yes to its neighbour."""
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("a = 1")
    two.write_text("b = 2")
    desk.agreement.ask_classes((str(one),), lambda: desk.done.append("one"))
    desk.agreement.answer(desk.asked[0], "once")
    assert desk.done == ["one"] and desk.agreement.covers_classes([str(one)]) and not desk.agreement.covers_classes([str(one), str(two)])
    desk.agreement.ask_classes((str(two),), lambda: desk.done.append("two"))
    desk.agreement.answer(desk.asked[1], "no")
    assert desk.done == ["one"] and "two.py" in desk.problems[-1].summary

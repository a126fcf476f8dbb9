"""The documents keep their word: links lead somewhere, commands and options exist, exit codes, widgets and sentences are the program's own."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import main
from engine import words
from engine.commands import options, profile
from engine.job import PLANS
from engine.matrix import BACKENDS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
CONTRACT = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")
COMMAND = re.compile(r"python3 main\.py[^\n`|]*")


def anchors(text):
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for groups in LINK.findall(page.read_text(encoding="utf-8")):
        target = "".join(groups)
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(found.read_text(encoding="utf-8")), f"{page.name}: {target}"


def commands(page):
    """The command lines that start with a word or an option, without comments."""
    return [re.sub(r"\s\s+.*|\s#.*", "", line).split()[2:] and shlex.split(re.sub(r"\s\s+.*|\s#.*", "", line))[2:] for line in COMMAND.findall(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page):
    for arguments in commands(page):
        if not arguments or "[" in arguments[0]:
            continue
        known = {*main.COMMANDS, "--install", "--uninstall", "--help"} - {*main.LATER}
        assert arguments[0] in known or (ROOT / arguments[0]).exists() or re.search(r"\.\w+$", arguments[0]), f"{page.name}: {arguments}"


def test_the_examples_of_profile_are_understood_and_their_files_are_there():
    found = [arguments for arguments in commands(ROOT / "README.md") if arguments[:1] == ["profile"]]
    assert len(found) > 3
    for arguments in found:
        given = options.parse_profile(arguments[1:])
        assert given.plan in PLANS
        for name in filter(None, (given.file, (given.arch or "").partition(":")[0])):
            assert "/" not in name or (ROOT / name).exists(), arguments


def test_every_option_of_profile_stands_in_the_contract():
    named = set(re.findall(r"--[a-z][a-z-]+", CONTRACT))
    for action in options.profile_parser()._actions:
        for option in action.option_strings:
            assert option in named or option == "-h", option
    assert all(f"`{value}`" in CONTRACT for value in (*PLANS, *BACKENDS))


def test_every_exit_code_stands_in_the_contract():
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", CONTRACT, re.MULTILINE)}
    assert listed == {profile.OK, profile.FAILED, profile.REFUSED, profile.NONE_OK, profile.UNWRITABLE, profile.INTERRUPTED}


def test_every_widget_of_the_contract_is_in_the_sources():
    section = CONTRACT.split("## Names of widgets")[1]
    names = set(re.findall(r"`([a-z][A-Za-z ]+)`", section.replace("\n", " ")))
    names = {name for group in names for name in group.split()} - {"objectName"}
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "gui").rglob("*.py"))
    assert len(names) > 40
    assert [name for name in sorted(names) if f'"{name}"' not in sources] == []


def test_the_sentences_of_troubleshooting_are_the_programs_own():
    known = [re.sub(r"\{[^}]*\}", "…", english) for english, _ in words.table().values()]
    rows = re.findall(r"^\| (.+?) \|", (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)
    quoted = [sentence for row in rows for sentence in re.findall(r"\*([^*]{9,})\*", row)]
    assert len(quoted) > 25
    assert [sentence for sentence in quoted if not any(sentence in template for template in known)] == []


PACKAGES = ("engine/search", "engine/worker/search", "engine/worker/guessing", "engine/worker/loading", "engine/confinement")


def test_architecture_names_every_module_between_a_file_and_a_run():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)(?:\.py)?`", text)) | {name for path in re.findall(r"`(?:[a-z_]+/)+([a-z_]+)\.py`", text) for name in [path]}
    modules = {path.stem for folder in PACKAGES for path in (ROOT / folder).glob("*.py")} - {"__init__"}
    assert len(modules) > 40
    assert sorted(modules - named) == []
    table = text.split("| package | modules |")[1].split("\n\n")[0]
    for line in table.splitlines()[2:]:
        folder, *names = re.findall(r"`([\w/]+)`", line)
        assert [name for name in names if not (ROOT / folder / f"{name}.py").exists()] == [], folder


def test_the_tests_that_architecture_names_exist():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", text)
    assert len(named) > 8
    for file, function in named:
        assert any(f"def {function}(" in path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob(file)), f"{file}::{function}"

"""`--arch` as people write it; nothing is imported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.architecture import ArchitectureError, parse_architecture


@pytest.fixture
def folder(tmp_path):
    """Where a class file lies, under a name that would break a careless reader."""
    place = tmp_path / "models (1): 模型"
    place.mkdir()
    (place / "nets.py").write_text("raise SystemExit('imported')\n")
    return place


@pytest.mark.parametrize(
    ("text", "name", "positional", "named"),
    [
        ("nets.py:Net", "Net", (), {}), (" nets.py:Net() ", "Net", (), {}), ("nets.py:Outer.Inner(3, 'a', k=[1, {'x': (2,)}])", "Outer.Inner", (3, "a"), {"k": [1, {"x": (2,)}]}),
        ("nets.py:build(num_classes=10, pretrained=False, scale=-1.5, name=None)", "build", (), {"num_classes": 10, "pretrained": False, "scale": -1.5, "name": None}),
        ("nets.py:Net(path='C:\\d (x):y')", "Net", (), {"path": "C:\\d (x):y"}),
    ],
)
def test_a_class_in_a_file(folder, text, name, positional, named):
    found = parse_architecture(text, folder)
    assert (found.where, found.name, found.positional, found.named) == (str(folder / "nets.py"), name, positional, named)
    assert found.is_file
    assert parse_architecture(found.spec) == found      # and from any other folder


def test_a_class_in_a_module():
    found = parse_architecture("torchvision.models.resnet:resnet18(weights=None)")
    assert (found.where, found.name, found.named, found.is_file) == ("torchvision.models.resnet", "resnet18", {"weights": None}, False)
    assert parse_architecture(found.spec) == found


@pytest.mark.parametrize("text", ["", "Net", ":Net", "nets.py:", "nets.py:Net x", "nets.py:1Net", "a-b:Net", ".relative:Net", "pack..age:Net", "nets.py:Net)", "nets.py::"])
def test_specs_that_cannot_be_read(folder, text):
    with pytest.raises(ArchitectureError) as met:
        parse_architecture(text, folder)
    assert met.value.summary
    assert "file.py:Class" in met.value.hint


@pytest.mark.parametrize("where", ["nowhere.py", "/nowhere/nets.py", "../nets.py", "x" * 5000 + ".py", "sub/nets.py"])
def test_files_that_are_not_there(folder, where):
    with pytest.raises(ArchitectureError) as met:
        parse_architecture(f"{where}:Net", folder)
    assert where in met.value.summary


def test_a_folder_is_no_class_file_and_links_in_a_ring_lead_nowhere(tmp_path):
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "ring.py").symlink_to("ring.py")
    for name in ("folder.py", "ring.py"):
        with pytest.raises(ArchitectureError):
            parse_architecture(f"{name}:Net", tmp_path)


@pytest.mark.parametrize(
    "arguments",
    ["(open('x'))", "(__import__('os').system('true'))", "(x)", "(*[1])", "(**{'a': 1})", "(1)(2)", "(1", "(lambda: 1)", "(f'{1}')", "(k=1, k=2)", "(1+)", "([1]*3)", "(" + "[" * 300 + ")", "({[]: 1})", "({[1]})"],
)
def test_arguments_are_literals(folder, arguments):
    with pytest.raises(ArchitectureError) as met:
        parse_architecture(f"nets.py:Net{arguments}", folder)
    assert met.value.summary


def test_an_odd_escape_says_nothing(folder):
    """Python would warn, on standard error."""
    assert parse_architecture(r"nets.py:Net('\d')", folder).positional == (r"\d",)


@given(st.text(max_size=60) | st.builds(lambda text: f"pack.age:Net({text})", st.text(alphabet="()[]{}'\",=*:.#\\ abk019\n", max_size=30)))
def test_any_text_is_a_spec_or_a_sentence(text):
    try:
        found = parse_architecture(text)
    except ArchitectureError as error:
        assert error.summary and error.hint
    else:
        assert parse_architecture(found.spec) == found

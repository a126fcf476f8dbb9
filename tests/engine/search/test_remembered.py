"""Pairs that the user chose: kept, forgotten in order, and never believed when damaged or vanished."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.search import remembered
from engine.search.remembered import pairs_path, recall, remember


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.py"
    path.write_text("class Net: ...\n")
    return path


def test_what_was_chosen_comes_back(net):
    """The newest choice for the same weights counts; arguments stay."""
    assert recall("f1") is None
    assert remember("f1", f"{net}:Old") is None
    assert remember("f1", f"{net}:Net(width=3)") is None
    assert recall("f1") == f"{net}:Net(width=3)"
    assert recall("f2") is None
    assert recall("") is None


def test_a_class_file_that_vanished_is_not_offered(net):
    remember("f1", f"{net}:Net")
    net.unlink()
    assert recall("f1") is None
    remember("f2", "torchvision.models:resnet18")
    assert recall("f2") == "torchvision.models:resnet18"


def test_the_oldest_pair_is_forgotten_first(net, monkeypatch):
    monkeypatch.setattr(remembered, "PAIRS_LIMIT", 3)
    for number in range(5):
        remember(f"f{number}", f"{net}:Net({number})")
    assert [recall(f"f{number}") for number in range(5)] == [None, None, *(f"{net}:Net({number})" for number in (2, 3, 4))]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.sampled_from([b"[]", b'{"f1": 3}', b'{"f1": "(("}', b"[" * 100_000, b'{"f1": "x.y:z(__import__(1))"}']))
def test_a_damaged_file_says_nothing(content):
    """Whatever lies there, nothing is raised and nothing is believed that is no spec."""
    pairs_path().parent.mkdir(parents=True, exist_ok=True)
    pairs_path().write_bytes(content)
    assert recall("f1") is None


def test_a_damaged_file_is_put_aside_before_the_next_pair(net):
    pairs_path().parent.mkdir(parents=True, exist_ok=True)
    pairs_path().write_bytes(b"{half")
    assert remember("f1", f"{net}:Net") is None
    assert recall("f1") == f"{net}:Net"
    assert [path.read_bytes() for path in pairs_path().parent.glob("classes.json.broken-*")] == [b"{half"]


def test_what_cannot_be_written_is_told(net):
    pairs_path().parent.parent.mkdir(parents=True, exist_ok=True)
    pairs_path().parent.write_text("a file where the folder should be")
    failed = remember("f1", f"{net}:Net")
    assert failed is not None and failed.code == "unwritable"

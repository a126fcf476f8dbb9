"""Harmless values beside the weights need no question: objects that do nothing stand in for them, and inspecting a file says the same as loading it."""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import decimal
import fractions
import importlib
import io
import pathlib
import types
import uuid

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.files import inspect_file
from engine.files.danger import HARMLESS, STAND_INS, grade
from engine.job import ModelSource
from engine.worker.loading import stand_ins
from engine.worker.loading.weights import read_weights
from tests.support import model_files as make

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}
VALUES = {
    "namespace": argparse.Namespace(lr=0.1, out=pathlib.Path("/runs/1"), type=int), "simple namespace": types.SimpleNamespace(depth=3),
    "paths": {pathlib.Path("/a/b"), pathlib.PurePosixPath("c"), pathlib.PureWindowsPath("d:/e")},
    "times": [dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), dt.date(2026, 1, 2), dt.timedelta(hours=1), dt.time(3, 4)],
    "numbers": [decimal.Decimal("1.5"), fractions.Fraction(1, 3), uuid.UUID(int=5)],
    "numpy scalars": [np.float64(0.5), np.float32(1), np.int64(3), np.bool_(True)], "numpy array": np.arange(12.0).reshape(3, 4),
    "numpy objects": np.array([{}, "text"], dtype=object), "numpy records": np.zeros(2, dtype=[("a", "f4"), ("b", "O")]), "numpy type": np.dtype("f4"),
    "random state": np.random.RandomState(3).get_state(), "containers": [collections.deque([1, 2], maxlen=5), collections.defaultdict(list, {1: [2]})],
    "python": [frozenset([1]), slice(1, 2), range(3), b"", b"\xff", object(), int, str, dict], "version": torch.torch_version.TorchVersion("2.1.0"),
    "generator": torch.Generator(),
}


def saved(path, content, **options):
    torch.save(content, path, **options)
    return path


def read(path, **fields):
    return read_weights(ModelSource(str(path), "checkpoint", **fields))


def same(found):
    return found.keys() == WEIGHTS.keys() and all(torch.equal(found[name], WEIGHTS[name]) for name in WEIGHTS)


@pytest.mark.parametrize("new_zip", [True, False])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_no_question_is_asked_and_none_is_needed(tmp_path, value, new_zip):
    path = saved(tmp_path / "m.pt", {"state_dict": WEIGHTS, "beside": value}, _use_new_zipfile_serialization=new_zip)
    found = inspect_file(str(path))
    assert (found.info.kind, found.requires_trust, found.unsafe_globals, found.danger) == ("checkpoint", False, (), "none")
    assert set(found.grades.values()) == {HARMLESS}
    assert not found.info.weights_only
    assert "weights_only=False" in found.note        # what the user's own torch wants
    assert same(read(path, weights_at=found.info.weights_at))


@pytest.mark.parametrize("holder", [argparse.Namespace(net=WEIGHTS), collections.defaultdict(dict, net=WEIGHTS)])
def test_weights_below_such_a_value_are_found(tmp_path, holder):
    path = saved(tmp_path / "m.pt", {"all": holder})
    found = inspect_file(str(path))
    assert (found.requires_trust, found.info.weights_at) == (False, "all.net")
    assert same(read(path, weights_at="all.net"))


def test_nothing_of_the_classes_themselves_is_made(tmp_path):
    """Numpy would believe the state it is given: here nobody hands it one."""
    path = saved(tmp_path / "m.pt", {"state_dict": WEIGHTS, "array": np.zeros(3), "args": argparse.Namespace(lr=0.1)})
    with stand_ins.allowed():
        content = torch.load(path, weights_only=True)
    assert isinstance(content["array"], stand_ins._Inert)
    assert not isinstance(content["array"], np.ndarray)
    assert (isinstance(content["args"], argparse.Namespace), content["args"].lr) == (False, 0.1)


def test_each_name_is_one_that_is_graded_harmless_and_is_there():
    """The list is of names that exist; those of other versions of Python and numpy excepted."""
    for qualified in STAND_INS:
        module, _, name = qualified.rpartition(".")
        assert grade(module, name) == HARMLESS
        if module not in ("pathlib._local", "numpy.core.multiarray"):
            assert hasattr(importlib.import_module(module), name), qualified


SAFE = torch.serialization.safe_globals


class Foreign:
    """A class of somebody's."""


ASKING = {
    "somebody's class": lambda: {"state_dict": WEIGHTS, "args": argparse.Namespace(a=1), "callback": Foreign()},
    "a layer": lambda: {"state_dict": WEIGHTS, "args": argparse.Namespace(a=1), "activation": torch.nn.ReLU()},
    "a function": lambda: {"state_dict": WEIGHTS, "criterion": torch.nn.functional.relu},
}


@pytest.mark.parametrize("content", ASKING.values(), ids=ASKING.keys())
def test_everything_else_still_asks_and_is_refused_without_a_yes(tmp_path, content):
    path = saved(tmp_path / "m.pt", content())
    assert inspect_file(str(path)).requires_trust
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        read(path, weights_at="state_dict")
    assert same(read(path, weights_at="state_dict", trusted=True))


@pytest.mark.parametrize("made", [
    make.Made(make.Ref("copyreg", "_reconstructor"), (make.Ref("builtins", "object"), make.Ref("builtins", "object"), None)),
    make.Made(make.Ref("torch._utils", "_rebuild_device_tensor_from_numpy"), (make.Made(make.Ref("numpy", "dtype"), ("f4",)), make.Ref("torch", "float32"), "cpu", False)),
])
def test_a_harmless_name_that_nothing_can_stand_in_for_asks(tmp_path, made):
    (tmp_path / "m.pt").write_bytes(make.zipped({"state_dict": make.state_dict(), "beside": made}))
    found = inspect_file(str(tmp_path / "m.pt"))
    assert (found.danger, found.requires_trust, bool(found.unsafe_globals)) == ("none", True, True)


@pytest.mark.parametrize("is_2_4", [False, True])
def test_what_torch_allowed_before_is_allowed_after(monkeypatch, is_2_4):
    if is_2_4:
        monkeypatch.delattr(torch.serialization, "safe_globals")
    with SAFE([Foreign]):
        before = set(torch.serialization.get_safe_globals())
        with stand_ins.allowed():
            assert set(torch.serialization.get_safe_globals()) - before == set(stand_ins.stand_ins())
        assert set(torch.serialization.get_safe_globals()) == before


def test_it_is_taken_back_when_loading_fails(tmp_path):
    before = set(torch.serialization.get_safe_globals())
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        read(saved(tmp_path / "m.pt", {"state_dict": WEIGHTS, "callback": Foreign()}), weights_at="state_dict")
    assert set(torch.serialization.get_safe_globals()) == before


def test_an_older_torch_refuses_as_it_always_did(tmp_path, monkeypatch):
    path = saved(tmp_path / "m.pt", {"state_dict": WEIGHTS, "args": argparse.Namespace(a=1)})
    monkeypatch.delattr(torch.serialization, "add_safe_globals")
    monkeypatch.delattr(torch.serialization, "safe_globals")
    with pytest.raises(Exception, match=r"argparse.Namespace"):
        read(path, weights_at="state_dict")


NAMES = st.sampled_from(sorted(STAND_INS)).map(lambda name: make.Ref(*name.rsplit(".", 1)))
PLAIN = st.none() | st.integers(-9, 9) | st.text("ab_", max_size=3) | st.sampled_from(["__class__", "__dict__", "__setstate__", "__init__", "keys"])
PARTS = st.recursive(PLAIN | NAMES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["__class__", "__reduce__", "keys", "a"]), inner, max_size=3)
                     | st.builds(lambda *parts: tuple(parts), inner, inner), max_leaves=6)
CALLS = st.builds(make.Made, NAMES, st.lists(PARTS, max_size=3).map(tuple), PARTS, st.just({}), st.booleans())


class _Watched:
    """Unpickling hands whatever it makes to this, which notes the classes."""

    def of(self, content):
        kinds, waiting, seen = set(), [content], set()
        while waiting:
            each = waiting.pop()
            if id(each) in seen:
                continue
            seen.add(id(each))
            kinds.add(type(each))
            waiting += each.values() if isinstance(each, dict) else each if isinstance(each, (list, tuple)) else vars(each).values() if isinstance(each, stand_ins._Inert) else ()
        return kinds


@settings(max_examples=300, deadline=None)
@given(CALLS)
def test_no_arguments_and_no_state_make_more_than_inert_objects(call):
    """Calls with anything, attributes of any name: what comes out is plain data, or torch refuses the opcodes."""
    file = io.BytesIO(make.zipped({"call": call}))
    with stand_ins.allowed():
        try:
            content = torch.load(file, weights_only=True)
        except Exception as error:
            assert type(error).__name__ == "UnpicklingError", error
            return
    for kind in _Watched().of(content):
        assert kind in (dict, list, tuple, str, int, type(None), type) or issubclass(kind, stand_ins._Inert), kind

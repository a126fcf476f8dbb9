"""Plain values beside the weights, by name: few, short, and never a tensor or an object."""

from __future__ import annotations

import io

from engine.files.machine import describe
from engine.files.settings import ENTRIES_LIMIT, TEXT_LIMIT, settings_of, settings_of_json
from tests.support import model_files as make


def settings(value):
    data = make.pickled(value)
    return settings_of(describe(io.BytesIO(data), len(data)).root)


def test_groups_come_before_loose_values():
    """A name that stands in the model's own arguments is not overruled by the trainer's."""
    assert settings({"epoch": 3, "width": 1, "state_dict": make.state_dict(), "hyper_parameters": {"width": 64, "model": {"depth": 2, "width": 9}}}) == {
        "width": 64, "depth": 2, "epoch": 3}


def test_namespaces_and_objects_are_read():
    arguments = make.Made(make.Ref("argparse", "Namespace"), state={"arch": "resnet18", "layers": [2, 2], "device": make.Made(make.Ref("torch", "device"), ("cpu",))}, new=True)
    assert settings({"args": arguments, "arch": "vgg"}) == {"arch": "resnet18", "layers": [2, 2]}
    attributes = make.Made(make.Ref("lightning", "AttributeDict"), items={"rate": 0.5, "flag": True, "none": None})
    assert settings({"hparams": attributes}) == {"rate": 0.5, "flag": True}


def test_optimizers_tensors_and_modules_are_left_out():
    assert settings({"optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}, "w": make.tensor("0", 3), "model": make.net(), "step": 4}) == {"step": 4}
    assert settings(make.net()) == {}


def test_values_are_bounded():
    assert len(settings({"config": {f"k{place}": place for place in range(1000)}})) == ENTRIES_LIMIT
    found = settings({"config": {"text": "x" * 5000, "long": list(range(100)), "huge": 2**70, "a.b": 1, "nan": float("nan")}})
    assert found == {"text": "x" * TEXT_LIMIT + "…", "b": 1}


def test_json():
    assert settings_of_json({"a": 1, "inner": {"b": [1, 2], "a": 5}, "list": [{"c": 1}]}) == {"a": 1, "b": [1, 2]}
    assert settings_of_json(None) == settings_of_json([1]) == {}

"""Architectures that a file's own configuration names."""

from __future__ import annotations

import json

from engine.search.hashes import IndexedModel, hash_keys
from engine.search.index_file import LibraryIndex
from engine.search.named import named_candidates


def specs(config, folder="/nowhere", indexes=()):
    return [(candidate.spec, candidate.origin) for candidate in named_candidates(config, str(folder), indexes)]


def test_well_known_names_without_an_index():
    assert specs({"arch": "resnet18", "epoch": 3}) == [("torchvision.models:resnet18", "config")]
    assert specs({"arch": "resnet18", "num_classes": 7}) == [("torchvision.models:resnet18(num_classes=7)", "config")]
    assert specs({"architecture": "vit_tiny_patch16_224", "num_classes": 10, "pretrained_cfg": {}}) == [
        ("timm:create_model('vit_tiny_patch16_224', num_classes=10)", "config")]


def test_names_of_the_index():
    shapes = hash_keys([("w", (1,))])
    index = LibraryIndex(library="timm", version="1").with_models([IndexedModel("timm:create_model('mine_18')", *shapes),
                                                                  IndexedModel("timm:create_model('mine_180')", *shapes)], 2, 2)
    assert specs({"model_name": "mine_18"}, indexes=[index]) == [("timm:create_model('mine_18')", "config")]


def test_what_is_no_name_is_left_alone():
    """No text of a file reaches a spec unless it is a known name."""
    for value in ("os.system", "resnet18'); import os", 18, None, ["resnet18", {}][1:], "x" * 1000, ""):
        assert specs({"arch": value, "pretrained_cfg": 1} if value != "os.system" else {"arch": value}) == []
    assert specs({"lr": "resnet18"}) == []


def test_hugging_face_needs_its_config_file(tmp_path):
    config = {"model_type": "bert", "architectures": ["BertModel", "os.system('x')"]}
    assert specs(config, tmp_path) == []
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert specs(config, tmp_path) == [(f"engine.worker.search.from_config:build({str(tmp_path / 'config.json')!r}, 'BertModel')", "transformers")]

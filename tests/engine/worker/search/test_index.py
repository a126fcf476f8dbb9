"""The libraries' index is built without weights and finds what was built; with stand-ins for the libraries (see tests/support/libraries.py)."""

from __future__ import annotations

import json
import sys

import pytest
import torch

from engine.candidates import Candidate
from engine.job import ModelSource
from engine.messages import FindClasses, IndexLibraries
from engine.search.index_file import LibraryIndex, look_up
from engine.worker.loading.classes import build
from engine.worker.search.index import index_library
from engine.worker.search.ranking import rank
from tests.support import libraries

NAMES = ("torchvision", "timm", "transformers")


@pytest.fixture
def laid(tmp_path, monkeypatch):
    """Stand-ins for the three libraries, in this process."""
    folder = libraries.lay(tmp_path / "site")
    before = list(sys.path)
    monkeypatch.setenv("MODEL_DYNO_PYTHONPATH", str(folder))
    yield folder
    sys.path[:] = before
    for name in [name for name in sys.modules if name.partition(".")[0] in NAMES]:
        del sys.modules[name]


def shapes_of(network):
    return [(key, tuple(value.shape)) for key, value in network.state_dict().items()]


def test_torchvision(laid):
    """Backbones are not loaded, what cannot be built is left out, and the specs build what was indexed."""
    answer = index_library(IndexLibraries("torchvision", 0, 60.0))
    assert (answer.version, answer.next, answer.total) == ("0.99.0", 4, 4)
    assert [model.spec for model in answer.models] == [
        "torchvision.models:fcn(weights_backbone=None)", "torchvision.models:resnet18", "torchvision.models:resnet50"]
    index = LibraryIndex(library="torchvision", version="0.99.0").with_models(answer.models, answer.next, answer.total)
    for model in answer.models:
        best = look_up(index, shapes_of(build(model.spec)))[0]
        assert (best.spec, best.score) == (model.spec, 1.0)


def test_timm_some_at_a_time(laid):
    """Architectures whose constructors need values are built too; with hardly any time one comes, with none only their number."""
    asked = index_library(IndexLibraries("timm", 0, 0.0))
    assert (asked.version, asked.models, asked.next, asked.total) == ("1.0.99", (), 0, 6)
    first = index_library(IndexLibraries("timm", 0, 1e-9))
    rest = index_library(IndexLibraries("timm", first.next, 60.0))
    assert (first.next, rest.next, rest.total) == (1, 6, 6)
    assert [model.spec for model in (*first.models, *rest.models)] == [f"timm:create_model('mixer_{dim}')" for dim in sorted(map(str, range(8, 32, 4)))]


def test_a_library_that_is_not_here():
    answer = index_library(IndexLibraries("timm"))
    assert (answer.version, answer.models, answer.total) == (None, (), 0)


@pytest.mark.parametrize(("spec", "found"), [
    ("torchvision.models:resnet18", "torchvision.models:resnet18(num_classes=7)"), ("timm:create_model('mixer_12')", "timm:create_model('mixer_12', num_classes=7)")])
def test_another_number_of_classes_is_found(laid, tmp_path, spec, found):
    """The commonest fine-tuned file: the architecture of a library with a head of its own."""
    torch.save(build(found).state_dict(), tmp_path / "w.pth")
    command = FindClasses(ModelSource(str(tmp_path / "w.pth"), "state-dict"), (Candidate(spec=spec, origin="config", score=0.5),), {})
    (best,) = rank(command).candidates
    assert (best.spec, best.perfect) == (found, True)


def test_transformers_from_the_files_own_configuration(laid, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"vocab_size": 50, "hidden_size": 8}))
    torch.save({"words.weight": torch.zeros(50, 8)}, tmp_path / "w.pth")
    spec = f"engine.worker.search.from_config:build({str(tmp_path / 'config.json')!r}, 'BertModel')"
    command = FindClasses(ModelSource(str(tmp_path / "w.pth"), "state-dict"), (Candidate(spec=spec, origin="transformers", score=0.5),), {})
    (best,) = rank(command).candidates
    assert (best.spec, best.perfect) == (spec, True)

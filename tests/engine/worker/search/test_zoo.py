"""Architectures as people write them: the right class from source alone, then its arguments."""

from __future__ import annotations

import pytest
import torch

from engine.architecture import parse_architecture
from engine.files.candidates import find_candidates
from engine.files.inspection import tensor_index
from engine.job import ModelSource
from engine.messages import FindClasses
from engine.worker.search.ranking import rank
from tests.support import zoo

CASES = {
    "resnet10": ({"num_classes": 7}, 0.95), "VGG": ({"variant": "B", "batch_norm": True, "num_classes": 5}, 0.9),
    "UNet": ({"n_channels": 1, "n_classes": 4, "bilinear": True}, 0.9), "small_gpt": ({"n_layer": 5}, 0.9),
    "ViT": ({"img_size": 64, "patch_size": 8, "in_chans": 1, "num_classes": 9, "embed_dim": 48, "depth": 5, "mlp_ratio": 2.0, "qkv_bias": False}, 0.9),
    "Tagger": ({"vocab_size": 77, "embedding_dim": 12, "hidden_dim": 20, "output_size": 3, "num_layers": 2, "bidirectional": True}, 0.9),
}


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("name", CASES)
def test_from_a_bare_file_to_a_class_that_takes_it(tmp_path, name):
    """What the inspection ranks first but for the fit, the worker builds with the arguments that made the file."""
    arguments, least = CASES[name]
    torch.save(getattr(zoo, name)(**arguments).state_dict(), tmp_path / "w.pth")
    found = find_candidates(tensor_index(str(tmp_path / "w.pth")), {}, str(tmp_path), (zoo.__file__,))
    (candidate,) = (each for each in found if each.spec == f"{zoo.__file__}:{name}")
    assert candidate.score == max(each.score for each in found if not each.spec.endswith(":GPT")) >= least
    best, *_ = rank(FindClasses(ModelSource(str(tmp_path / "w.pth"), "state-dict"), found, {})).candidates
    assert best.perfect
    assert best.spec.startswith(f"{zoo.__file__}:{name}(")
    assert parse_architecture(best.spec).named == arguments


def test_functions_that_do_more_than_build_are_no_candidates(tmp_path):
    """Calling them would train, or load something else."""
    torch.save(zoo.small_gpt().state_dict(), tmp_path / "w.pth")
    found = find_candidates(tensor_index(str(tmp_path / "w.pth")), {}, str(tmp_path), (zoo.__file__,))
    assert {each.spec.rpartition(":")[2] for each in found} == {"GPT", "small_gpt"}

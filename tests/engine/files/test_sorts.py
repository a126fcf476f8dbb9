"""Every sort of file that people call a model gets the kind, or the refusal, that docs/models.md says; nothing in them is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from engine.files import inspect_file, inspect_in_child
from engine.words import say
from tests.support import sorts, sorts_torch

PAGE = Path(__file__).parents[3] / "docs" / "models.md"
NAMED = {variant.name: variant for variant in sorts.VARIANTS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All of them, made once."""
    made = tmp_path_factory.mktemp("sorts")
    sorts.write_all(made)
    return made


def called(found) -> str:
    """Its kind, or the code of its refusal."""
    return found.info.kind if found.info is not None else found.refusal.code


@pytest.mark.parametrize("name", NAMED)
def test_each_is_called_what_it_is(folder, name):
    """The right kind, one sentence and one next step in both languages, and no effect of what the harmful ones ask for."""
    variant = NAMED[name]
    found = inspect_file(str(folder / name))
    assert called(found) == variant.expected
    if found.refusal is not None:
        for language in ("en", "zh"):
            assert say(found.refusal.say, found.refusal.values, language).count("\n") == 0
            assert say(f"{found.refusal.say}.hint", found.refusal.values, language)
    for said in (*found.notes, *([found.first_layer] if found.first_layer else [])):
        assert say(said.code, said.values, "zh")
    if variant.canary:
        assert found.danger == "dangerous"
        assert found.requires_trust or found.refusal is not None
    assert not (folder / "canary").exists()


@pytest.mark.parametrize("name", [variant.name for variant in sorts.VARIANTS if variant.canary])
def test_the_real_child_runs_nothing_either(folder, name):
    """The process of its own gives the same answer, and the canary is not there."""
    assert inspect_in_child(str(folder / name)) == inspect_file(str(folder / name))
    assert not (folder / "canary").exists()


def test_one_network_has_one_fingerprint(folder):
    """Whatever it was saved as, and whatever stands before its keys."""
    same = ["weights.pth", "weights_legacy.pth", "data_parallel.pt", "compiled.pt", "half.pth", "trainer.pth.tar", "model_and_ema.pt", "two_levels.pt", "lightning.ckpt",
            "module.pt", "traced.pth", "exported.pt2", "exported_2_5.pt2", "exported_2_8.pt2", "package.pt"]
    prints = {inspect_file(str(folder / name)).fingerprint for name in same}
    assert len(prints) == 1
    assert re.fullmatch("[0-9a-f]{64}", prints.pop())
    assert inspect_file(str(folder / "tied.pth")).fingerprint != inspect_file(str(folder / "weights.pth")).fingerprint


def test_one_network_has_the_same_counts_in_every_program(folder):
    """TorchScript, exported programs of three layouts, package and module: 145 parameters, 9 numbers in buffers."""
    for name in ("module.pt", "traced.pth", "scripted.bin", "lite.ptl", "exported.pt2", "exported_batch.pt2", "exported_2_5.pt2", "exported_2_8.pt2", "package.pt"):
        info = inspect_file(str(folder / name)).info
        assert (info.parameters, info.buffers, info.values) == (145, 9, 154), name


@pytest.mark.parametrize(("name", "shape"), [("exported.pt2", (2, 3, 8, 8)), *((f"exported_{layout}.pt2", ("B", 3, 8, 8)) for layout in ("batch", "2_5", "2_8"))])
def test_exported_programs_declare_their_input(folder, name, shape):
    """In every layout; positional, so without a name; an open first size is the batch."""
    (spec,) = inspect_file(str(folder / name)).inputs
    assert (spec.name, spec.dtype, spec.shape, spec.source) == (None, "float32", shape, "declared")


@pytest.mark.parametrize(("name", "missing"), [("module.pt", ("net.Net",)), ("module_of_a_script.pt", ("__main__.Net",)), ("module_sequential.pt", ()), ("weights.pth", ())])
def test_missing_classes(folder, name, missing):
    """Of a whole module: what is neither torch's nor Python's own."""
    assert inspect_file(str(folder / name)).missing_classes == missing


def test_settings_beside_the_weights(folder):
    """Hyper parameters of Lightning, a Namespace, a folder's config.json."""
    assert inspect_file(str(folder / "lightning.ckpt")).config | {"pytorch-lightning_version": ""} == {
        "width": 4, "classes": 5, "epoch": 1, "global_step": 10, "pytorch-lightning_version": ""}
    assert inspect_file(str(folder / "trainer.pth.tar")).config == {"width": 4, "classes": 5, "lr": 0.1, "epoch": 3}
    assert inspect_file(str(folder / "hf_bin")).config == {"architectures": ["TinyForImages"], "model_type": "tiny", "hidden_size": 4}


@pytest.mark.parametrize(("name", "code", "text"), [
    ("weights.pth", "note-state-dict-not-model", "model.load_state_dict(torch.load('weights.pth', map_location='cpu'))"),
    ("two_levels.pt", "note-state-dict-not-model", "torch.load('two_levels.pt', map_location='cpu')['model']['state_dict']"),
    ("list_items.pt", "note-state-dict-not-model", "torch.load('list_items.pt', map_location='cpu')[0]"),
    ("data_parallel.pt", "note-state-dict-not-model", "{key.removeprefix('module.'): value for key, value in torch.load('data_parallel.pt', map_location='cpu').items()}"),
    ("lightning.ckpt", "note-state-dict-not-model", "{key.removeprefix('model.'): value for key, value in torch.load('lightning.ckpt'"),
    ("weights.safetensors", "note-state-dict-not-model", "safetensors.torch.load_file('weights.safetensors')"),
    ("module_of_a_script.pt", "note-module-needs-class", "__main__.Net = Net; model = torch.load('module_of_a_script.pt', map_location='cpu', weights_only=False)"),
    ("module.pt", "note-module-needs-class", "import net; model = torch.load('module.pt', map_location='cpu', weights_only=False)"),
    ("model-00001-of-00003.safetensors", "note-one-part", "part 1 of 3"),
    ("package.pt", "note-recognised-only", "torch.package"),
])
def test_mistakes_of_tutorials_stand_beside_the_code_that_works(folder, name, code, text):
    """By kind, in the remarks."""
    assert text in next(note.sentence for note in inspect_file(str(folder / name)).notes if note.code == code)


@pytest.mark.parametrize("name", ["exported.pt2", "hf_safetensors", "hf_bin"])
def test_what_runs_is_not_called_recognised_only(folder, name):
    """Exported programs and Hugging Face folders are run, and loading them asks no question."""
    found = inspect_file(str(folder / name))
    assert "note-recognised-only" not in [note.code for note in found.notes]
    assert (found.requires_trust, found.danger) == (False, "none")


def rows() -> dict[str, str]:
    """File -> kind or refusal, as docs/models.md has them."""
    found = re.findall(r"^\| `([^`]+)` \|[^|]*\| `([^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(found)


def test_the_page_lists_every_one_with_its_kind():
    """docs/models.md is what is tested here."""
    listed = rows()
    assert {name: listed.get(name) for name in NAMED} == {name: variant.expected for name, variant in NAMED.items()}


def test_the_page_lists_the_real_files(models_folder):
    """All six, with the kind that they have."""
    listed = rows()
    real = [path for path in models_folder.iterdir() if path.is_file() and path.suffix != ".md"]
    assert {path.name: listed.get(path.name) for path in real} == {path.name: called(inspect_file(str(path))) for path in real}


@pytest.mark.parametrize("name", ["weights.pth", "data_parallel.pt", "compiled.pt", "two_levels.pt", "list_items.pt", "lightning.ckpt", "trainer.pth.tar"])
def test_the_code_that_works_works(folder, name, monkeypatch):
    """Run as it stands, with the file's own class: every key and shape fits."""
    found = inspect_file(str(folder / name))
    code = next(note.sentence for note in found.notes if note.code == "note-state-dict-not-model").partition("The code that works: ")[2]
    monkeypatch.chdir(folder)
    names = {"torch": torch}
    exec(sorts_torch.NET, names)
    exec(code.replace("Net(...)", "Net()"), names)
    assert sum(value.numel() for value in names["model"].state_dict().values()) == 154

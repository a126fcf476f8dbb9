"""`python sorts_torch.py FOLDER`: lets the installed torch write one small network in every form that people pass around; the class lies beside, in net.py."""

from __future__ import annotations

import argparse
import io
import json
import pickle
import sys
import warnings
import zipfile
from pathlib import Path

NET = '''"""A small network for pictures."""

import torch
from torch import nn


class Net(nn.Module):
    """Convolution, batch norm, pool, linear."""

    def __init__(self, width=4, classes=5):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
        self.norm = nn.BatchNorm2d(width)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        return self.head(torch.flatten(self.pool(torch.relu(self.norm(self.conv(x)))), 1))
'''


def write_weights(folder, torch, net):
    """State dicts and checkpoints."""
    weights = net.state_dict()
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.randn(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    settings = argparse.Namespace(width=4, classes=5, lr=0.1)
    torch.save(weights, folder / "weights.pth")
    torch.save(weights, folder / "weights_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({f"module.{key}": value for key, value in weights.items()}, folder / "data_parallel.pt")
    torch.save({f"_orig_mod.{key}": value for key, value in weights.items()}, folder / "compiled.pt")
    torch.save({key: value.half() for key, value in weights.items()}, folder / "half.pth")
    torch.save({"state_dict": weights, "epoch": 3, "args": settings, "optimizer": optimizer.state_dict()}, folder / "trainer.pth.tar")
    torch.save({"model": weights, "ema": weights, "step": 9}, folder / "model_and_ema.pt")
    torch.save({"model_state": weights, "loss": 0.5}, folder / "model_state.pt")
    torch.save({"model": {"state_dict": weights}}, folder / "two_levels.pt")
    torch.save({"ema": {"shadow": weights}, "decay": 0.99}, folder / "ema_only.pt")
    torch.save([weights, {"lr": 0.1}], folder / "list_items.pt")
    torch.save({"epoch": 1, "global_step": 10, "pytorch-lightning_version": "2.5.0", "state_dict": {f"model.{key}": value for key, value in weights.items()},
                "optimizer_states": [optimizer.state_dict()], "lr_schedulers": [], "hyper_parameters": {"width": 4, "classes": 5}}, folder / "lightning.ckpt")
    torch.save(optimizer.state_dict(), folder / "optimizer.pt")
    torch.save({"a": torch.zeros(3), "b": torch.zeros(4)}, folder / "two_tensors.pt")
    torch.save(torch.zeros(2, 3), folder / "tensor.pt")
    torch.save(settings, folder / "namespace.pt")
    (folder / "namespace.pkl").write_bytes(pickle.dumps(settings))
    (folder / "pickled_weights.pkl").write_bytes(pickle.dumps(weights))
    (folder / "pickled_module.pkl").write_bytes(pickle.dumps(net))
    (folder / "pickled_arrays.pkl").write_bytes(pickle.dumps({key: value.numpy() for key, value in weights.items()}))
    tied = torch.nn.ModuleDict({"a": torch.nn.Linear(4, 4), "b": torch.nn.Linear(4, 4)})
    tied["b"].weight = tied["a"].weight
    torch.save(tied.state_dict(), folder / "tied.pth")


def write_modules(folder, torch, net):
    """Whole modules: of a class in a file, of a class in a script, of torch's own layers."""
    from torch import nn

    torch.save(net, folder / "module.pt")
    torch.save(net, folder / "module_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({"model": net, "epoch": 1}, folder / "module_inside.pt")
    chain = nn.Sequential(nn.Conv2d(3, 8, 3), nn.PReLU(), nn.MaxPool2d(2, ceil_mode=True), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3))
    torch.save(chain.eval(), folder / "module_sequential.pt")
    main = sys.modules["__main__"]
    net.__class__.__module__, main.Net = "__main__", net.__class__
    torch.save(net, folder / "module_of_a_script.pt")
    net.__class__.__module__ = "net"


def write_programs(folder, torch, net):
    """TorchScript, exported programs in three layouts, a package, the lite interpreter."""
    from torch._export.serde.serialize import serialize
    from torch.export.pt2_archive._package import PT2ArchiveWriter

    example = torch.randn(2, 3, 8, 8)
    traced = torch.jit.trace(net, example)
    traced.save(folder / "traced.pth")
    torch.jit.script(net).save(folder / "scripted.bin")
    traced._save_for_lite_interpreter(str(folder / "lite.ptl"))
    fixed = torch.export.export(net, (example,))
    torch.export.save(fixed, folder / "exported.pt2")
    batch = torch.export.export(net, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(batch, folder / "exported_batch.pt2")
    parts = serialize(batch)
    with zipfile.ZipFile(folder / "exported_2_5.pt2", "w") as archive:
        archive.writestr("serialized_exported_program.json", parts.exported_program)
        archive.writestr("serialized_state_dict.pt", saved(torch, dict(net.state_dict(keep_vars=True))))
        archive.writestr("serialized_constants.pt", saved(torch, {}))
        archive.writestr("serialized_example_inputs.pt", saved(torch, ((example,), {})))
        archive.writestr("version", "8.8")
    with PT2ArchiveWriter(str(folder / "exported_2_8.pt2")) as archive:
        archive.write_bytes("models/model.json", parts.exported_program)
        archive.write_bytes("data/weights/model.pt", saved(torch, dict(net.state_dict(keep_vars=True))))
        archive.write_bytes("data/constants/model.pt", saved(torch, {}))
        archive.write_bytes("data/sample_inputs/model.pt", saved(torch, ((example,), {})))
    harmful_program(folder)
    with torch.package.PackageExporter(folder / "package.pt") as exporter:
        exporter.extern("torch.**")
        exporter.intern("net")
        exporter.save_pickle("model", "model.pkl", net)


def saved(torch, value):
    """The bytes of torch.save."""
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def harmful_program(folder):
    """A program whose size expression is a call, which sympy would evaluate."""
    with zipfile.ZipFile(folder / "exported_batch.pt2") as source, zipfile.ZipFile(folder / "exported_harmful.pt2", "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.endswith("models/model.json"):
                program = json.loads(content)
                for tensor in program["graph_module"]["graph"]["tensor_values"].values():
                    for size in tensor["sizes"]:
                        if "as_expr" in size:
                            size["as_expr"]["expr_str"] = f"__import__('os').system('touch {folder / 'canary'}')"
                content = json.dumps(program).encode()
            target.writestr(entry.filename, content)


def main():
    """Write all of them."""
    import torch

    folder = Path(sys.argv[1])
    (folder / "net.py").write_text(NET)
    sys.path.insert(0, str(folder))
    import net as module

    torch.manual_seed(0)
    net = module.Net().eval()
    write_weights(folder, torch, net)
    write_modules(folder, torch, net)
    write_programs(folder, torch, net)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()

"""`python torch_files.py FOLDER`: lets the installed torch write a file of every kind that it can."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import torch
from torch import nn


def write_all(folder: Path) -> None:
    """One file a kind, all of the same network."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    example = torch.randn(1, 3, 8, 8)
    torch.save(net.state_dict(), folder / "state_dict.pt")
    torch.save(net.state_dict(), folder / "state_dict_legacy.pt", _use_new_zipfile_serialization=False)
    optimizer = torch.optim.Adam(net.parameters())
    net(example).sum().backward()
    optimizer.step()
    torch.save(optimizer.state_dict(), folder / "optimizer.pt")
    torch.save({"epoch": 3, "best": torch.tensor(0.5), "optimizer": optimizer.state_dict(), "ema": {"net": net.state_dict()},
                "nested": {"model": net.state_dict()}}, folder / "checkpoint.pt")
    torch.save(net, folder / "module.pt")
    torch.save(net, folder / "module_legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({"model": net, "epoch": 1}, folder / "module_inside.pt")
    torch.save(net.half().state_dict(), folder / "half.pt")
    net.float()
    torch.jit.trace(net, example).save(folder / "torchscript.pt")
    torch.export.save(torch.export.export(net, (example,)), folder / "exported.pt2")
    with torch.package.PackageExporter(folder / "package.pt") as exporter:
        exporter.extern("torch.**")
        exporter.save_pickle("model", "model.pkl", net)
    tied = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4)})
    tied["b"].weight = tied["a"].weight
    torch.save(tied.state_dict(), folder / "tied.pt")
    torch.save({"part.weight": torch.randn(100, 100)[:2].t()}, folder / "slice.pt")
    torch.save({"layer.weight": nn.Parameter(torch.randn(2, 2)), "layer.float8": torch.zeros(3).to(torch.float8_e4m3fn)}, folder / "parameters.pt")
    torch.save(torch.randn(2, 3), folder / "tensor.pt")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write_all(Path(sys.argv[1]))

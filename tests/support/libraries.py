"""Packages laid on the path under the names of torchvision, timm and transformers, with as much of their interface as is used.

The real ones have no CPU build that goes with every torch, so tests cannot install them.
"""

from __future__ import annotations

from pathlib import Path

TORCHVISION = '''
import torch
from torch import nn

def _resnet(width, num_classes):
    net = nn.Sequential()
    net.conv1, net.bn1, net.fc = nn.Conv2d(3, width, 7, bias=False), nn.BatchNorm2d(width), nn.Linear(width, num_classes)
    return net

def resnet18(*, weights=None, progress=True, **kwargs):
    assert weights is None
    return _resnet(8, **{"num_classes": 1000, **kwargs})

def resnet50(*, weights=None, progress=True, **kwargs):
    return _resnet(32, **{"num_classes": 1000, **kwargs})

def fcn(*, weights=None, weights_backbone="IMAGENET1K", num_classes=21):
    if weights_backbone is not None:
        raise RuntimeError("downloads")
    net = nn.Module()
    net.backbone, net.classifier = _resnet(8, num_classes), nn.Conv2d(8, num_classes, 1)
    return net

def broken(*, weights=None):
    raise RuntimeError("cannot be built")

_ALL = {"resnet18": resnet18, "resnet50": resnet50, "fcn": fcn, "broken": broken}

def list_models():
    return list(_ALL)

def get_model_builder(name):
    return _ALL[name]
'''
TIMM = '''
import os
import torch
from torch import nn
__version__ = "1.0.99"

class Mixer(nn.Module):
    def __init__(self, dim, depth, num_classes=1000):
        super().__init__()
        rates = [x.item() for x in torch.linspace(0, 0.1, depth)]
        self.blocks = nn.ModuleList(nn.Sequential(nn.Dropout(rate), nn.Linear(dim, dim)) for rate in rates)
        self.head = nn.Linear(dim, num_classes)

_ALL = {f"mixer_{dim}": dim for dim in range(8, 8 + 4 * COUNT, 4)}

def list_models():
    return [*_ALL, *KILLERS]

def create_model(model_name, pretrained=False, **kwargs):
    assert not pretrained
    if model_name in KILLERS:
        os._exit(9)
    return Mixer(_ALL[model_name], 3, **kwargs)
'''
TRANSFORMERS = '''
import json, pathlib
from torch import nn
__version__ = "4.0"

class AutoConfig:
    @staticmethod
    def from_pretrained(folder, local_files_only=False, trust_remote_code=None):
        assert local_files_only and trust_remote_code is False
        return json.loads(pathlib.Path(folder, "config.json").read_text())

class BertModel(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.words = nn.Embedding(config["vocab_size"], config["hidden_size"])
'''


def lay(folder: Path, timm_models: int = 6, killers: tuple[str, ...] = ()) -> Path:
    """Write the packages into `folder`, which then belongs on the path."""
    for name, text in {
        "torchvision/__init__.py": '__version__ = "0.99.0"\n', "torchvision/models/__init__.py": TORCHVISION,
        "timm/__init__.py": TIMM.replace("COUNT", str(timm_models)).replace("KILLERS", repr(killers)), "transformers/__init__.py": TRANSFORMERS,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder

"""Architectures that a file's own configuration names: `arch: resnet18`, timm's and Hugging Face's config.json."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from engine.candidates import Candidate, Origin
from engine.search.index_file import LibraryIndex, match_specs

_NAMING = {"arch", "architecture", "architectures", "model", "model_name", "model_type", "model_arch", "modelname", "name", "backbone", "encoder", "network",
           "net", "net_type", "_name_or_path", "timm_model"}
_TORCHVISION = re.compile(
    r"(alexnet|convnext_(tiny|small|base|large)|densenet(121|161|169|201)|efficientnet_(b[0-7]|v2_[sml])|googlenet|inception_v3|maxvit_t|mnasnet\d_\d+"
    r"|mobilenet_v(2|3_large|3_small)|regnet_[xy]_\d+(_\d+)?[mg]f|resnet(18|34|50|101|152)|resnext(50_32x4d|101_(32x8d|64x4d))|shufflenet_v2_x\d_\d"
    r"|squeezenet1_[01]|swin(_v2)?_[tsb]|vgg(11|13|16|19)(_bn)?|vit_([bl]_(16|32)|h_14)|wide_resnet(50|101)_2)"
)
_TIMM = re.compile(r"[a-z][a-z0-9_]{2,60}(\.[a-z0-9_]{1,60})?")
_HEAD = ("num_classes", "n_classes", "nb_classes")
_CLASS_NAME = re.compile(r"[A-Z]\w{2,80}")
_UNPROVEN = 0.5
"""The file says so, but nothing was compared."""


def named_candidates(config: dict[str, Any], folder: str, indexes: Iterable[LibraryIndex]) -> list[Candidate]:
    """Candidates for every name in the configuration that an indexed or a well-known architecture has."""
    indexes = list(indexes)
    found = list(_hugging_face(config, folder))
    for name in _names(config):
        specs = [spec for index in indexes for spec in match_specs(index.specs, name)]
        specs = specs or list(_well_known(name, config))
        found += [_candidate(spec, "config") for spec in specs]
    return list({candidate.spec: candidate for candidate in found}.values())


def _names(config: dict[str, Any]) -> Iterator[str]:
    for key, value in config.items():
        if key.lower().rsplit(".", 1)[-1] in _NAMING:
            for each in value[:4] if isinstance(value, list | tuple) else [value]:
                if isinstance(each, str) and 2 < len(each) <= 120:
                    yield each.rsplit("/", 1)[-1].removeprefix("timm_")


def _well_known(name: str, config: dict[str, Any]) -> Iterator[str]:
    head = next((f"num_classes={config[key]}" for key in _HEAD if type(config.get(key)) is int), "")
    is_timm = bool(config.keys() & {"pretrained_cfg", "timm_model"}) or config.get("library") == "timm"
    if is_timm and _TIMM.fullmatch(name):
        yield f"timm:create_model({', '.join(part for part in (repr(name), head) if part)})"
    elif _TORCHVISION.fullmatch(name):
        yield f"torchvision.models:{name}" + (f"({head})" if head else "")


def _hugging_face(config: dict[str, Any], folder: str) -> Iterator[Candidate]:
    """A class of transformers, when config.json lies beside the weights: it is built from that file."""
    path = Path(folder, "config.json")
    architectures = config.get("architectures")
    if isinstance(config.get("model_type"), str) and path.is_file():
        for name in architectures[:4] if isinstance(architectures, list) else ["AutoModel"]:
            if isinstance(name, str) and _CLASS_NAME.fullmatch(name):
                yield _candidate(f"engine.worker.search.from_config:build({str(path.resolve())!r}, {name!r})", "transformers")


def _candidate(spec: str, origin: Origin) -> Candidate:
    return Candidate(spec=spec, origin=origin, score=_UNPROVEN)

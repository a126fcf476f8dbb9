"""The arguments of a class, and the values that each is worth trying with."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.worker.search.evidence import Evidence
from engine.worker.search.told import Told

_ALIASES = (
    ("num_classes", "n_classes", "nb_classes", "nclass", "classes", "num_labels", "n_labels", "out_features", "output_size", "output_dim"),
    ("in_channels", "in_chans", "n_channels", "num_channels", "input_channels", "channels", "in_ch", "in_dim", "input_dim", "input_size", "in_features"),
    ("hidden", "hidden_size", "hidden_dim", "hidden_channels", "dim", "d_model", "embed_dim", "width", "n_embd", "embedding_dim", "model_dim"),
    ("out_channels", "out_ch", "output_channels", "out_dim"),
    ("depth", "num_layers", "n_layers", "n_layer", "layers", "num_blocks", "n_blocks", "num_hidden_layers"),
    ("num_heads", "n_heads", "n_head", "nhead", "heads", "num_attention_heads"),
    ("vocab_size", "num_embeddings", "n_vocab", "n_tokens", "vocab", "ntoken"),
)
_LEFT_ALONE = re.compile(r"(^|_)(progress|verbose|debug|device|dtype|logger|log|path|root|cache|download|checkpoint|seed|compile)(_|s?$)|^(args|kwargs|weights)$")
_LOADING = re.compile(r"(^|_)(pretrained|download)")
_HARMLESS = re.compile(r"(^|_)(drop|dropout|dropout_rate|drop_rate|droprate|p_drop|pdrop|drop_prob|drop_path|eps|momentum|lr|learning_rate|weight_decay|verbose|debug)$|dropout")
_TRUTH = re.compile(r"^(use|with|has|is|no|enable|add|include)_|bias$|^(bn|batch_?norm|norm|residual|bidirectional|bilinear|affine|learned|tied)$|batch_norm$")
_NUMBER = re.compile(
    r"^d_|channel|chan|size|dim|hidden|width|features|filters|classes|labels|num|^n_|^n[a-z]$|planes|layers|depth|blocks|heads|head|vocab|kernel|length|"
    r"len|units|in_|out_|inside|outside|embed|tokens|rank|groups|expansion|growth|scale|stages|base|^[a-z]$"
)
_RATIO = re.compile(r"ratio|mult|expan|factor|widen|scale")
_SIDE = re.compile(r"img|image|resolution|crop|side|^input_size$|^size$")
_MANY = re.compile(r"(sizes|dims|widths|channels_list|layers|depths|filters|hiddens|units|blocks|shape|channels|features|kernels|planes|cfg|hidden)$")
MISSING: Any = inspect.Parameter.empty


@dataclass
class Parameter:
    """One argument that may be set by name."""

    name: str
    default: Any = MISSING
    annotation: str = ""
    options: list[Any] = field(default_factory=list)
    """Values to try, likelier first; the default is not among them."""
    configured: Any = MISSING
    """What the file's own configuration says."""
    is_pinned: bool = False
    """Set at once and not searched: harmless, or to keep the class from loading other weights."""

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is MISSING


def parameters_of(
    maker: Callable[..., Any], given: set[str], places: int, told: Told, evidence: Evidence, config: Mapping[str, Any]
) -> list[Parameter]:
    """Arguments that are not given already, with what each is worth trying with."""
    try:
        signature = inspect.signature(maker)
    except (TypeError, ValueError):
        return []
    found = []
    for place, each in enumerate(signature.parameters.values()):
        if each.kind in (each.VAR_POSITIONAL, each.POSITIONAL_ONLY) or each.name in given or (place < places and each.kind is not each.KEYWORD_ONLY):
            continue
        if each.kind is each.VAR_KEYWORD:
            found += _hidden_parameters(signature, given, evidence, config)
            continue
        annotation = "" if each.annotation is MISSING else str(getattr(each.annotation, "__name__", "") or each.annotation)
        if hasattr(each.annotation, "__args__"):
            annotation = str(each.annotation)
        found.append(_filled(Parameter(each.name, each.default, annotation), told.get(each.name, []), evidence, config))
    return found


def _hidden_parameters(signature: inspect.Signature, given: set[str], evidence: Evidence, config: Mapping[str, Any]) -> list[Parameter]:
    """What library builders take through `**kwargs`."""
    names = [name for name in ("num_classes",) if name not in given and name not in signature.parameters]
    return [_filled(Parameter(name, None, "int"), [], evidence, config) for name in names]


def _filled(parameter: Parameter, told: list[Any], evidence: Evidence, config: Mapping[str, Any]) -> Parameter:
    name = parameter.name.lower()
    parameter.configured = configured(parameter.name, config)
    if _LOADING.search(name):
        parameter.options, parameter.is_pinned = [False], True
    elif _LEFT_ALONE.search(name):
        parameter.options = [None] if parameter.required else []
        parameter.is_pinned = True
    elif _HARMLESS.search(name):
        parameter.options, parameter.is_pinned = [0.0], True
    else:
        values = [*([] if parameter.configured is MISSING else [parameter.configured]), *told, *_by_kind(parameter, told, evidence)]
        parameter.options = _distinct(values, parameter.default)
    return parameter


def configured(name: str, config: Mapping[str, Any]) -> Any:
    """What the configuration says under this name or one that means the same; MISSING when it says nothing."""
    by_tail = {key.lower().rsplit(".", 1)[-1]: value for key, value in config.items() if isinstance(value, bool | int | float | str | list | tuple | None)}
    group = next((group for group in _ALIASES if name.lower() in group), (name.lower(),))
    for each in (name.lower(), *group):
        if each in by_tail:
            value = by_tail[each]
            return list(value) if isinstance(value, tuple) else value
    return MISSING


def _by_kind(parameter: Parameter, told: list[Any], evidence: Evidence) -> list[Any]:
    """Values by the type of the default, the annotation or the name."""
    default, hint, name = parameter.default, parameter.annotation.lower(), parameter.name.lower()
    if isinstance(default, bool) or hint == "bool":
        return [True, False]
    if isinstance(default, list | tuple) or re.search(r"list|tuple|sequence|iterable", hint):
        return _lists(parameter, evidence)
    if isinstance(default, str) or hint == "str":
        return []
    if type(default) is int or re.match(r"int\b", hint) or (default is None and re.search(r"\bint\b", hint)):
        return _numbers(name, evidence)
    if type(default) is float or hint == "float":
        return list(evidence.ratios) if _RATIO.search(name) else []
    if told and any(isinstance(value, str) for value in told):
        return []
    return _by_name(parameter, evidence) if default in (None, MISSING) else []


def _by_name(parameter: Parameter, evidence: Evidence) -> list[Any]:
    name = parameter.name.lower()
    if _TRUTH.search(name):
        return [True, False]
    if _MANY.search(name) and parameter.required:
        return [*_numbers(name, evidence)[:12], *_lists(parameter, evidence), *_numbers(name, evidence)[12:]]
    known = any(name in group for group in _ALIASES)
    return _numbers(name, evidence) if known or _NUMBER.search(name) else []


def _numbers(name: str, evidence: Evidence) -> list[Any]:
    """Numbers of layers first where the name speaks of them; sizes first everywhere else."""
    small = list(range(1, 9))
    if _RATIO.search(name):
        return [*(int(ratio) for ratio in evidence.ratios if ratio == int(ratio)), *small]
    if _SIDE.search(name):
        return [*evidence.sides, 224, 256, 384, 512, 32, 64, 128, *evidence.sizes]
    if re.search(r"depth|layers|blocks|num_l|n_l|stages|heads|head", name):
        return [*evidence.counts, *small, *evidence.sizes]
    return [*evidence.sizes, *evidence.counts, *small]


def _lists(parameter: Parameter, evidence: Evidence) -> list[Any]:
    as_tuple = isinstance(parameter.default, tuple) or "tuple" in parameter.annotation.lower()
    length = len(parameter.default) if isinstance(parameter.default, list | tuple) else 0
    ordered = sorted(evidence.lists, key=lambda run: len(run) != length) if length else evidence.lists
    return [run if as_tuple else list(run) for run in ordered]


def _distinct(values: list[Any], default: Any) -> list[Any]:
    found: dict[str, Any] = {}
    for value in values:
        if default is MISSING or repr(value) != repr(default):
            found.setdefault(repr(value), value)
    return list(found.values())[:100]

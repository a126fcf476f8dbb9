"""Complete sets of inputs for a module, the likeliest first: each parameter of forward gets what its name and its layer let one expect."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import torch
from torch import nn

from engine.inputs import format_input
from engine.job import InputSpec
from engine.worker.guessing import families
from engine.worker.guessing.families import SIZES, Sizes, integers, number, tensor
from engine.worker.guessing.layers import wanted
from engine.worker.guessing.signature import Parameter, Signature, signature_of
from engine.worker.guessing.trial import Proposal

_RATES = (16000, 8000, 22050, 44100)
_MAIN = ("input_ids", "pixel_values", "input_values", "input_features", "inputs_embeds", "x", "input", "inputs", "image", "images")
_COMPANIONS = ("attention_mask", "pixel_values", "decoder_input_ids")
"""Where every argument is optional, these are wanted beside the main one by networks that name them."""
_STATE = re.compile(r"^(h|c|h_?0|hx|hc|hidden|hiddens|state|states|hidden_state|prev_state|prev_hidden|rnn_state|lstm_state)$")
_LENGTHS = re.compile(r"(^|_)(lengths?|lens?|seq_lens?)$")
_RATE = re.compile(r"^(sr|fs|rate|sample_rate|sampling_rate|samplerate)$")
_TIME = re.compile(r"^(t|ts|timesteps?|time|time_steps?|sigma|sigmas|noise_level)$")
_TOKENS = re.compile(r"(^|_)(ids|tokens?|idx|indices|src|tgt|words?|input_seq)$")
_IMAGE = re.compile(r"(^|_)(image|images|img|imgs|picture|pixel_values|frame|frames)\d?$")
_AUDIO = re.compile(r"(^|_)(audio|wav|waveform|wave|speech|sound|signal)s?$")
_SINGLE = re.compile(r"(^|_)(users?|items?|category|categories|labels?|y|cls|class_id|conds?|domain|speakers?|targets?|head|relation|tail)(_ids?)?$")
"""One number for each row, not a row of them."""
_MOST = 400
"""Proposals of one module: more are not worth their time."""


class Proposals:
    """What may be tried on one module."""

    def __init__(self, module: Any, signature: Signature | None = None) -> None:
        self.module, self.signature = module, signature or signature_of(module)
        self._scripted = isinstance(module, torch.jit.ScriptModule)
        self._layers = [] if self._scripted else families.first_layers(module)
        self._limit = None if self._scripted else families.position_limit(module)
        self._flattens = not self._scripted and any(isinstance(layer, nn.Flatten) for layer in module.modules())

    def __iter__(self) -> Iterator[Proposal]:
        """All proposals, none twice."""
        return itertools.islice(_distinct(self._all()), _MOST)

    def _all(self) -> Iterator[Proposal]:
        filled = self._filled()
        if not filled:
            yield ()
            return
        choices = {sizes: [self._named(parameter, self.options(parameter, sizes, index)) for index, parameter in enumerate(filled)] for sizes in self._sizes()}
        for row in choices.values():
            yield tuple(options[0] for options in row)
        for row in choices.values():
            for index, options in enumerate(row):
                for other in options[1:]:
                    yield tuple(other if place == index else options_of[0] for place, options_of in enumerate(row))
        yield from itertools.islice(itertools.product(*next(iter(choices.values()))), _MOST)

    def _sizes(self) -> list[Sizes]:
        limit = self._limit
        if limit is None:
            return list(SIZES)
        exact = [_with_steps(SIZES[0], steps) for steps in dict.fromkeys((min(limit, SIZES[0].steps), limit))]
        return [*exact, *(_with_steps(sizes, min(sizes.steps, limit)) for sizes in SIZES[1:])]

    def _filled(self) -> list[Parameter]:
        """Parameters that get a value: the required ones; where none is required, the main one and those that go with it."""
        if self.signature.required or not self.signature.parameters:
            return self.signature.required or [Parameter("x")] * self.signature.open_ended
        names = {parameter.name: parameter for parameter in self.signature.parameters}
        first = names.get(str(getattr(self.module, "main_input_name", ""))) or next((names[name] for name in _MAIN if name in names), self.signature.parameters[0])
        companions = [names[name] for name in _COMPANIONS if name in names and name != first.name and (name != "attention_mask" or first.name == "input_ids")]
        return [first, *companions]

    def _named(self, parameter: Parameter, options: list[InputSpec]) -> list[InputSpec]:
        by_name = parameter.keyword_only or not parameter.required
        return [msgspec.structs.replace(option, name=parameter.name) for option in options] if by_name else options

    def options(self, parameter: Parameter, sizes: Sizes, index: int = 0) -> list[InputSpec]:
        """What this parameter may be, the likeliest first; never empty."""
        found = [*self._by_shape_of_use(parameter, sizes), *self._by_name(parameter, sizes), *self._by_layer(parameter, sizes, index)]
        return list(_distinct_specs(found or families.anything(self.module, sizes)))

    def _by_shape_of_use(self, parameter: Parameter, sizes: Sizes) -> Iterator[InputSpec]:
        """Dictionaries, tuples, lists and plain numbers."""
        if parameter.keys:
            parts = [msgspec.structs.replace(self.options(member, sizes, place)[0], name=key) for place, (key, member) in enumerate(parameter.keys.items())]
            yield InputSpec(container="dict", parts=tuple(parts), source="guessed")
        elif parameter.members:
            rows = [self.options(member, sizes, place)[:3] for place, member in enumerate(parameter.members)]
            for combination in itertools.islice(itertools.product(*rows), 12):
                yield InputSpec(container="tuple", parts=combination, source="guessed")
        elif parameter.annotation in ("tuple", "list"):
            inner = self.options(Parameter(parameter.name, layers=parameter.layers), sizes)
            for count in (2, 1, 3):
                yield InputSpec(container="list" if parameter.annotation == "list" else "tuple", parts=(inner[0],) * count, source="guessed")
        elif parameter.annotation == "bool":
            yield from (number(False), number(True))
        elif parameter.annotation == "int" and not _RATE.match(parameter.name):
            yield from (number(value) for value in (1, 0, 2, 4, sizes.steps, *_RATES))
        elif parameter.annotation == "float" and not _RATE.match(parameter.name):
            yield from (number(value) for value in (1.0, 0.5, 0.0))

    def _by_name(self, parameter: Parameter, sizes: Sizes) -> Iterator[InputSpec]:
        name, steps = parameter.name.lower(), sizes.steps
        if parameter.annotation in ("int", "float", "bool") and not _RATE.match(name):
            return
        if _RATE.match(name):
            yield from (number(rate) for rate in _RATES)
        elif "mask" in name:
            padding = InputSpec(dtype="bool", shape=("B", steps), source="guessed")
            yield from (integers(1, "B", steps, first=1), tensor("B", steps), padding, tensor("B", 1, sizes.side, sizes.side))
        elif _LENGTHS.search(name):
            yield from (integers(steps, "B", first=steps), integers(sizes.length, "B", first=sizes.length))
        elif name in ("token_type_ids", "segment_ids"):
            yield integers(1, "B", steps)
        elif name in ("position_ids", "positions"):
            yield integers(min(steps, self._limit or steps) - 1, "B", steps)
        elif _STATE.match(name):
            yield from (families.state_of(layer) for _, layer in self._recurrent())
        elif _TIME.match(name):
            yield from (tensor("B"), integers(999, "B"), number(1), tensor("B", 1))
        elif not parameter.layers:
            yield from self._by_kind(name, sizes)

    def _by_kind(self, name: str, sizes: Sizes) -> Iterator[InputSpec]:
        """Tokens, pictures or sound, where the layers hold one that suits the name."""
        for _, layer in self._layers:
            tokens = isinstance(layer, nn.Embedding) and _TOKENS.search(name)
            picture = isinstance(layer, nn.Conv2d) and _IMAGE.search(name)
            if tokens or picture:
                yield from families.for_layer(layer, sizes)
                return
        if _AUDIO.search(name) or any(_RATE.match(other.name.lower()) for other in self.signature.parameters):
            yield from (tensor("B", sizes.length), tensor("B", 1, sizes.length))

    def _recurrent(self) -> list[tuple[str, nn.Module]]:
        return [(name, layer) for name, layer in self._layers if isinstance(layer, nn.RNNBase | nn.RNNCellBase)]

    def _by_layer(self, parameter: Parameter, sizes: Sizes, index: int) -> Iterator[InputSpec]:
        if self._scripted:
            yield from self._by_weight(sizes)
            return
        if self._layers and self._layers[0][0] == "":      # the module is a bare layer
            yield from families.for_layer(self._layers[0][1], sizes)
            return
        layers = [found for path in parameter.layers for found in self._inside(path)[:1]] or self._rest(parameter, index)
        for _, layer in layers[:4]:
            options = list(families.for_layer(layer, sizes, self._flattens))
            single = isinstance(layer, nn.Embedding) and _SINGLE.search(parameter.name.lower())
            yield from reversed(options[:2]) if single else options
        yield from families.anything(self.module, sizes)

    def _inside(self, path: str) -> list[tuple[str, nn.Module]]:
        try:
            return families.first_layers(self.module, path)
        except AttributeError:       # a method, or a list of layers: not one module
            return [found for found in self._layers if found[0].startswith(f"{path}.")]

    def _rest(self, parameter: Parameter, index: int) -> list[tuple[str, nn.Module]]:
        """Without source: a layer whose name begins as the parameter's, else the layers in turn, one of a kind."""
        alike = [found for found in self._layers if parameter.name.lower()[:4] in found[0].lower() and len(parameter.name) > 2]
        kinds: dict[Any, tuple[str, nn.Module]] = {}
        for name, layer in self._layers:
            kinds.setdefault((type(layer), wanted(layer)), (name, layer))
        turned = list(kinds.values())
        index = min(index, max(0, len(turned) - 1))
        return [*alike[:1], *turned[index:], *turned[:index]]

    def _by_weight(self, sizes: Sizes) -> Iterator[InputSpec]:
        found = 0
        for _, layer in self.module.named_modules():
            weights = [(name, value) for name, value in layer.named_parameters(recurse=False) if name.startswith("weight")]
            if weights and found < 3 and weights[0][1].dim() >= 1:
                found += 1
                yield from families.for_weight(str(layer.original_name), tuple(weights[0][1].shape), sizes)
        yield from families.anything(self.module, sizes)


def _with_steps(sizes: Sizes, steps: int) -> Sizes:
    """The same sizes with other steps."""
    return Sizes(sizes.side, sizes.length, steps)


def key_of(proposal: Proposal) -> tuple[str, ...]:
    """What makes two proposals the same one."""
    return tuple(format_input(spec) for spec in proposal)


def _distinct(proposals: Iterator[Proposal]) -> Iterator[Proposal]:
    seen: set[tuple[str, ...]] = set()
    for proposal in proposals:
        if (key := key_of(proposal)) not in seen:
            seen.add(key)
            yield proposal


def _distinct_specs(specs: Any) -> Iterator[InputSpec]:
    return (proposal[0] for proposal in _distinct((spec,) for spec in specs))

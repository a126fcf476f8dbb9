"""The first layer in words: from the layers of a pickled module, else from names and shapes of weights."""

from __future__ import annotations

import io

import pytest

from engine.files.layers import first_layer
from engine.files.machine import describe
from engine.files.tensors import TensorEntry
from engine.words import say
from tests.support import model_files as make


def layer(cls: str, **attributes):
    """A pickled layer of torch's own."""
    known = make.module(make.Ref(f"torch.nn.modules.{'container' if cls == 'Sequential' else 'layer'}", cls))
    known.state.update(attributes)
    return known


def chain(*layers):
    """A pickled Sequential, described."""
    data = make.pickled(make.module(make.Ref("torch.nn.modules.container", "Sequential"), children={str(place): each for place, each in enumerate(layers)}))
    return describe(io.BytesIO(data), len(data)).root


def conv(rank=2, channels=3, out=8, kernel=3, **more):
    sizes = {name: (value,) * rank for name, value in {"kernel_size": kernel, "stride": 1, "padding": 0, "dilation": 1}.items()}
    return layer(f"Conv{rank}d", in_channels=channels, out_channels=out, **{**sizes, **more})


RELU = layer("ReLU")
CHAINS = {
    "one": ((conv(),), "first layer 0 (Conv2d): 3 channels, any height and width from 3"),
    "P-Net": ((conv(), layer("PReLU"), layer("MaxPool2d", kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False), conv(), conv()),
              "first layer 0 (Conv2d): 3 channels, any height and width from 12"),
    "padding": ((conv(padding=(1, 1)), conv(padding="same")), "first layer 0 (Conv2d): 3 channels, any height and width from 1"),
    "adaptive": ((conv(kernel=7), layer("AdaptiveAvgPool2d", output_size=1), layer("Flatten"), layer("Linear", in_features=8)),
                 "first layer 0 (Conv2d): 3 channels, any height and width from 7"),
    "fixed": ((conv(1 + 1, 1, 6, 5), RELU, layer("MaxPool2d", kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False), layer("Flatten"),
               layer("Linear", in_features=6 * 12 * 12)), "first layer 0 (Conv2d): 1 channel, height and width 28-29"),
    "unequal": ((conv(kernel_size=(3, 1)),), "first layer 0 (Conv2d): 3 channels, any height and width as far as this layer goes"),
    "after a norm": ((layer("BatchNorm1d", num_features=4), conv(1, 4)), "first layer 1 (Conv1d): 4 channels, any length from 3"),
    "deep": ((make.module(make.Ref("torch.nn.modules.container", "Sequential"), children={"a": conv(3, 2)}),),
             "first layer 0.a (Conv3d): 2 channels, any depth, height and width from 3"),
    "linear": ((layer("Flatten"), layer("Linear", in_features=784)), "first layer 1 (Linear): vectors of 784 numbers"),
    "embedding": ((layer("Embedding", num_embeddings=30522),), "first layer 0 (Embedding): whole numbers from 0 to 30521"),
    "recurrent": ((layer("LSTM", input_size=40),), "first layer 0 (LSTM): sequences of vectors of 40 numbers"),
}


@pytest.mark.parametrize(("layers", "sentence"), CHAINS.values(), ids=CHAINS.keys())
def test_a_chain_of_layers_tells_its_sides(layers, sentence):
    code, values = first_layer([], chain(*layers))
    assert say(code, values) == sentence
    assert "{" not in say(code, values, "zh") and "通道s" not in say(code, values, "zh")


def test_a_class_of_ones_own_hides_the_way_through_its_layers():
    """What its forward does is not known, so no smallest size is claimed."""
    data = make.pickled(make.module(children={"features": conv(), "more": conv()}))
    code, values = first_layer([], describe(io.BytesIO(data), len(data)).root)
    assert say(code, values) == "first layer features (Conv2d): 3 channels, any height and width as far as this layer goes"


WEIGHTS = {
    "conv": ([("a.bias", (4,)), ("a.weight", (4, 3, 3, 3))], "first layer a (Conv2d): 3 channels, any height and width as far as this layer goes"),
    "linear": ([("fc.weight", (10, 784))], "first layer fc (Linear): vectors of 784 numbers"),
    "alone": ([("weight", (10, 784))], "first layer - (Linear): vectors of 784 numbers"),
    "embedding": ([("embeddings.position_embeddings.weight", (512, 768)), ("embeddings.word_embeddings.weight", (30522, 768))],
                  "first layer embeddings.word_embeddings (Embedding): whole numbers from 0 to 30521"),
    "lstm": ([("rnn.weight_ih_l0", (256, 40)), ("rnn.weight_hh_l0", (256, 64))], "first layer rnn (LSTM): sequences of vectors of 40 numbers"),
    "gru": ([("weight_ih_l0", (192, 40)), ("weight_hh_l0", (192, 64))], "first layer - (GRU): sequences of vectors of 40 numbers"),
    "attention": ([("layers.0.self_attn.in_proj_weight", (192, 64))], "first layer layers.0.self_attn (attention): sequences of vectors of 64 numbers"),
}


@pytest.mark.parametrize(("shapes", "sentence"), WEIGHTS.values(), ids=WEIGHTS.keys())
def test_weights_tell_their_layer(shapes, sentence):
    said = first_layer([TensorEntry(key, "float32", shape) for key, shape in shapes], None)
    assert say(*said) == sentence
    assert say(*said, "zh")


@pytest.mark.parametrize("shapes", [[], [("scale", (3, 3))], [("norm.weight", (5,))], [("odd.weight", (2, 2, 2, 2, 2, 2))], [("empty.weight", (4, 0))], [("huge.weight", (2**40, 2**40))]])
def test_nothing_is_said_of_nothing(shapes):
    assert first_layer([TensorEntry(key, "float32", shape) for key, shape in shapes], None) is None

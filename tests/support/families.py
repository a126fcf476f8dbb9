"""Small networks of each family, whose inputs nobody declares."""

from __future__ import annotations

import torch
from torch import nn


class Lenet(nn.Module):
    """A linear layer behind a flatten: only sides from 28 to 31 fit."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Linear(256, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.first(x)), 2)
        x = torch.max_pool2d(torch.relu(self.second(x)), 2)
        return self.last(x.flatten(1))


class Plate(nn.Module):
    """Flattened 12 x 50 places: no square side leads there."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 3, stride=4, padding=1), nn.Linear(8 * 12 * 50, 4)

    def forward(self, x):
        return self.last(self.first(x).flatten(1))


class Stateful(nn.Module):
    """An LSTM whose state goes in and comes out."""

    def __init__(self):
        super().__init__()
        self.rnn, self.last = nn.LSTM(10, 20, 2, batch_first=True), nn.Linear(20, 3)

    def forward(self, x, state):
        y, state = self.rnn(x, state)
        return self.last(y), state


class ImageAndFacts(nn.Module):
    """Two inputs of different kinds, in another order than the layers."""

    def __init__(self):
        super().__init__()
        self.facts = nn.Linear(7, 4)
        self.image = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.last = nn.Linear(8, 2)

    def forward(self, picture, values):
        return {"scores": self.last(torch.cat([self.image(picture), self.facts(values)], 1)), "nothing": None}


class Encoder(nn.Module):
    """Tokens with a mask, positions for 40, every argument optional: as Hugging Face writes them."""

    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(100, 16), nn.Embedding(40, 16)
        self.layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, batch_first=True), 1)

    def forward(self, input_ids=None, attention_mask=None, labels=None):
        if input_ids is None or attention_mask is None:
            raise ValueError("You have to specify input_ids")
        x = self.words(input_ids) + self.places(torch.arange(input_ids.shape[1]))
        return self.layers(x, src_key_padding_mask=attention_mask == 0)


class Translator(nn.Module):
    """Two kinds of tokens and a picture, every argument optional."""

    main_input_name = "input_ids"

    def __init__(self):
        super().__init__()
        self.words, self.patches, self.position = nn.Embedding(50, 8), nn.Conv2d(3, 8, 16, 16), nn.Embedding(4, 8)

    def forward(self, attention_mask=None, input_ids=None, decoder_input_ids=None, pixel_values=None, labels=None):
        picture = self.patches(pixel_values).flatten(2).transpose(1, 2) + self.position(torch.arange(4))
        return self.words(input_ids).mean(1) + self.words(decoder_input_ids).mean(1) + picture.mean(1)


class Generator(nn.Module):
    """Tokens and positions for 32."""

    def __init__(self):
        super().__init__()
        self.words, self.places, self.last = nn.Embedding(65, 16), nn.Embedding(32, 16), nn.Linear(16, 65)

    def forward(self, idx, targets=None):
        return self.last(self.words(idx) + self.places(torch.arange(idx.shape[1])))


class Batch(nn.Module):
    """A dictionary as its one input."""

    def __init__(self):
        super().__init__()
        self.dense, self.kinds = nn.Linear(3, 4), nn.Embedding(10, 4)

    def forward(self, batch):
        return self.dense(batch["dense"]) + self.kinds(batch["kinds"]).sum(1)


class Pair(nn.Module):
    """A tuple as its one input."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(3, 4), nn.Linear(5, 4)

    def forward(self, pair):
        left, right = pair
        return self.left(left) + self.right(right)


class Fours(nn.Module):
    """Rows in groups of four."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        return self.last(x.view(-1, 4, 3))


class Pairs(nn.Module):
    """Rows two by two."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        return self.last(x.view(-1, 2, 3)).flatten(0, 1)


def waves():
    """Any length from seven on."""
    return nn.Sequential(nn.Conv1d(4, 2, 5), nn.ReLU(), nn.AvgPool1d(3))


class Even(nn.Module):
    """Sides that can be halved twice."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return nn.functional.pixel_unshuffle(self.first(x), 4)


class Halving(nn.Module):
    """Never ends for a side that is no multiple of 32."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        x = self.first(x)
        while x.shape[-1] % 32:
            x = x + 0
        return x


class Single(nn.Module):
    """One row at a time."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        assert x.shape[0] == 1
        return self.last(x)


class Sound(nn.Module):
    """Raw audio, to which forward adds the channel."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv1d(1, 8, 400, stride=160), nn.Linear(8, 3)

    def forward(self, wav):
        return self.last(self.first(wav.unsqueeze(1)).mean(-1))


class Bytes(nn.Module):
    """Pictures as bytes, and nothing else."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        assert x.dtype == torch.uint8, "expected uint8 pictures"
        return self.first(x.float() / 255)


class Taste(nn.Module):
    """One number for each row and table."""

    def __init__(self):
        super().__init__()
        self.user, self.item = nn.Embedding(50, 8), nn.Embedding(30, 8)

    def forward(self, user, item):
        return (self.user(user) * self.item(item)).sum(-1)


class Packed(nn.Module):
    """A sequence with its lengths."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(40, 8, batch_first=True)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return self.rnn(packed)[1]


class Bare(nn.Module):
    """No layers at all."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(5, 9))

    def forward(self, x):
        return x @ self.weight


class Remembering(nn.Module):
    """Keeps state between calls, in an attribute that is no buffer."""

    def __init__(self):
        super().__init__()
        self.cell, self.state = nn.LSTMCell(4, 6), None

    def forward(self, x):
        self.state = self.cell(x, self.state)
        return self.state[0]


class Patches(nn.Module):
    """A table of places for exactly 8 x 8 patches of 4 x 4."""

    def __init__(self):
        super().__init__()
        self.patch, self.pos_embed = nn.Conv2d(3, 16, 4, 4), nn.Parameter(torch.zeros(1, 64, 16))

    def forward(self, x):
        return self.patch(x).flatten(2).transpose(1, 2) + self.pos_embed


class Steps(nn.Module):
    """A diffusion network: a picture and a time."""

    def __init__(self):
        super().__init__()
        self.first, self.time = nn.Conv2d(4, 8, 3, padding=1), nn.Embedding(1000, 8)

    def forward(self, x, t):
        return self.first(x) + self.time(t)[:, :, None, None]


class Choosing(nn.Module):
    """Looks at the numbers themselves: a copy without numbers cannot tell."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(6, 2)

    def forward(self, x):
        return self.last(x) if x.sum() > 0 else self.last(x) * 2


class Skip(nn.Module):
    """A U-Net in small: even sides only."""

    def __init__(self):
        super().__init__()
        self.first, self.down, self.up = nn.Conv2d(1, 4, 3, padding=1), nn.MaxPool2d(2), nn.Upsample(scale_factor=2)

    def forward(self, x):
        y = self.first(x)
        return torch.cat([y, self.up(self.down(y))], 1)


class Never(nn.Module):
    """Runs with nothing."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        raise RuntimeError("no such luck")


def resnet_like():
    """Convolutions, pooling to one place, a linear layer: any side from 15 on."""
    features = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU())
    return nn.Sequential(features, nn.Conv2d(8, 16, 7), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4))


class Rated(nn.Module):
    """A rate as plain number, and a length that goes with it."""

    def forward(self, x: torch.Tensor, sr: int) -> torch.Tensor:
        if sr != 16000 or x.shape[-1] != 480:
            raise ValueError("Supported: 480 samples at 16000")
        return x.mean(-1)

"""A batch in parts gives the answers of the batch in one piece."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.inputs import parse_input
from engine.job import Configuration
from engine.worker.errors import WorkerError
from engine.worker.loading import LoadedModel
from engine.worker.micro_batches import batch_axes, joined, wrapped
from tests.support import nets


class Pair(NamedTuple):
    """A tuple with names, as models give them."""

    first: Any
    second: Any



def loaded(module):
    return LoadedModel(module, Path("/m.pth"), "module")


class Mixed(torch.nn.Module):
    """Batch in another place of each input, one input without any, and a nested answer."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def forward(self, rows, table, scale, columns=None):
        self.calls.append(len(rows))
        assert columns.shape[1] == len(rows) and table.shape == (3,)
        return {"sum": rows.sum(1) * scale + columns.sum(0), "pair": Pair(rows, [rows * 2]), "name": "x"}


@settings(deadline=None)
@given(batch=st.integers(1, 12), data=st.data())
def test_parts_give_what_the_whole_gives(batch, data):
    parts = data.draw(st.integers(1, batch))
    specs = tuple(map(parse_input, ("f32[B,4]", "f32[3]", "2", "columns=f32[5,B]")))
    rows, table, columns = torch.randn(batch, 4), torch.randn(3), torch.randn(5, batch)
    plain, cut = Mixed(), Mixed()
    one = wrapped(loaded(cut), Configuration(batch_size=batch, options={"micro_batch": parts}), specs, "module")
    want, have = plain(rows, table, 2, columns=columns), one.module(rows, table, 2, columns=columns)
    assert len(cut.calls) == parts and max(cut.calls) - min(cut.calls) <= 1 and sum(cut.calls) == batch
    torch.testing.assert_close(have["sum"], want["sum"])
    torch.testing.assert_close(have["pair"].second[0], want["pair"].second[0])
    assert isinstance(have["pair"], Pair) and have["name"] == "x"
    assert (one.notes[0][0] if one.notes else None) == ("micro-batched" if parts > 1 else None)


def test_a_batch_in_one_piece_is_left_as_it_is():
    model = loaded(nets.Linears())
    assert wrapped(model, Configuration(batch_size=4), (parse_input("f32[B,16]"),), "module") is model


@pytest.mark.parametrize(("module", "parts", "say"), [(None, 2, "micro-batch-needs-module"), (torch.nn.Identity(), 9, "micro-batch-too-many")])
def test_what_cannot_be_cut_says_so(module, parts, say):
    with pytest.raises(WorkerError) as met:
        wrapped(loaded(module), Configuration(batch_size=8, options={"micro_batch": parts}), (), "onnx")
    assert (met.value.code, met.value.say) == ("unsupported", say)


def test_axes_follow_the_order_of_the_call():
    specs = (parse_input("late=f32[5,B]"), parse_input("f32[B,4]"), parse_input("7"), parse_input("i64[3]"))
    assert batch_axes(specs) == (0, None, 1)


def test_numbers_of_each_part_stand_beside_one_another():
    assert joined([torch.tensor(1.0), torch.tensor(2.0)], [4, 4]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("parts", [1, 2, 3, 8])
def test_states_and_outputs_that_have_the_batch_in_second_place(parts):
    torch.manual_seed(0)
    lstm, given = torch.nn.LSTM(4, 3, num_layers=2, bidirectional=True).eval(), torch.randn(5, 8, 4)
    one = wrapped(loaded(lstm), Configuration(batch_size=8, options={"micro_batch": parts}), (parse_input("f32[5,B,4]"),), "module")
    (want, states), (have, parts_states) = lstm(given), one.module(given)
    torch.testing.assert_close(have, want)
    if parts != 2:      # 4 layers and directions, 4 items: these two cannot be told apart
        torch.testing.assert_close(parts_states, states)

"""Arguments of every form from their specs, and outputs of any nesting understood."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
import torch

from engine.inputs import parse_input
from engine.words import say
from engine.worker.errors import WorkerError
from engine.worker.inputs import DISTINCT_ROWS, make_arguments, move, shapes_of, tensors_in


def made(*texts, batch=3):
    return make_arguments(tuple(parse_input(text) for text in texts), batch, seed=0)


def test_positional_and_named_arguments_of_each_form():
    positional, named = made("f32[B,3]", "16000", "h=(f32[2,B,4], [u8[B]{7..7}, 0.5])", "batch={a: f32[B,3], b: i64[B,7]{0..9}}")
    assert positional[0].shape == (3, 3) and positional[1] == 16000
    state, (bytes_, half) = named["h"]
    assert isinstance(named["h"], tuple) and isinstance(named["h"][1], list)
    assert state.shape == (2, 3, 4) and bytes_.dtype == torch.uint8 and set(bytes_.tolist()) == {7} and half == 0.5
    assert named["batch"]["a"].shape == (3, 3) and named["batch"]["b"].dtype == torch.int64
    assert int(named["batch"]["b"].min()) >= 0 and int(named["batch"]["b"].max()) <= 9


def test_the_same_seed_gives_the_same_numbers_in_all_parts():
    first, second = (made("(f32[B,3], f32[B,3])")[0][0] for _ in range(2))
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1]) and not torch.equal(first[0], first[1])


def test_rows_beyond_the_distinct_ones_repeat_inside_a_container_too():
    (pair,), _ = made("(f32[B,2], f32[2,B,1])", batch=DISTINCT_ROWS + 4)
    assert pair[0].shape == (DISTINCT_ROWS + 4, 2) and pair[1].shape == (2, DISTINCT_ROWS + 4, 1)
    assert torch.equal(pair[0][:4], pair[0][DISTINCT_ROWS:]) and torch.equal(pair[1][:, :4], pair[1][:, DISTINCT_ROWS:])


@pytest.mark.parametrize(("text", "layout"), [("f32[B,3,8,8]:channels_last", torch.channels_last), ("f32[B,3,4,8,8]:channels_last", torch.channels_last_3d)])
def test_channels_last_lies_in_memory_so_and_stays_so_when_cast(text, layout):
    arguments = made(text, batch=2)
    assert arguments[0][0].is_contiguous(memory_format=layout) and not arguments[0][0].is_contiguous()
    moved, _ = move(arguments, torch.device("cpu"), torch.float16)
    assert moved[0].is_contiguous(memory_format=layout) and moved[0].dtype == torch.float16


def test_moving_casts_floats_only_at_every_depth():
    (value,), _ = move(made("{a: (f32[B], i64[B]{0..3}), b: 2}"), torch.device("cpu"), torch.bfloat16)
    assert value["a"][0].dtype == torch.bfloat16 and value["a"][1].dtype == torch.int64 and value["b"] == 2
    assert isinstance(value["a"], tuple)


def test_data_of_a_file_may_stand_inside_a_container(tmp_path):
    np.save(tmp_path / "rows, one.npy", np.arange(6, dtype=np.float32).reshape(3, 2))
    (pair,), _ = made(f'(@"{tmp_path}/rows, one.npy", f32[B,2])', batch=4)
    assert pair[0].tolist() == [[0, 1], [2, 3], [4, 5], [0, 1]]


def test_a_size_without_a_number_is_refused_inside_a_container():
    with pytest.raises(WorkerError) as met:
        made("(f32[B,H], f32[B])")
    assert met.value.say == "input-size-unknown" and say(met.value.say, met.value.values)


Point = namedtuple("Point", "x y")  # noqa: PYI024 - made as libraries make them


@dataclasses.dataclass
class Scored:
    """An output as libraries make them."""

    logits: torch.Tensor
    hidden: object = None


@pytest.mark.parametrize(
    ("value", "shapes", "tensors"),
    [
        (torch.zeros(2, 3), "[2, 3]", 1), (np.zeros((4,)), "[4]", 1), (None, "None", 0), (Point(torch.zeros(1), 2), "Point(x: [1], y: 2)", 1),
        (Scored(torch.zeros(2, 5)), "Scored(logits: [2, 5], hidden: None)", 1), (Scored(torch.zeros(1), [torch.zeros(2)]), "Scored(logits: [1], hidden: ([2]))", 2),
        (OrderedDict(a=torch.zeros(1), b=(torch.zeros(2), None)), "{a: [1], b: ([2], None)}", 2), ([{"boxes": torch.zeros(0, 4)}], "({boxes: [0, 4]})", 1),
        (np.array(["a", "b"], dtype=object), "[2]", 0), ("text", "str", 0), (Scored, "type", 0),
    ],
)
def test_outputs_of_any_nesting(value, shapes, tensors):
    assert shapes_of(value) == shapes
    assert len(tensors_in(value)) == tensors


def test_an_output_that_holds_itself_comes_to_an_end():
    value = [torch.zeros(1)]
    value.append(value)
    assert shapes_of(value).count("[1]") == len(tensors_in(value)) > 1


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_nested_tensor_shows_its_members():
    value = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)], layout=torch.strided)
    assert shapes_of(value) == "nested ([2], [3])" and len(tensors_in([value])) == 2

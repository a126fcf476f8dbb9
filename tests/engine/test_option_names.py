"""Options of a row as short words."""

from __future__ import annotations

import pytest

from engine.commands.table import describe
from engine.job import Configuration
from engine.option_names import option_names
from engine.report.labels import Labels
from engine.report.names import configuration_name
from engine.switches import DEFAULTS, VALUES
from tests.support.runs import make_outcome

ALL = {"grad": "kept", "mode": "train", "batch": "max:75%", "memory_format": "channels_last", "micro_batch": 8}


def test_size_first_then_the_switches():
    configuration = Configuration(batch_size=60, options=ALL)
    assert option_names(configuration) == ["max 75 %", "micro-batches of 8", "channels_last", "grad kept", "train mode"]
    assert option_names(configuration, "zh") == ["最大 75%", "微批大小 8", "channels_last", "保留计算图", "训练模式"]
    assert option_names(configuration, without=("batch", "micro_batch", "grad")) == ["channels_last", "train mode"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_value_of_every_switch_has_its_words(language):
    for name, values in VALUES.items():
        for value in values:
            if value != DEFAULTS[name]:
                (words,) = option_names(Configuration(options={name: value}), language)
                assert "=" not in words, (name, value)


def test_what_a_newer_program_knows_stands_as_it_is():
    assert option_names(Configuration(options={"batch": "most", "grad": "kept", "graphs": True, "mode": "dream", "micro_batch": 0})) == [
        "batch=most", "micro_batch=0", "grad kept", "mode=dream", "graphs=True",
    ]


def test_page_and_command_line_say_the_same_words():
    configuration = Configuration(batch_size=64, threads=2, options={"micro_batch": 4, "grad": "backward"})
    assert configuration_name(configuration, Labels("en")).endswith("micro-batches of 16 · with backward")
    assert configuration_name(configuration, Labels("zh")).endswith("微批大小 16 · 含反向传播")
    assert describe(make_outcome(configuration)) == "cpu fp32 eager b64 2t, micro-batches of 16, with backward"

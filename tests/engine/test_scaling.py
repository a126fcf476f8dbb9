"""What replicas do beside one device alone."""

from __future__ import annotations

import msgspec
import pytest

from engine.job import Configuration
from engine.result import Replica
from engine.scaling import CODE, scaled, scaling
from tests.support.runs import make_outcome

BOTH = Configuration(device="cuda:0+cuda:1", batch_size=8)


def outcome(device, rate, **changes):
    configuration = msgspec.structs.replace(BOTH, device=device, **changes)
    replicas = tuple(Replica(device=each) for each in device.split("+")) if "+" in device else ()
    return make_outcome(configuration, throughput_per_s=rate, replicas=replicas)


def said(outcomes):
    return [[note.sentence for note in each.notes if note.code == CODE] for each in scaled(outcomes)]


def test_the_total_stands_beside_one_device_alone():
    values = scaling(outcome("cuda:0+cuda:1", 190.0), [outcome("cuda:0", 100.0)])
    assert (values["times"], values["percent"], values["device"]) == (1.9, pytest.approx(95.0), "cuda:0")


def test_devices_of_different_speed_count_as_they_are():
    values = scaling(outcome("cuda:0+cuda:1", 150.0), [outcome("cuda:0", 100.0), outcome("cuda:1", 50.0)])
    assert values["percent"] == pytest.approx(100.0)
    assert values["times"] == 2.0


@pytest.mark.parametrize("alone", [outcome("cuda:2", 100.0), outcome("cuda:0", 100.0, batch_size=1), outcome("cuda:0", None), make_outcome(Configuration(device="cuda:0", batch_size=8), status="failed")])
def test_nothing_is_said_without_the_same_on_one_device(alone):
    assert said([outcome("cuda:0+cuda:1", 190.0), alone]) == [[], []]


def test_the_line_is_a_note_and_is_there_once():
    outcomes = [outcome("cuda:0", 100.0), outcome("cuda:0+cuda:1", 190.0)]
    again = scaled(scaled(outcomes))
    assert said(again) == [[], ["2 replicas together: 190/s, 1.90 times cuda:0 alone (100/s); 95 % of what 2 that do not disturb one another would do."]]

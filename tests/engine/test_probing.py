"""Probing: how far a GPU's worker is confined is what the GPU was seen to work with."""

from __future__ import annotations

import pytest

from engine import messages, probing
from engine.capabilities import Facts, Gpu
from engine.confinement import LAYERS
from engine.workers import ConfigurationEnded

FACTS = Facts(torch="2.13.0", cuda_build="13.0", gpus=(Gpu(0, "H100", 80 << 30, (9, 0)),))
BARE = Facts(torch="2.13.0", cuda_build="13.0", gpus=(), cuda_error="Error 304")


class Worker:
    """One that was started with a policy."""

    def __init__(self, policy):
        self.policy = policy
        self.held = () if policy is None else (policy.layers, "cuda" if policy.cuda else "cpu")


class Workers:
    """Their GPU works from `works_from` on, the index of one of LAYERS."""

    def __init__(self, works_from):
        self.gpu_layers, self._works_from, self.asked = {}, works_from, []

    def start(self, python, policy=None):
        if policy is not None and policy.cuda:
            policy = type(policy)(cuda=True, layers=self.gpu_layers[python])
            self.asked.append(policy.layers)
        return Worker(policy)

    def ask(self, link, command, timeout_s, phase):
        policy = link.policy
        return messages.Facted(FACTS if policy is None or LAYERS.index(policy.layers) >= self._works_from else BARE)

    def end(self, link, at_once=False):
        """Nothing to end."""


class Monitor:
    """A machine without a driver."""

    driver = None

    def __init__(self):
        self.gpus = {}


@pytest.mark.parametrize("works_from", range(len(LAYERS)))
def test_the_strongest_that_works_is_kept(works_from, places_of_its_own):
    workers = Workers(works_from)
    facts = probing.probe(workers, Monitor(), "python")
    assert (facts.gpu_layers, facts.confinement_gpu) == (LAYERS[works_from], (LAYERS[works_from], "cuda"))
    assert facts.confinement == ("all", "cpu")
    assert workers.asked == list(LAYERS[: works_from + 1]) and workers.gpu_layers == {"python": LAYERS[works_from]}


def test_without_a_gpu_none_is_tried():
    workers = Workers(0)
    workers.ask = lambda *_: messages.Facted(BARE)
    facts = probing.probe(workers, Monitor(), "python")
    assert (facts.gpu_layers, facts.confinement_gpu, workers.asked) == ("all", (), [])


def test_what_was_found_is_remembered_with_the_facts(monkeypatch):
    monkeypatch.setattr(probing.facts_cache, "read", lambda interpreter: Facts(torch="2.13.0", cuda_build=None, gpus=(), gpu_layers="limits"))
    workers = Workers(0)
    probing.probe(workers, Monitor(), "python")
    assert workers.gpu_layers == {"python": "limits"}


def test_another_answer_is_a_protocol_error():
    workers = Workers(0)
    workers.ask = lambda *_: object()
    with pytest.raises(ConfigurationEnded) as caught:
        probing.probe(workers, Monitor(), "python")
    assert caught.value.failure.code == "protocol-error"

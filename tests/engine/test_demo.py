"""The bundled demo model: its weights, class and inputs fit each other."""

from __future__ import annotations

from pathlib import Path

from engine.architecture import parse_architecture
from engine.demo import demo_source
from engine.files import inspect_file


def test_the_demo_is_weights_with_a_class_and_an_input():
    path, architecture, (spec,) = demo_source()
    inspected = inspect_file(path)
    assert inspected.refusal is None
    assert inspected.info.kind == "state-dict"
    assert not inspected.requires_trust
    assert Path(parse_architecture(architecture).where).is_file()
    assert (spec.dtype, spec.shape[0]) == ("float32", "B")


def test_the_weights_fit_the_class_and_the_input_fits_both():
    import torch

    from engine.worker.inputs import make_arguments
    from engine.worker.loading.classes import build
    from engine.worker.loading.weights import fit

    path, architecture, specs = demo_source()
    network = build(architecture).eval()
    network.load_state_dict(fit(torch.load(path, weights_only=True), network.state_dict(), architecture), strict=False)
    (picture,), named = make_arguments(specs, 2, 0)
    with torch.inference_mode():
        answer = network(picture, **named)
    assert answer.shape[0] == 2
    assert bool(torch.isfinite(answer).all())

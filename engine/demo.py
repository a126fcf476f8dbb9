"""The bundled demo model: a small convolutional network with fixed random weights."""

from __future__ import annotations

from pathlib import Path

from engine.job import InputSpec

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "demo"
PAGE_NAME = "model-dyno-demo.html"


def demo_source() -> tuple[str, str, tuple[InputSpec, ...]]:
    """Path of the weights, architecture spec and inputs of the demo model."""
    specs = (InputSpec(dtype="float32", shape=("B", 3, 64, 64), source="declared"),)
    return str(FOLDER / "demo.pth"), f"{FOLDER / 'demo_net.py'}:DemoNet", specs

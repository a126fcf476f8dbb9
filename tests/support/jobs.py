"""Jobs for tests of the engine: small models made here, plans of fractions of a second."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import torch

from engine.inputs import parse_input
from engine.job import PLANS, Configuration, Job, ModelSource, Plan
from engine.result import ModelInfo
from tests.support import nets

NETS = Path(nets.__file__).resolve()

BRIEF: Plan = msgspec.structs.replace(PLANS["quick"], name="quick", visit_s=0.05, visit_samples=20, warm_up_s=0.02, block_s=0.01)
"""One visit of 0.05 s."""
TURNS: Plan = msgspec.structs.replace(
    PLANS["standard"], name="standard", visits_min=3, visits_max=3, visit_s=0.05, visit_samples=10, spread_s=0.3, warm_up_s=0.02, block_s=0.01
)
"""Three visits over 0.3 s."""


def save(folder: Path, network: torch.nn.Module, name: str = "weights.pth") -> Path:
    """The network's state dict in a file."""
    path = folder / name
    torch.save(network.state_dict(), path)
    return path


def info_of(path: Path, kind: str) -> ModelInfo:
    """What the window would know of the file."""
    return ModelInfo(path=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest(), kind=kind, file_bytes=path.stat().st_size)


def make_job(
    path: Path, spec: str | None, inputs: tuple[str, ...] = ("f32[B,16]",), configurations: tuple[Configuration, ...] = (Configuration(),),
    plan: Plan = BRIEF, kind: str = "state-dict", **fields: object,
) -> tuple[Job, ModelInfo]:
    """A job and its model; `spec` is what stands behind the colon, of tests/support/nets.py."""
    source = ModelSource(str(path), kind, f"{NETS}:{spec}" if spec else None, trusted=kind == "module")
    made = tuple(parse_input(text) for text in inputs)
    return Job(id="job", model=source, inputs=made, configurations=configurations, plan=plan, **fields), info_of(path, kind)  # type: ignore[arg-type]


def misbehaving(folder: Path, what: str, at: int = 30, **fields: object) -> tuple[Job, ModelInfo]:
    """A job whose first configuration misbehaves (batch 1) and whose second (batch 2) is never reached by the fault: see `well_behaved`."""
    return make_job(save(folder, nets.Linears(), "bad.pth"), f"Misbehaving({what!r}, {at})", **fields)  # type: ignore[arg-type]

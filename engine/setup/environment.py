"""The work of set-up, step by step: the virtual environment, its packages, and the check of what came."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence

from engine.setup import installer, needs, repair, torch_build
from engine.setup.fetching import Fetching
from engine.setup.installer import Package
from engine.setup.places import Places
from engine.setup.progress import Progress
from engine.setup.speech import SetupStopped, say, say_bytes
from engine.setup.torch_build import Choice

MEND_COMMAND = "python3 main.py doctor --fix-torch"


class Work:
    """One set-up; each step can be done again after an interruption."""

    def __init__(self, places: Places, teller: Progress, lock: int) -> None:
        self._places = places
        self._teller = teller
        self._pip = installer.Pip(places, lock)
        self._gpus = torch_build.count_driver_gpus()

    def make_environment(self) -> None:
        """Make .venv with a pip that runs, unless it is there."""
        if self._places.has_working_python() and self._pip_runs():
            return
        needs.bring_ensurepip()
        self._teller.step(say("setup-venv"), None)
        self._empty()
        command = [sys.executable, "-I", "-m", "venv", str(self._places.venv)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self._places.root, env=installer.environment())
        if done.returncode != 0 or not self._pip_runs():
            said = (done.stdout + done.stderr).strip().splitlines()
            raise SetupStopped("setup-venv-failed", folder=self._places.venv, reason=said[-1] if said else f"venv ended with {done.returncode}")

    def _empty(self) -> None:
        """Take away what another Python, or half a set-up, left; the lock stays, as we hold it."""
        for path in self._places.venv.iterdir():
            if path in {self._places.lock, self._places.log}:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _pip_runs(self) -> bool:
        command = [str(self._places.python), "-m", "pip", "--version"]
        try:
            return subprocess.run(command, capture_output=True, check=False, cwd=self._places.root, env=installer.environment()).returncode == 0
        except OSError:
            return False

    def install(self, extras: Iterable[str]) -> None:
        """Bring every package that is missing or of another version, after saying what and how much."""
        if broken := repair.remove_broken(self._places.site_packages):
            self._teller.say(say("setup-mending", names=", ".join(broken)))
        self._teller.step(say("setup-pip"), None)
        self._pip.upgrade_itself()
        self._teller.step(say("setup-asking"), None)
        wanted = installer.requirements(self._places, extras)
        choice = self.choice()
        packages = self._pip.plan(wanted, choice)
        self._refuse_cuda(packages, choice)
        self._teller.say(self._say_plan(packages))
        self._install(wanted, choice, packages)

    def choice(self) -> Choice:
        """Where torch comes from; an installed one of the right kind stays."""
        found = torch_build.installed_build(self._places.site_packages)
        if found and found[0].partition("+")[0] == installer.pinned(self._places, "torch") and (found[1] is not None or not self._gpus):
            return Choice()
        return torch_build.choose_here(self._gpus)

    def _install(self, wanted: Sequence[str], choice: Choice, packages: Sequence[Package], extra: Sequence[str] = ()) -> None:
        fetching = Fetching(packages, self._places.site_packages)

        def heard(line: str) -> None:
            if shown := fetching.hear(line):
                self._teller.step(*shown)

        self._pip.install(wanted, choice, heard, extra)

    def _refuse_cuda(self, packages: Sequence[Package], choice: Choice) -> None:
        """Several GB that a machine without a driver cannot use are never taken unasked."""
        if self._gpus or choice.is_explicit or not any(torch_build.is_gpu_package(package.name) for package in packages):
            return
        size = say_bytes(sum(package.size_bytes or 0 for package in packages))
        raise SetupStopped("setup-cuda-refused", size=size, index=torch_build.CPU_INDEX)

    def _say_plan(self, packages: Sequence[Package]) -> str:
        if not packages:
            return say("setup-nothing")
        unknown = sum(package.size_bytes is None for package in packages)
        total = say_bytes(sum(package.size_bytes or 0 for package in packages))
        code = "setup-plan-unknown" if unknown else "setup-plan"
        return say(code, count=len(packages), size=total, unknown=unknown, torch=self._say_torch(packages))

    def _say_torch(self, packages: Sequence[Package]) -> str:
        torch = next((package for package in packages if package.name == "torch"), None)
        if torch is None:
            return say("setup-torch-there")
        gpu_packages = [package for package in packages if torch_build.is_gpu_package(package.name)]
        size = say_bytes(sum(package.size_bytes or 0 for package in (torch, *gpu_packages)))
        if gpu_packages or "+cu" in torch.version:
            return say("setup-torch-cuda", version=torch.version, size=size, gpus=self._gpus)
        if "+cpu" in torch.version:
            return say("setup-torch-cpu-plain" if self._gpus else "setup-torch-cpu", version=torch.version, size=size)
        return say("setup-torch-index", version=torch.version, size=size)

    def check_torch(self) -> None:
        """Say which build came; a CPU build beside a GPU is told with the command that mends it."""
        self._teller.step(say("setup-checking"), None)
        found = torch_build.installed_build(self._places.site_packages)
        if found is None:
            raise SetupStopped("setup-no-torch", folder=self._places.site_packages)
        version, cuda = found
        self._teller.say(say("setup-done", version=version, build=say("build-cuda", cuda=cuda) if cuda else say("build-cpu")))
        if self._gpus and cuda is None:
            self._teller.say(say("setup-gpu-unused", command=MEND_COMMAND))

    def replace_torch(self) -> None:
        """Install torch again, in the build that this machine should have."""
        choice = torch_build.choose_here(self._gpus)
        wanted = [line for line in installer.requirements(self._places) if line.startswith("torch")]
        self._teller.step(say("setup-asking"), None)
        packages = self._pip.plan(["--force-reinstall", *wanted], choice)
        self._refuse_cuda(packages, choice)
        self._teller.say(self._say_plan(packages))
        self._install(wanted, choice, packages, ["--force-reinstall"])
        self.check_torch()

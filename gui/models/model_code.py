"""The lines that load a file as it should be: for the two mistakes of every tutorial."""

from __future__ import annotations

import re
from pathlib import Path, PurePath

from gui.models.model_entry import ModelEntry

_ARCHITECTURE = re.compile(r"^(?P<where>.+?):(?P<name>[A-Za-z_]\w*)\s*(?P<arguments>\(.*\))?$", re.DOTALL)


def loading_code(entry: ModelEntry) -> tuple[str, str]:
    """Code of `gui.text` for the mistake, and the lines that work; empty where a file of this kind invites none, or attacks."""
    if entry.inspected is not None and entry.inspected.danger == "dangerous":
        return "", ""
    if entry.missing_classes:
        return "code.module", "\n".join(_module(entry))
    return ("code.state-dict", "\n".join(_weights(entry))) if entry.is_weights_only else ("", "")


def _weights(entry: ModelEntry) -> list[str]:
    """Make the network, then put the weights into it."""
    chosen = _ARCHITECTURE.match(entry.architecture or "")
    name, arguments = (chosen["name"], chosen["arguments"] or "()") if chosen else ("Network", "()")
    lines = [*_imports(entry, [name], "replace by the class of these weights"), "", *_read(entry)]
    if entry.fit is not None and entry.fit.prefix:
        prefix = entry.fit.prefix
        lines.append(f"weights = {{key.removeprefix({prefix!r}): value for key, value in weights.items()}}")
    strict = ", strict=False" if entry.allow_missing else ""
    return [*lines, f"model = {name}{arguments}", f"model.load_state_dict(weights{strict})", "model.eval()"]


def _read(entry: ModelEntry) -> list[str]:
    if entry.kind == "safetensors":
        return ["from safetensors.torch import load_file", f"weights = load_file({entry.path!r}, device='cpu')"]
    keys = "".join(f"[{int(key) if key.isascii() and key.isdigit() else key!r}]" for key in (entry.weights_place or "").split(".") if key)
    only = entry.info is None or entry.info.weights_only
    remark = "  # runs code that the file names" if not only and entry.inspected is not None and entry.inspected.requires_trust else ""
    return [f"weights = torch.load({entry.path!r}, map_location='cpu', weights_only={only}){keys}{remark}"]


def _module(entry: ModelEntry) -> list[str]:
    """Make the classes findable where the pickle looks for them (those of a script: in `__main__`, as here), then keep the weights alone."""
    wanted = [missing.rpartition(".")[::2] for missing in entry.missing_classes]
    imports = _imports(entry, [name for _, name in wanted], "the script that saved it")
    others = [(module, name) for module, name in wanted if module != "__main__"]
    if others:
        imports = ["import sys", "import types", *(line for line in imports if line != "import sys")]
    lends = [f"sys.modules.setdefault({module!r}, types.ModuleType({module!r})).{name} = {name}" for module, name in others]
    saved = str(Path(entry.path).with_name(f"{Path(entry.path).stem}_weights.pth"))
    return [
        *imports, "", *lends,
        f"model = torch.load({entry.path!r}, map_location='cpu', weights_only=False)  # runs code that the file names",
        f"torch.save(model.state_dict(), {saved!r})  # from now on without the class",
    ]


def _imports(entry: ModelEntry, names: list[str], remark: str) -> list[str]:
    """Import lines for classes of the file (or module) that was chosen; for none yet, a line to be filled in."""
    chosen, listed = _ARCHITECTURE.match(entry.architecture or ""), ", ".join(names)
    if chosen is None:
        return ["import torch", f"from network import {listed}  # {remark}"]
    where = chosen["where"]
    if not where.endswith(".py"):
        return ["import torch", f"from {where} import {listed}"]
    file = PurePath(where)
    if not file.stem.isidentifier():
        return ["import runpy", "import torch", f"defined = runpy.run_path({where!r})", *(f"{name} = defined[{name!r}]" for name in names)]
    return ["import sys", "import torch", f"sys.path.append({str(file.parent)!r})", f"from {file.stem} import {listed}"]

"""Exported programs are text and tensors, but torch evaluates some of that text: what does more than compute is found before it is loaded."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.files.expressions import called_by

_OPERATOR = re.compile(r"torch\.ops\.\w+\.(?!__)\w+(?:\.(?!__)\w+)?|torch\.ops\.aten\.__i?(?:and|or|xor|lshift|rshift)__(?:\.\w+)?")
_FUNCTION = re.compile(r"(?:_operator|math)\.(?!_)\w+|torch\._?sym_(?!_)\w+|#[\w.:]+|\w+")
_FORBIDDEN = re.compile(r"torch\.ops\.aten\.from_file.*|_operator\.(?:attrgetter|methodcaller|call)")
"""Reads any file; reaches any attribute and calls what it finds there."""
_TEXT_LIMIT_BYTES = 256 << 20


def what_runs_code(path: Path) -> str | None:
    """The first thing in the archive that could do more than compute, in its own words; None when there is none."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if compiled := next((name for name in names if "data/aotinductor/" in name or name.endswith((".so", ".py"))), None):
            return compiled
        for name in names:
            if f"/{name}".endswith(("/serialized_exported_program.json", ".json")) and not name.endswith("_config.json"):
                if archive.getinfo(name).file_size > _TEXT_LIMIT_BYTES:
                    return name
                if (found := next(_suspects(json.loads(archive.read(name))), None)) is not None:
                    return found
    return None


def _suspects(program: Any) -> Iterator[str]:
    waiting = [program]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            for key, value in part.items():
                if not _innocent(key, value):
                    yield f"{key}: {str(value)[:120]}"
                waiting.append(value)


def _innocent(key: str, value: Any) -> bool:
    """Whether this entry of the program, were it evaluated, only computes."""
    if key == "target" and isinstance(value, str):
        return is_operator(value)
    if key == "expr_str":
        return isinstance(value, str) and not any(called_by(value))
    if key == "guards_code":
        return not any(name for guard in value or () for name in called_by(str(guard), names_are_keys=True))
    if key in ("in_spec", "out_spec", "treespec"):
        # The two sorts of container whose description names something to be imported.
        return not re.search(r"__enum__|collections\.defaultdict", str(value))
    return True


def is_operator(target: str) -> bool:
    """`torch.ops.aten.conv2d.default` and its like; not `torch.ops.load_library`, nor anything reached through another module's attributes."""
    return not _FORBIDDEN.fullmatch(target) and bool(_OPERATOR.fullmatch(target) or _FUNCTION.fullmatch(target))

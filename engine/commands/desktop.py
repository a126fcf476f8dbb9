"""`--install` and `--uninstall`: Model Dyno in the menu of a Linux desktop, with its icon and file types."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from engine.setup.places import ROOT
from engine.setup.speech import say

NAME = "model-dyno"
SUFFIXES = (".pth", ".pt", ".onnx", ".safetensors", ".ckpt")
MIME_TYPE = "application/x-trained-model"
TEMPLATE = ROOT / "resources" / "model-dyno.desktop.in"
ICONS = ROOT / "resources" / "icons"
MIME_XML = """<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="{type}">
    <comment>{comment}</comment>
    <comment xml:lang="zh_CN">{comment_zh}</comment>
    <icon name="{name}"/>
{globs}
  </mime-type>
</mime-info>
"""


def main(arguments: list[str]) -> int:
    """Install or take away; 1 with two lines when it cannot be done."""
    if not sys.platform.startswith("linux"):
        return _fail("desktop-linux-only")
    folder = data_folder(os.environ)
    try:
        if "--uninstall" in arguments:
            count = uninstall(folder)
            print(say("desktop-removed", count=count))
        else:
            install(folder)
            print(say("desktop-installed", suffixes=" ".join(SUFFIXES)))
    except OSError as error:
        return _fail("desktop-unwritable", folder=error.filename or folder, reason=error.strerror or error)
    refresh(folder)
    return 0


def _fail(code: str, **values: Any) -> int:
    print(f"{say(code, **values)}\n{say(code + '.hint', **values)}", file=sys.stderr)
    return 1


def data_folder(environment: Mapping[str, str]) -> Path:
    """Where a user's own desktop entries lie; a relative XDG_DATA_HOME does not count, as the standard says."""
    named = Path(environment.get("XDG_DATA_HOME", ""))
    return named if named.is_absolute() else Path.home() / ".local" / "share"


def files(folder: Path) -> dict[Path, bytes]:
    """Everything that is put into the folder."""
    entry = TEMPLATE.read_text(encoding="utf-8").format(
        command=quote(str(interpreter())), main=quote(str(ROOT / "main.py")), folder=escape_value(str(ROOT)), mime_type=MIME_TYPE,
        comment=say("desktop-comment", language="en"), comment_zh=say("desktop-comment", language="zh"),
    )
    globs = "\n".join(f'    <glob pattern="*{suffix}"/>' for suffix in SUFFIXES)
    mime = MIME_XML.format(
        type=MIME_TYPE, name=NAME, globs=globs, comment=escape(say("desktop-type", language="en")), comment_zh=escape(say("desktop-type", language="zh")),
    )
    icons = folder / "icons" / "hicolor"
    return {
        folder / "applications" / f"{NAME}.desktop": entry.encode(),
        folder / "mime" / "packages" / f"{NAME}.xml": mime.encode(),
        icons / "scalable" / "apps" / f"{NAME}.svg": (ICONS / f"{NAME}.svg").read_bytes(),
        **{icons / f"{size}x{size}" / "apps" / f"{NAME}.png": (ICONS / f"{NAME}-{size}.png").read_bytes() for size in (48, 128)},
    }


def interpreter() -> Path:
    """The Python outside the environment: the entry must work when .venv has been taken away."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    return Path(base)


def quote(argument: str) -> str:
    """One argument of an Exec line: quoted, `%` doubled, then escaped as every value of an entry is."""
    inner = "".join("\\" + letter if letter in '"`$\\' else letter for letter in argument)
    return escape_value('"' + inner.replace("%", "%%") + '"')


def escape_value(text: str) -> str:
    """A string value of a desktop entry."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def install(folder: Path) -> None:
    """Write each file whole, or not at all."""
    for path, content in files(folder).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".new")
        beside.write_bytes(content)
        beside.replace(path)


def uninstall(folder: Path) -> int:
    """Remove what `install` wrote, and nothing else; says how many files there were."""
    present = [path for path in files(folder) if path.exists()]
    for path in present:
        path.unlink()
    return len(present)


def refresh(folder: Path) -> None:
    """Tell the desktop's own indexes, where they exist; without them it looks for itself."""
    for program, place in (("update-desktop-database", "applications"), ("update-mime-database", "mime")):
        if shutil.which(program) and (folder / place).is_dir():
            subprocess.run([program, str(folder / place)], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

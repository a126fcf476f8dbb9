"""From a run to one HTML page that opens anywhere, without a network."""

from __future__ import annotations

from pathlib import Path

from engine.result import Run

RESOURCES = Path(__file__).resolve().parents[2] / "resources" / "report"


def render(run: Run, language: str = "en", selected: int | None = None) -> str:
    """The page of `run`; `selected` is the row of the headline figures, by default the one with the most items a second."""
    import jinja2

    from engine.report.labels import Labels
    from engine.report.page import context_of

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(RESOURCES), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    parts = {name.replace(".", "_"): (RESOURCES / name).read_text(encoding="utf-8") for name in ("page.css", "page.js")}
    page = environment.get_template("page.html").render(**context_of(run, Labels(language), selected), **parts)
    # A lone surrogate (a file name that is no UTF-8) cannot be written: it becomes the replacement character.
    return page.encode("utf-8", "replace").decode("utf-8")


def write_report(run_path: str | Path, out: str | Path, language: str = "en") -> None:
    """Make the page of the run at `run_path`, whole or not at all; raises HistoryError or StorageError, each with its sentences in `failure`."""
    from engine.history import load_run
    from engine.storage import write_atomically

    run = load_run(Path(run_path))
    write_atomically(Path(out), render(run, language).encode("utf-8"))

"""The tabs beside the results, and what may be pressed there: each capability adds its own."""

from __future__ import annotations

from gui.models.session import Session
from gui.widgets.bench import Bench


def add_lower_tabs(bench: Bench, session: Session) -> None:
    """Give the bench every tab besides the results."""

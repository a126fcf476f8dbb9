"""Models of runs for widgets, and the language and appearance put back."""

from __future__ import annotations

import pytest

from engine import events
from engine.job import PLANS, Configuration, Job, ModelSource
from gui import text, theme
from gui.models.run_model import RunModel
from tests.support.runs import make_model, make_run


@pytest.fixture(autouse=True)
def as_at_the_start(qapp):
    theme.apply_theme(qapp, "light")
    yield
    text.set_language("en")


@pytest.fixture
def done(qapp):
    """A finished run with every kind of outcome."""
    return RunModel.from_run(make_run())


@pytest.fixture
def running(qapp):
    """Two configurations, the first of which runs and has no samples yet."""
    model, info = RunModel(), make_model()
    job = Job("j", ModelSource(info.path, "state-dict"), (), (Configuration(), Configuration(precision="bf16")), PLANS["standard"])
    model.apply(events.JobStarted(job, info, 0, None))
    model.apply(events.PhaseStarted(0, "steady"))
    return model


@pytest.fixture
def show(qtbot):
    """Show a widget at a size, and take it away when the test ends."""

    def shown(widget, width=700, height=300):
        qtbot.addWidget(widget)
        widget.resize(width, height)
        widget.show()
        qtbot.waitExposed(widget)
        return widget

    return shown

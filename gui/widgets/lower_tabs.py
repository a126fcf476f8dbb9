"""The bench with every tab beside the results, and what may be pressed below the table: each capability adds its own."""

from __future__ import annotations

from gui.models.session import Session
from gui.widgets.bench import Bench
from gui.widgets.compare_button import CompareButton
from gui.widgets.compare_pane import ComparePane
from gui.widgets.teaching_pane import TeachingPane


def make_bench(session: Session) -> Bench:
    """The centre of the window, with all its tabs."""
    bench = Bench(session.run)
    add_compare(bench, session)
    add_teaching(bench, session)
    return bench


def add_compare(bench: Bench, session: Session) -> None:
    """The Compare tab, and the button that leads there."""
    pane = ComparePane(session.comparisons)
    bench.add_tab(pane, "pane.compare")
    bench.buttons.insertWidget(bench.buttons.indexOf(bench.save_button), CompareButton(session.comparisons, session.run, bench.table))
    session.comparisons.began.connect(lambda: bench.tabs.setCurrentWidget(pane))


def add_teaching(bench: Bench, session: Session) -> None:
    """The Switches tab: a teaching run leads there, and another run leads away from it."""
    pane, run = TeachingPane(session.run), session.run
    bench.add_tab(pane, "pane.teaching")

    def lead(state: str) -> None:
        if state == "queued" and run.job is not None and run.job.compare_outputs:
            bench.tabs.setCurrentWidget(pane)
        elif state == "queued" and bench.tabs.currentWidget() is pane:
            bench.tabs.setCurrentIndex(0)

    run.state_changed.connect(lead)
    lead(run.state)

"""What each part of the set-up pane asks for, and who does it."""

from __future__ import annotations

from gui.models.session import Session
from gui.widgets.dialogs import Dialogs
from gui.widgets.setup_pane import SetupPane


def connect_setup(pane: SetupPane, session: Session, dialogs: Dialogs) -> None:
    """Hand the pane's requests to the session, or to a dialog where the user has to answer first."""
    pane.run_requested.connect(session.request_run)
    pane.chips.teach_requested.connect(lambda: session.request_run(teach=True))
    pane.cancel_requested.connect(session.cancel)
    pane.stop_requested.connect(session.stop_now)
    pane.card.class_requested.connect(dialogs.ask_class)
    pane.card.place_chosen.connect(session.discovery.set_place)
    pane.card.stop_requested.connect(session.stop_looking)
    pane.inputs.edited.connect(lambda: session.discovery.on_inputs_edited() if pane.inputs.is_valid else None)
    pane.inputs.find_requested.connect(session.discovery.find_inputs)
    pane.chips.python_chosen.connect(session.choose_python)
    pane.chips.python_browsed.connect(dialogs.ask_python)

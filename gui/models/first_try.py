"""Between the user's yes and the run: inputs that were only guessed are tried first, for nothing of the file has run before."""

from __future__ import annotations

from collections.abc import Callable

from engine.events import ModelExamined
from gui.models.discovery import Discovery
from gui.models.model_entry import ModelEntry
from gui.models.model_list import ModelList


class FirstTry:
    """What is to happen once the guessed inputs of a model were seen to run; a refusal, a stop or another model's turn calls it off."""

    def __init__(self, models: ModelList, discovery: Discovery) -> None:
        self._models, self._discovery = models, discovery
        self._waiting: tuple[ModelEntry, Callable[[], None]] | None = None
        models.looking_changed.connect(self._forget_what_was_ended)

    def before(self, entry: ModelEntry, then: Callable[[], None]) -> None:
        """Do `then` after a try of the current model's inputs; at once where nothing is to be tried."""
        if self._discovery.try_guess(entry):
            self._waiting = entry, then
        else:
            then()

    def on_examined(self, event: ModelExamined) -> None:
        """Take what came of a look, and go on with what waited for it."""
        self._discovery.on_examined(event)
        if self._waiting is None or self._waiting[0].examined is None:
            return
        (entry, then), self._waiting = self._waiting, None
        if entry is self._models.current and entry.examined is not None and entry.examined.failure is None:
            then()

    def _forget_what_was_ended(self) -> None:
        """A look that was ended without an answer begins no run later."""
        if self._waiting is not None and self._waiting[0].looking is None and self._waiting[0].examined is None:
            self._waiting = None

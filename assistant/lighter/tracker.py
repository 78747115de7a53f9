"""A tracker that is copied as it is.

Stands in for ``rasa.shared.core.trackers.DialogueStateTracker``, which is copied, twice a turn, by playing all its
events again from empty slots. That takes the longer the conversation is, and forgets what was set by
events the tracker no longer holds.
"""

from __future__ import annotations

import copy

from rasa.shared.core.trackers import DialogueStateTracker


class LightTracker(DialogueStateTracker):  # type: ignore[misc]  # Rasa is read untyped
    """``copy`` alone is ours."""

    def copy(self) -> LightTracker:
        """Events are shared, since none is ever changed by what happens to a tracker; slots are not."""
        other = copy.copy(self)
        other.events = self.events.copy()
        other.slots = {name: copy.copy(slot) for name, slot in self.slots.items()}
        other.active_loop = copy.copy(self.active_loop)
        # As Rasa's copies, which leave it to the tracker itself to mark events as this model's.
        other.model_id = other.assistant_id = None
        return other

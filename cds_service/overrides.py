"""Which cards were overridden with a reason lately: in memory, bounded, for a day (rules.md M6).

Each worker process remembers for itself, and forgets at a restart: a card is then shown once more, never once too few.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from cards.override_memory import OverrideKey, key_of
from cards.triage import ShownCard
from cds_service.feedback import Feedback

LASTS = timedelta(hours=24)
MOST = 20_000
"""Cards and overrides that are kept; the oldest go first."""


class OverrideMemory(Protocol):
    """What ``respond`` and the feedback address need of a store."""

    def shown(self, patient_id: str, cards: Iterable[tuple[str, ShownCard]], now: datetime) -> None:
        """Cards that leave now, with their uuids."""

    def told(self, feedback: Feedback, now: datetime) -> None:
        """What became of cards."""

    def overridden(self, patient_id: str, now: datetime) -> Callable[[OverrideKey], bool]:
        """Whether this patient's card of that key was overridden with a reason within the day."""


@dataclass(slots=True)
class InProcess:
    """One worker's memory. Nothing of it is written anywhere."""

    _issued: OrderedDict[str, tuple[datetime, str, OverrideKey]] = field(default_factory=OrderedDict, repr=False)
    """Card uuid → when, patient, key."""
    _overridden: OrderedDict[tuple[str, OverrideKey], datetime] = field(default_factory=OrderedDict, repr=False)

    def shown(self, patient_id: str, cards: Iterable[tuple[str, ShownCard]], now: datetime) -> None:
        for uuid, card in cards:
            if key := key_of(card):
                self._issued[uuid] = (now, patient_id, key)
        while len(self._issued) > MOST:
            self._issued.popitem(last=False)

    def told(self, feedback: Feedback, now: datetime) -> None:
        for one in feedback.overridden:
            issued = self._issued.get(one.card)
            if issued and one.with_reason and now - issued[0] <= LASTS:
                self._overridden[issued[1:]] = now
                self._overridden.move_to_end(issued[1:])
        while len(self._overridden) > MOST:
            self._overridden.popitem(last=False)

    def overridden(self, patient_id: str, now: datetime) -> Callable[[OverrideKey], bool]:
        def lately(key: OverrideKey) -> bool:
            since = self._overridden.get((patient_id, key))
            return since is not None and timedelta(0) <= now - since <= LASTS

        return lately

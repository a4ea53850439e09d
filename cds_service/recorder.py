"""Sees to it that what happened is written down before the client hears of it.

A fault in the record of a call is an alarm, and costs no card. A fault in feedback is the client's to know: it is told
200 only when everything is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cards.catalogue import Assessment
from cards.facts import PatientFacts
from cds_service import log, metrics
from cds_service.audit import Clerk, told
from cds_service.audit.told import Issued
from cds_service.card_builder import Built
from cds_service.clients import Caller
from cds_service.comments import Comments
from cds_service.course import Course, Stage
from cds_service.errors import NotKept, status_of
from cds_service.feedback import Entry, Feedback
from cds_service.hooks import HookCall
from cds_service.store import Store, TokenUsedError


class Recorder(Protocol):
    """What ``respond`` needs. Neither raises but ``TokenUsedError``: another call had the token of this one."""

    async def answered(
        self, call: HookCall, course: Course, facts: PatientFacts, assessment: Assessment, built: Built
    ) -> None: ...

    async def failed(self, call: HookCall, course: Course, at: datetime, error: Exception) -> None: ...


class NoRecord:
    """For the command line: nobody is advised."""

    async def answered(
        self, call: HookCall, course: Course, facts: PatientFacts, assessment: Assessment, built: Built
    ) -> None:
        pass

    async def failed(self, call: HookCall, course: Course, at: datetime, error: Exception) -> None:
        pass


@dataclass(frozen=True, slots=True)
class StoreRecorder:
    store: Store
    clerk: Clerk
    comments: Comments | None
    """None: the site keeps no comments."""

    async def answered(
        self, call: HookCall, course: Course, facts: PatientFacts, assessment: Assessment, built: Built
    ) -> None:
        try:
            rows = self.clerk.answered(call, course, facts, assessment, built)
            if not await self.store.write(*rows, use=course.take_use()):
                metrics.call_not_recorded()
        except TokenUsedError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not cost the card
            _not_recorded(error)
        course.done(Stage.RECORD)

    async def failed(self, call: HookCall, course: Course, at: datetime, error: Exception) -> None:
        try:
            rows = self.clerk.failed(call, course, at, status_of(error), error)
            if not await self.store.write(*rows, use=course.take_use()):
                metrics.call_not_recorded()
        except TokenUsedError:
            raise
        except Exception as fault:  # noqa: BLE001  # the client is told of the first error
            _not_recorded(fault)
        course.done(Stage.RECORD)

    async def told(self, feedback: Feedback, caller: Caller, now: datetime) -> None:
        """Returns when it is durable, or raises ``NotKept`` or ``TokenUsedError``."""
        names, client = self.clerk.pseudonyms, caller.client.name
        issued = await self._issued(feedback.entries, client)
        rows = [
            *told.entry_rows(feedback.entries, client, now, names, self.comments),
            *told.override_rows(feedback.entries, client, now, names, issued),
        ]
        if (rows or caller.use) and not await self.store.write(*rows, use=caller.use) and rows:
            raise NotKept(headers={"retry-after": "30"})
        _count(feedback, client, [issued.get(told.name_of(one.card, names)) for one in feedback.entries])

    async def _issued(self, entries: Sequence[Entry], client: str) -> Mapping[str, Issued]:
        """The cards that are known. What is told of one that cannot be found is kept all the same."""
        uuids = [told.name_of(one.card, self.clerk.pseudonyms) for one in entries]
        found = await self.store.issued(client, uuids) if uuids else ()
        return {uuid: Issued(rule, datetime.fromisoformat(at), *hashes) for uuid, rule, at, *hashes in found}


def _not_recorded(error: Exception) -> None:
    log.failed("call not recorded", error)
    metrics.call_not_recorded()


def _count(feedback: Feedback, client: str, issued: Sequence[Issued | None]) -> None:
    for entry, card in zip(feedback.entries, issued, strict=True):
        metrics.feedback_taken(client, card.rule if card else "unknown", entry.outcome.value)
    if feedback.unreadable:
        metrics.feedback_taken(client, "unknown", "unreadable", feedback.unreadable)
    log.event(
        "feedback",
        "warning" if feedback.unreadable else "info",
        client=client,
        entries=len(feedback.entries),
        unreadable=feedback.unreadable,
        unknown_cards=issued.count(None),
    )

"""What a call's prefetch lacks, read from the EHR's FHIR server: with the templates of discovery, all at once, until
one deadline. What has come by then is used, and of the rest is said that it has not.

Kidney results and medicines go first. Pages are followed on the same server only, and the Medication resources that
orders refer to are read in one search.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn
from urllib.parse import quote

from msgspec import Raw

from cds_service import log
from cds_service.answers import Answer
from cds_service.fhir_access import Access
from cds_service.fhir_client import Base, FhirServer, Unread
from cds_service.gather.fhir_values import target
from cds_service.hooks import Draft, HookCall
from cds_service.records import NotAvailable, Received, Records
from cds_service.resources import (
    Medication,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
)  # fmt: skip
from cds_service.warmed import Bodies

HungUp = Callable[[], Coroutine[Any, Any, NoReturn]]
"""Raises when the client is no longer there."""

MOST_PAGES = 20
"""Of one list; a chart that has more counts as incomplete."""
AT_ONCE = 100
"""Medication resources in one search: an address has its limits."""
MOST_SEARCHES = 4
"""For Medication resources; what is beyond counts as unread."""
READ_AGAIN = frozenset({"kidney", "medications"})
"""What the dose hangs on is never taken from order-select as long as the FHIR server can be asked: the prescriber may
just have ordered or stopped a medicine, and a result may just have come."""
IN_TROUBLE = frozenset(
    one.value for one in (Unread.LATE, Unread.RESTING, Unread.UNREACHABLE, Unread.BUSY, Unread.FAILED)
)
"""Why what order-select read may then stand for it after all, as a list that may lack the newest. Not when the server
refuses, or has it no longer."""
STANDS_IN = "what it had sent within the two minutes before was used"
_RANKS: Mapping[str, int] = {"kidney": 0, "medications": 0, "patient": 1}
_LAST = 2
_PATIENT = "{{context.patientId}}"


def searches(templates: Mapping[str, str]) -> dict[str, str]:
    """The prefetch templates as addresses: everything is encoded but the place of the patient's id."""
    return {key: quote(text, safe="{}/?&=,:").replace(_PATIENT, "{patient}") for key, text in templates.items()}


async def complete(call: HookCall, received: Received, access: Access, hung_up: HungUp) -> HookCall:
    """Adds to ``received``. The call comes back as if all had been prefetched: a suggestion that stops an order of the
    chart repeats it as it came. Raises what ``hung_up`` raises."""
    unmet = [key for key in received.unmet() if key in access.searches]
    paged = [answer for answer in received.answers() if answer.next_page]
    if not unmet and not paged and not _unread_medications(call, received, access.base):
        return call
    with access.client.server(access.base, access.token, access.deadline) as server:
        reading = _Reading(call, received, server, access.searches, access.earlier.bodies)
        await _all(reading.works(unmet, paged), hung_up)
        access.earlier.keep(reading.bodies)
        log.fhir_server_read(server.asked, server.read)
    return replace(call, prefetch={**call.prefetch, **reading.bodies})


async def with_medications_of_drafts(call: HookCall, access: Access, hung_up: HungUp) -> HookCall:
    """The call as if the Medications that its drafts refer to had come among the drafts, as some EHRs send them."""
    received = Received(call.patient_id)
    if not _unread_medications(call, received, access.base):
        return call
    with access.client.server(access.base, access.token, access.deadline) as server:
        await _all([_Reading(call, received, server, access.searches).medications()], hung_up)
    found = [one for answer in received.unnamed for one in answer.others if isinstance(one, Medication)]
    return replace(call, drafts=(*call.drafts, *(Draft(one, {}) for one in found)))


@dataclass(frozen=True, slots=True)
class _Reading:
    call: HookCall
    received: Received
    server: FhirServer
    searches: Mapping[str, str]
    earlier: Bodies = field(default_factory=dict, repr=False)
    bodies: dict[str, Raw] = field(default_factory=dict, repr=False)
    """By address."""

    def works(self, unmet: list[str], paged: list[Answer]) -> list[Coroutine[Any, Any, None]]:
        """Started in this order."""
        listed = {id(answer) for answer in self.received.by_key.get("medications", ())}
        keys = sorted({*unmet, "medications"}, key=lambda key: (_RANKS.get(key, _LAST), key))
        works = [self._medicines(unmet, [one for one in paged if id(one) in listed]) if key == "medications"
                 else self._key(key) for key in keys]  # fmt: skip
        return works + [self._pages(answer, "", _LAST, self._get) for answer in paged if id(answer) not in listed]

    async def _medicines(self, unmet: list[str], paged: list[Answer]) -> None:
        """The list first, then the Medication resources that it refers to."""
        if "medications" in unmet:
            await self._key("medications")
        await asyncio.gather(*(self._pages(answer, "", _RANKS["medications"], self._get) for answer in paged))
        await self.medications()

    async def _key(self, key: str) -> None:
        earlier = await self._answer(key, self._read_before) if self.earlier else None
        if earlier is not None and key not in READ_AGAIN and _is_whole(earlier.records()):
            self.received.replace(key, earlier)
            return
        answer = await self._answer(key, self._get)
        if earlier is not None and isinstance(earlier.records(), Records) and answer.failure in IN_TROUBLE:
            earlier.stale = f"{answer.failure}; {STANDS_IN}"
            answer = earlier
        self.received.replace(key, answer)

    async def _answer(self, key: str, get: _Get) -> Answer:
        rank = _RANKS.get(key, _LAST)
        search = self.searches[key].format(patient=quote(self.call.patient_id, safe=""))
        answer = self.received.blank(key)
        _read(answer, await get(search, rank))
        await self._pages(answer, f"{self.server.base}/{search}", rank, get)
        return answer

    async def _pages(self, answer: Answer, asked: str, rank: int, get: _Get) -> None:
        """Whatever comes in time; the list stays incomplete when it is not the last page."""
        asked = asked or f"{self.server.base}/"
        seen: set[str] = set()
        while answer.next_page and len(seen) < MOST_PAGES:
            url = self.server.base.join(answer.next_page, asked)
            if url is None or url in seen:
                return
            seen.add(url)
            body = await get(url, rank)
            if isinstance(body, Unread):
                return
            answer.read_next_page(body)
            asked = url

    async def medications(self) -> None:
        wanted = _unread_medications(self.call, self.received, self.server.base)[: MOST_SEARCHES * AT_ONCE]
        await asyncio.gather(*(self._named(wanted[at : at + AT_ONCE]) for at in range(0, len(wanted), AT_ONCE)))

    async def _named(self, wanted: list[str]) -> None:
        one = f"Medication/{wanted[0]}"
        search = one if len(wanted) == 1 else f"Medication?_id={','.join(wanted)}&_count={len(wanted)}"
        answer = self.received.blank(None)
        _read(answer, await self._get(search, _RANKS["medications"]))
        self.received.unnamed.append(answer)
        await self._pages(answer, f"{self.server.base}/{search}", _RANKS["medications"], self._get)

    async def _get(self, url: str, rank: int) -> Raw | Unread:
        body = await self.server.get(url, rank)
        if isinstance(body, Unread):
            return body
        self.bodies[url] = Raw(body)
        return self.bodies[url]

    async def _read_before(self, url: str, _: int) -> Raw | Unread:
        body = self.earlier.get(url)
        if body is None:
            return Unread.NOT_FOUND
        self.bodies[url] = body
        return body


_Get = Callable[[str, int], Awaitable[Raw | Unread]]
"""Of an address, with its rank."""


def _is_whole(found: Records | NotAvailable) -> bool:
    return isinstance(found, Records) and not found.incomplete


def _read(answer: Answer, body: Raw | Unread) -> None:
    if isinstance(body, Unread):
        answer.failure = body.value
    else:
        answer.read(body)


# --------------------------------------------------------------------------------------------- references to medicines


def _unread_medications(call: HookCall, received: Received, base: Base) -> list[str]:
    """Ids of Medication resources that orders refer to and that did not come; each once, in the order found."""
    listed = [*received.unnamed, *received.by_key.get("medications", ())]
    everything = [draft.resource for draft in call.drafts]
    for answer in listed:
        everything += answer.matches
        everything += answer.others
    referring = [identity for one in everything if isinstance(one, _REFERRING) for identity in _refers_to(one, base)]
    if not referring:
        return []
    known = {one.id for one in everything if isinstance(one, Medication)}
    urls = {draft.full_url.rpartition("/")[2] for draft in call.drafts if isinstance(draft.resource, Medication)}
    return [identity for identity in dict.fromkeys(referring) if identity not in known | urls]


_Referring = MedicationRequest | MedicationStatement | MedicationDispense
_REFERRING = (MedicationRequest, MedicationStatement, MedicationDispense)


def _refers_to(resource: _Referring, base: Base) -> Iterator[str]:
    """To a Medication of this server: never to one elsewhere (checklist F11)."""
    if resource.medicationReference is None and resource.medication is None:
        return
    for reference in (resource.medicationReference, resource.medication.reference if resource.medication else None):
        pointed = target(reference.reference) if reference else None
        if pointed is None or pointed.contained or pointed.type not in ("Medication", "") or ":" in pointed.id:
            continue
        if (not pointed.base or Base.of(pointed.base) == base) and _is_id(pointed.id):
            yield pointed.id


def _is_id(text: str) -> bool:
    return text.isascii() and text.replace("-", "").replace(".", "").replace("_", "").replace("~", "").isalnum()


# ------------------------------------------------------------------------------------------------------------ together


async def _all(works: Iterable[Coroutine[Any, Any, None]], hung_up: HungUp) -> None:
    """Side by side; each ends by the deadline by itself. When the client hangs up, all end at once."""
    tasks = [asyncio.create_task(work) for work in works]
    gone = asyncio.create_task(hung_up())
    try:
        pending = set(tasks)
        while pending:
            done, _ = await asyncio.wait({*pending, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone in done:
                gone.result()
            pending -= done
    finally:
        for task in (*tasks, gone):
            task.cancel()
        await asyncio.gather(*tasks, gone, return_exceptions=True)
    for task in tasks:
        task.result()

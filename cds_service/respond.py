"""One hook call from start to finish. Read this first: it is the table of contents of the service."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from cards.catalogue import Assessment, Catalogue
from cards.facts import Jurisdiction, PatientFacts
from cards.override_memory import without_overridden
from cds_service import gather, log, metrics, records
from cds_service.card_builder import Built, cards_for, encode
from cds_service.completion import HungUp, complete, with_medications_of_drafts
from cds_service.dialects import Dialect
from cds_service.fhir_access import Access, NoAccess, Reading
from cds_service.gather.codes import Codes
from cds_service.gather.orders import concerns_baclofen, has_unread, read_orders
from cds_service.hooks import HookCall
from cds_service.overrides import InProcess, OverrideMemory
from cds_service.records import NOT_READ, PatientRecords

NOTHING_TO_SAY = b'{"cards":[]}'


@dataclass(frozen=True, slots=True)
class Deps:
    """What a call needs beside itself; wired in ``app.create_app``."""

    catalogue: Catalogue
    codes: Codes
    clock: Callable[[], datetime]
    """Now, in UTC; fixed by BACLOFEN_CDS_TODAY in sandbox mode."""
    aliases: records.Aliases
    reading: Reading | None
    """What may be read from FHIR servers; None: nothing."""
    content_url: str
    """Where a reader finds the clinical content, "https://.../content"; empty when the site has named no address."""
    jurisdiction: Jurisdiction
    dialect: Dialect = Dialect.GENERIC
    overrides: OverrideMemory = field(default_factory=InProcess)


@dataclass(frozen=True, slots=True)
class Consultation:
    """Everything that was found on the way, for explain."""

    records: PatientRecords
    facts: PatientFacts
    assessment: Assessment
    built: Built


async def respond(call: HookCall, hung_up: HungUp, deps: Deps) -> bytes:
    """The CDS Hooks response to one call, encoded. Waits for nothing but what the prefetch lacks."""
    call, found = await read(call, hung_up, deps)
    return NOTHING_TO_SAY if found is None else encode(consult(call, found, deps).built.cards)


async def read(call: HookCall, hung_up: HungUp, deps: Deps) -> tuple[HookCall, PatientRecords | None]:
    """The call with what was read for it, and the records; None: no draft can be baclofen, and nothing is asked."""
    access = deps.reading.access(call, get_running_loop().time()) if deps.reading else NoAccess()
    if not concerns_baclofen(call, deps.codes):
        if isinstance(access, Access):
            call = await with_medications_of_drafts(call, access, hung_up)
        if not concerns_baclofen(call, deps.codes):
            return call, NOT_READ if has_unread(call, deps.codes) else None
    received = records.Received.prefetched(call, deps.aliases)
    if isinstance(access, Access):
        call = await complete(call, received, access, hung_up)
    elif access.reason and received.unmet():
        log.fhir_server_not_read(access.reason)
    return call, received.records()


def consult(call: HookCall, found: PatientRecords, deps: Deps) -> Consultation:
    """Facts, assessment, cards: each step is a value that the next one reads."""
    now = deps.clock()
    orders = read_orders(call, found, deps.codes, now)
    facts = gather.facts(call, orders, found, deps.codes, now, jurisdiction=deps.jurisdiction)
    assessment = deps.catalogue.assess(facts)
    shown = without_overridden(assessment.triaged, deps.overrides.overridden(call.patient_id, now))
    assessment = replace(assessment, triaged=shown)
    built = cards_for(assessment, deps.catalogue, call, orders.products, deps.content_url, dialect=deps.dialect)
    cards = zip((card["uuid"] for card in built.cards), shown.cards, strict=True)
    deps.overrides.shown(call.patient_id, cards, now)
    _tell_operator(assessment, built)
    return Consultation(found, facts, assessment, built)


def _tell_operator(assessment: Assessment, built: Built) -> None:
    for rule, error in assessment.broken:
        log.rule_failed(rule, error)
        metrics.rule_failed(rule)
    for rule, proposal in built.not_offered:
        if proposal.invalid:
            log.suggestion_invalid(rule)
    for card in assessment.triaged.cards:
        metrics.card_shown(card.rule, str(card.indicator))

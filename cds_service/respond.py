"""One hook call from start to finish. Read this first: it is the table of contents of the service."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from cards.catalogue import Assessment, Catalogue
from cards.facts import Jurisdiction, PatientFacts
from cards.outcome import CannotAssess
from cards.override_memory import may_stay_away, without_overridden
from cds_service import gather, log, metrics, records
from cds_service.aside import aside
from cds_service.audit.facts_used import missing
from cds_service.card_builder import Built, cards_for, encode
from cds_service.completion import HungUp, complete, with_medications_of_drafts
from cds_service.course import Course, Stage
from cds_service.dialects import Dialect
from cds_service.fhir_access import Access, NoAccess, Reading
from cds_service.gather.codes import Codes
from cds_service.gather.orders import concerns_baclofen, has_unread, read_orders
from cds_service.hooks import HookCall
from cds_service.overrides import NothingOverridden, Overridden, OverrideMemory, nothing
from cds_service.recorder import NoRecord, Recorder
from cds_service.records import NOT_READ, PatientRecords
from cds_service.suggestions import OrderedProduct

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
    overrides: OverrideMemory = field(default_factory=NothingOverridden)
    recorder: Recorder = field(default_factory=NoRecord)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the clinic makes of what was read."""

    records: PatientRecords
    facts: PatientFacts
    assessment: Assessment
    products: Mapping[str, OrderedProduct]
    """Of each draft, by its reference."""


@dataclass(frozen=True, slots=True)
class Consultation:
    """Everything that was found on the way, for explain."""

    records: PatientRecords
    facts: PatientFacts
    assessment: Assessment
    built: Built


async def respond(call: HookCall, course: Course, hung_up: HungUp, deps: Deps) -> bytes:
    """The CDS Hooks response to one call, encoded. What it says, or why it is none, is on record before it leaves."""
    try:
        call, found = await read(call, hung_up, deps, course)
        if found is None:
            return NOTHING_TO_SAY
        judged = await aside(call.size, judge, call, found, deps, course)
        overridden = await _overridden(call, course, judged, deps)
        told = await aside(call.size, tell, call, judged, deps, overridden, course)
        answer = encode(told.built.cards)
    except Exception as error:
        if _may_concern_baclofen(call, deps):
            await deps.recorder.failed(call, course, deps.clock(), error)
        raise
    await deps.recorder.answered(call, course, told.facts, told.assessment, told.built)
    _tell_operator(course.client, told)
    return answer


async def read(
    call: HookCall, hung_up: HungUp, deps: Deps, course: Course | None = None
) -> tuple[HookCall, PatientRecords | None]:
    """The call with what was read for it, and the records; None: no draft can be baclofen, and nothing is asked."""
    course = course or Course()
    access = deps.reading.access(call, get_running_loop().time()) if deps.reading else NoAccess()
    if not concerns_baclofen(call, deps.codes):
        if isinstance(access, Access):
            call = await with_medications_of_drafts(call, access, hung_up)
        if isinstance(access, NoAccess) or not concerns_baclofen(call, deps.codes):
            return call, NOT_READ if has_unread(call, deps.codes) else None
    received = await aside(call.size, records.Received.prefetched, call, deps.aliases)
    course.done(Stage.PREFETCH)
    if isinstance(access, Access):
        call = await complete(call, received, access, hung_up)
        course.done(Stage.FHIR)
    elif access.reason and received.unmet():
        log.fhir_server_not_read(access.reason)
    return call, received.records()


def consult(call: HookCall, found: PatientRecords, deps: Deps) -> Consultation:
    """From the records to the cards, where no prescriber is asked: for the command line."""
    course = Course()
    return tell(call, judge(call, found, deps, course), deps, nothing, course)


def judge(call: HookCall, found: PatientRecords, deps: Deps, course: Course) -> Judged:
    """Facts, and what the clinic makes of them."""
    now = deps.clock()
    orders = read_orders(call, found, deps.codes, now)
    facts = gather.facts(call, orders, found, deps.codes, now, jurisdiction=deps.jurisdiction)
    course.done(Stage.FACTS)
    assessment = deps.catalogue.assess(facts)
    course.done(Stage.RULES)
    return Judged(found, facts, assessment, orders.products)


async def _overridden(call: HookCall, course: Course, judged: Judged, deps: Deps) -> Overridden:
    """Asked for only where it could matter."""
    if not may_stay_away(judged.assessment.triaged):
        return nothing
    overridden = await deps.overrides.of(course.client, course.tenant, call.patient_id, judged.facts.now)
    course.done(Stage.OVERRIDES)
    return overridden


def tell(call: HookCall, judged: Judged, deps: Deps, overridden: Overridden, course: Course) -> Consultation:
    """The cards, without those that were overridden lately."""
    shown = without_overridden(judged.assessment.triaged, overridden)
    assessment = replace(judged.assessment, triaged=shown)
    built = cards_for(assessment, deps.catalogue, call, judged.products, deps.content_url, dialect=deps.dialect)
    course.done(Stage.CARDS)
    return Consultation(judged.records, judged.facts, assessment, built)


def _may_concern_baclofen(call: HookCall, deps: Deps) -> bool:
    try:
        return concerns_baclofen(call, deps.codes) or has_unread(call, deps.codes)
    except Exception:  # noqa: BLE001  # what cannot be read may be baclofen
        return True


def _tell_operator(client: str, told: Consultation) -> None:
    assessment = told.assessment
    for rule, error in assessment.broken:
        log.rule_failed(rule, error)
        metrics.rule_failed(rule)
    for rule, proposal in told.built.not_offered:
        if proposal.invalid:
            log.suggestion_invalid(rule)
    metrics.baclofen_call(client, len(told.built.cards))
    for card in assessment.triaged.cards:
        metrics.card_shown(client, card.rule, str(card.indicator))
    for card in assessment.silent:
        metrics.card_kept_silent(client, card.rule, str(card.indicator))
    for _, outcome in assessment.outcomes:
        if isinstance(outcome, CannotAssess):
            metrics.not_assessed(client, outcome.rule)
    for item, why in missing(told.facts).items():
        metrics.input_missing(client, item, why)

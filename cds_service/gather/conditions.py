"""Problems and procedures: which classes each entry belongs to, whether it is current, and of when it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from msgspec import Raw, UnsetType

from cards.facts import ChartText, Input, Missing, Origin, Problem, ProblemEntry, ProblemList, Why
from cds_service.gather.codes import Codes, Recognition
from cds_service.gather.fhir_values import codings, exact_day, is_nameless, texts, when
from cds_service.gather.lookup import Kept, codes_of
from cds_service.records import NotAvailable, PatientRecords, Records
from cds_service.resources import UNREADABLE, CodeableConcept, Condition, Period, Procedure, Resource

_CLASSES = {problem.value: problem for problem in Problem}
_PAST = frozenset({"inactive", "remission", "resolved"})
_CURRENT = frozenset({"active", "recurrence", "relapse"})
_NOT_THE_CASE = frozenset({"entered-in-error", "refuted"})
_PERFORMED = frozenset({"completed", "in-progress"})


def problems(records: PatientRecords, codes: Codes, now: datetime) -> ProblemList | Missing:
    """Conditions. Resolved ones stay as history; refuted ones and errors do not count."""
    today, classes, unknown = now.date(), codes.problems_as(_classified), codes.problems_as(_is_unknown)
    found: list[ProblemEntry | None] = []
    unread = 0
    for one in _everything(records.conditions):
        if isinstance(one, Condition):
            code = codes_of(one.code)
            found.append(_problem(one, classes[code], today))
            unread += unknown[code] is not False and _may_be_current(one)
    found += [
        _problem(one, classes[codes_of(one.code)], today)
        for one in records.others.resources
        if isinstance(one, Condition)
    ]
    gap = f"entries without a code that is known here: {unread}" if unread else ""
    return _listed(Input.PROBLEMS, records.conditions, found, gap)


def procedures(records: PatientRecords, codes: Codes, now: datetime) -> ProblemList | Missing:
    """Procedures that were performed; one that is still in progress is active."""
    today, classes = now.date(), codes.problems_as(_classified)
    found = [
        _procedure(procedure, classes[codes_of(procedure.code)], today)
        for procedure in _everything(records.procedures, records.others)
        if isinstance(procedure, Procedure)
    ]
    unread = sum(
        isinstance(one, Procedure) and one.status in _PERFORMED and is_nameless(one.code)
        for one in _everything(records.procedures)
    )
    gap = f"entries without a name and a code: {unread}" if unread else ""
    return _listed(Input.PROCEDURES, records.procedures, found, gap)


def _everything(*sources: Records | NotAvailable) -> Iterator[Resource]:
    for source in sources:
        if isinstance(source, Records):
            yield from source.resources


def _may_be_current(condition: Condition) -> bool:
    return not (
        status_codes(condition.verificationStatus) & _NOT_THE_CASE or status_codes(condition.clinicalStatus) & _PAST
    )


def _is_unknown(recognised: Recognition) -> bool:
    """Words alone, or codes of systems that we do not hold: it may be anything, dialysis too."""
    return not (recognised.covered or recognised.value_sets)


def _listed(
    what: Input, sent: Records | NotAvailable, found: Sequence[ProblemEntry | None], gap: str
) -> ProblemList | Missing:
    """Entries under keys that we did not name count too, but do not make up for a list that was not sent.

    ``gap``: how many entries nobody can read; empty when there is none.
    """
    entries = _each_once([entry for entry in found if entry is not None])
    if isinstance(sent, Records):
        return ProblemList(entries, sent.incomplete or gap)
    return ProblemList(entries, sent.reason) if entries else Missing(what, Why.NOT_AVAILABLE, sent.reason)


def _each_once(entries: list[ProblemEntry]) -> tuple[ProblemEntry, ...]:
    if len({entry.origin.resource for entry in entries}) == len(entries):
        return tuple(entries)
    return tuple(dict.fromkeys(entries))


@dataclass(frozen=True, slots=True)
class _Classified:
    """What a code that is in at least one class says."""

    kinds: frozenset[Problem]
    flags: frozenset[str]
    coding: str


def _classified(recognised: Recognition) -> _Classified | None:
    kinds = kinds_in(recognised)
    flags = frozenset[str]().union(*(recognised.value_sets[kind.value] for kind in kinds))
    return _Classified(kinds, flags, recognised.coding) if kinds else None


def _problem(condition: Condition, classified: _Classified | None, today: date) -> ProblemEntry | None:
    if classified is None or status_codes(condition.verificationStatus) & _NOT_THE_CASE:
        return None
    status = status_codes(condition.clinicalStatus)
    abated = when(condition.abatementDateTime)
    past = bool(status & _PAST) or (not status & _CURRENT and abated is not None and abated.earliest.date() <= today)
    dates = (
        condition.onsetDateTime, _start(condition.onsetPeriod), condition.recordedDate, condition.assertedDate,
        condition.dateRecorded,
    )  # fmt: skip
    recorded = _newest(dates, classified.kinds, today)
    return _entry("Condition", condition, classified, active=not past, recorded=recorded)


def _procedure(procedure: Procedure, classified: _Classified | None, today: date) -> ProblemEntry | None:
    if classified is None or procedure.status not in _PERFORMED:
        return None
    dates = (
        procedure.performedDateTime, procedure.occurrenceDateTime,
        *_both(procedure.performedPeriod), *_both(procedure.occurrencePeriod),
    )  # fmt: skip
    recorded = _newest(dates, classified.kinds, today)
    return _entry("Procedure", procedure, classified, active=procedure.status == "in-progress", recorded=recorded)


def kinds_in(recognised: Recognition) -> frozenset[Problem]:
    return frozenset(_CLASSES[value_set] for value_set in recognised.value_sets if value_set in _CLASSES)


def _entry(
    type_: str, resource: Condition | Procedure, classified: _Classified, *, active: bool, recorded: date | None
) -> ProblemEntry:
    return ProblemEntry(
        kinds=classified.kinds,
        label=named(resource.code, classified.coding),
        active=active,
        recorded=recorded,
        flags=classified.flags,
        origin=Origin(f"{type_}/{resource.id}" if resource.id else type_, classified.coding),
    )


def named(concept: CodeableConcept | None, code: str) -> ChartText:
    """The clinician's words, else the display of a code, else the code."""
    if concept is not None and concept.text and not concept.text.isspace():
        return ChartText.clean(concept.text)
    displays = (coding.display for coding in codings(concept))
    return ChartText.clean(next(texts(*displays, code), "unnamed"))


def status_codes(raw: Raw | UnsetType) -> frozenset[str]:
    """Status codes, from a CodeableConcept (R4) or a code (STU3, DSTU2); a text only when there is no code. None of a
    malformed element: the entry then counts. Few are in use, so what they say is kept."""
    return frozenset() if isinstance(raw, UnsetType) else _STATUS_CODES[bytes(raw)]


def _status_codes(written: bytes) -> frozenset[str]:
    try:
        value = _decode_status(written)
    except UNREADABLE:
        return frozenset()
    if value is None or isinstance(value, str):
        return normal(value or "")
    coded = codings(value)
    if len(coded) == 1 and isinstance(code := coded[0].code, str) and code:
        return normal(code)
    codes = frozenset(str(coding.code).strip().lower() for coding in coded if coding.code is not None)
    return codes or normal(value.text or "")


_STATUS_CODES = Kept(_status_codes, 256)
_decode_status = msgspec.json.Decoder(CodeableConcept | str | None).decode


def normal(status: str) -> frozenset[str]:
    status = status.strip().lower()
    return frozenset((status,)) if status else frozenset()


def _newest(dates: tuple[str | None, ...], kinds: frozenset[Problem], today: date) -> date | None:
    """The newest exact day. Where there are only months or years, the end of the span that keeps the guard up.

    A transplant lifts dialysis, so it is as old as it can be; anything else is as recent as it can be.
    """
    given = [text for text in dates if text]
    exact = [day for text in given if (day := exact_day(text)) is not None]
    if len(exact) == len(given):
        return max(exact, default=None)
    read = [moment for text in given if (moment := when(text)) is not None]
    exact = [moment.day for moment in read if moment.day is not None]
    if exact:
        return max(exact)
    if Problem.KIDNEY_TRANSPLANT in kinds:
        return max((moment.earliest.date() for moment in read), default=None)
    return max((max(moment.earliest.date(), min(moment.latest.date(), today)) for moment in read), default=None)


def _start(period: Period | None) -> str | None:
    return period.start if period else None


def _both(period: Period | None) -> tuple[str | None, str | None]:
    return (period.start, period.end) if period else (None, None)

"""Problems and procedures: which classes each entry belongs to, whether it is current, and of when it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from cards.facts import ChartText, Input, Missing, Origin, Problem, ProblemEntry, ProblemList, Why
from cds_service.gather.codes import Codes, Recognition
from cds_service.gather.fhir_values import many, texts, when
from cds_service.records import NotAvailable, PatientRecords, Records
from cds_service.resources import CodeableConcept, Condition, Period, Procedure, Resource

_CLASSES = {problem.value: problem for problem in Problem}
_PAST = frozenset({"inactive", "remission", "resolved"})
_CURRENT = frozenset({"active", "recurrence", "relapse"})
_NOT_THE_CASE = frozenset({"entered-in-error", "refuted"})
_PERFORMED = frozenset({"completed", "in-progress"})


def problems(records: PatientRecords, codes: Codes, now: datetime) -> ProblemList | Missing:
    """Conditions. Resolved ones stay as history; refuted ones and errors do not count."""
    found = (
        _problem(condition, codes, now.date())
        for condition in _everything(records.conditions, records.others)
        if isinstance(condition, Condition)
    )
    return _listed(Input.PROBLEMS, records.conditions, found)


def procedures(records: PatientRecords, codes: Codes, now: datetime) -> ProblemList | Missing:
    """Procedures that were performed; one that is still in progress is active."""
    found = (
        _procedure(procedure, codes, now.date())
        for procedure in _everything(records.procedures, records.others)
        if isinstance(procedure, Procedure)
    )
    return _listed(Input.PROCEDURES, records.procedures, found)


def _everything(*sources: Records | NotAvailable) -> Iterator[Resource]:
    for source in sources:
        if isinstance(source, Records):
            yield from source.resources


def _listed(what: Input, sent: Records | NotAvailable, found: Iterator[ProblemEntry | None]) -> ProblemList | Missing:
    """Entries under keys that we did not name count too, but do not make up for a list that was not sent."""
    entries = tuple(dict.fromkeys(entry for entry in found if entry is not None))
    if isinstance(sent, Records):
        return ProblemList(entries, sent.incomplete)
    return ProblemList(entries, sent.reason) if entries else Missing(what, Why.NOT_AVAILABLE, sent.reason)


def _problem(condition: Condition, codes: Codes, today: date) -> ProblemEntry | None:
    if status_codes(condition.verificationStatus) & _NOT_THE_CASE:
        return None
    recognised = codes.problem(condition.code)
    kinds = kinds_in(recognised)
    if not kinds:
        return None
    status = status_codes(condition.clinicalStatus)
    abated = when(condition.abatementDateTime)
    past = bool(status & _PAST) or (not status & _CURRENT and abated is not None and abated.earliest.date() <= today)
    dates = (
        condition.onsetDateTime, _start(condition.onsetPeriod), condition.recordedDate, condition.assertedDate,
        condition.dateRecorded,
    )  # fmt: skip
    return _entry(
        "Condition", condition.id, condition.code, recognised, kinds, active=not past,
        recorded=_newest(dates, kinds, today),
    )  # fmt: skip


def _procedure(procedure: Procedure, codes: Codes, today: date) -> ProblemEntry | None:
    if procedure.status not in _PERFORMED:
        return None
    recognised = codes.problem(procedure.code)
    kinds = kinds_in(recognised)
    if not kinds:
        return None
    dates = (
        procedure.performedDateTime, procedure.occurrenceDateTime,
        *_both(procedure.performedPeriod), *_both(procedure.occurrencePeriod),
    )  # fmt: skip
    return _entry(
        "Procedure", procedure.id, procedure.code, recognised, kinds, active=procedure.status == "in-progress",
        recorded=_newest(dates, kinds, today),
    )  # fmt: skip


def kinds_in(recognised: Recognition) -> frozenset[Problem]:
    return frozenset(_CLASSES[value_set] for value_set in recognised.value_sets if value_set in _CLASSES)


def _entry(
    type_: str,
    id_: str | None,
    concept: CodeableConcept | None,
    recognised: Recognition,
    kinds: frozenset[Problem],
    *,
    active: bool,
    recorded: date | None,
) -> ProblemEntry:
    return ProblemEntry(
        kinds=kinds,
        label=named(concept, recognised),
        active=active,
        recorded=recorded,
        flags=frozenset[str]().union(*(recognised.value_sets[kind.value] for kind in kinds)),
        origin=Origin(f"{type_}/{id_}" if id_ else type_, recognised.coding, recognised.by_text),
    )


def named(concept: CodeableConcept | None, recognised: Recognition) -> ChartText:
    """The clinician's words, else the display of a code, else the code."""
    codings = many(concept.coding) if concept else ()
    words = texts(concept.text if concept else None, *(coding.display for coding in codings), recognised.coding)
    return ChartText.clean(next(words, "unnamed"))


def status_codes(value: CodeableConcept | str | None) -> frozenset[str]:
    """Status codes, from a CodeableConcept (R4) or a code (STU3, DSTU2); a text only when there is no code."""
    if value is None or isinstance(value, str):
        return frozenset(text.lower() for text in texts(value))
    codes = frozenset(str(coding.code).strip().lower() for coding in many(value.coding) if coding.code is not None)
    return codes or frozenset(text.lower() for text in texts(value.text))


def _newest(dates: tuple[str | None, ...], kinds: frozenset[Problem], today: date) -> date | None:
    """The newest exact day. Where there are only months or years, the end of the span that keeps the guard up.

    A transplant lifts dialysis, so it is as old as it can be; anything else is as recent as it can be.
    """
    read = [moment for moment in map(when, dates) if moment is not None]
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

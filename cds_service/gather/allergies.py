"""The allergy list: what is recorded about baclofen, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from cards.facts import Allergy, ChartText, Input, Missing, Origin, Problem, Why
from cds_service.gather.codes import BACLOFEN, Codes, Recognition
from cds_service.gather.conditions import kinds_in, named, normal, status_codes
from cds_service.gather.fhir_values import codings, first_when, is_nameless, many, texts
from cds_service.records import NotAvailable, PatientRecords, Records
from cds_service.resources import AllergyIntolerance, CodeableConcept, Reaction

_OVER = frozenset({"inactive", "resolved", "refuted", "entered-in-error"})
"""Clinical and verification status with which an entry no longer counts; without any status it does."""


def allergies(records: PatientRecords, codes: Codes, now: datetime) -> tuple[Allergy, ...] | Missing:
    """Missing when the list could not be read, or not whole, and shows no baclofen."""
    sent = records.allergies
    resources = (*(sent.resources if isinstance(sent, Records) else ()), *records.others.resources)
    entries = [_allergy(one, codes, now.date()) for one in resources if isinstance(one, AllergyIntolerance)]
    found = tuple(dict.fromkeys(entry for entry in entries if entry is not None))
    nameless = sum(isinstance(one, AllergyIntolerance) and _is_nameless(one) for one in resources)
    gap = sent.reason if isinstance(sent, NotAvailable) else sent.incomplete
    gap = gap or (f"entries without a name and a code: {nameless}" if nameless else "")
    return Missing(Input.ALLERGIES, Why.NOT_AVAILABLE, gap) if gap and not found else found


def _is_over(entry: AllergyIntolerance) -> bool:
    statuses = (status_codes(entry.clinicalStatus), status_codes(entry.verificationStatus), normal(entry.status or ""))
    return any(codes & _OVER for codes in statuses)


def _is_nameless(entry: AllergyIntolerance) -> bool:
    """It may be about any drug."""
    return not _is_over(entry) and all(is_nameless(concept) for concept in _allergens(entry))


def _allergy(entry: AllergyIntolerance, codes: Codes, today: date) -> Allergy | None:
    if _is_over(entry):
        return None
    recognised = next((found for concept in _allergens(entry) if (found := _as_baclofen(concept, codes))), None)
    if recognised is None:
        return None
    manifestations = [one for reaction in many(entry.reaction) for one in _manifestations(reaction)]
    recorded = first_when(entry.recordedDate, entry.assertedDate, entry.onsetDateTime)
    return Allergy(
        label=named(entry.code or entry.substance, recognised.coding),
        intolerance=status_codes(entry.type) == {"intolerance"},
        reactions=tuple(dict.fromkeys((*_words(manifestations), *_descriptions(entry)))),
        reaction_kinds=frozenset[Problem]().union(*(kinds_in(codes.problem(one)) for one in manifestations)),
        recorded=min(recorded.earliest.date(), today) if recorded else None,
        origin=Origin(
            f"AllergyIntolerance/{entry.id}" if entry.id else "AllergyIntolerance",
            recognised.coding,
            recognised.by_text,
        ),
        recorder=_recorder(entry),
    )


def _allergens(entry: AllergyIntolerance) -> Iterator[CodeableConcept | None]:
    """What the entry names, and the exact substance of each reaction."""
    yield entry.code
    yield entry.substance
    for reaction in many(entry.reaction):
        yield reaction.substance


def _as_baclofen(concept: CodeableConcept | None, codes: Codes) -> Recognition | None:
    found = codes.allergen(concept)
    return found if BACLOFEN & found.value_sets.keys() else None


def _manifestations(reaction: Reaction) -> Iterator[CodeableConcept]:
    for one in many(reaction.manifestation):
        yield one.concept or one


def _words(manifestations: list[CodeableConcept]) -> Iterator[ChartText]:
    for one in manifestations:
        text = next(texts(one.text, *(coding.display for coding in codings(one))), None)
        if text:
            yield ChartText.clean(text)


def _descriptions(entry: AllergyIntolerance) -> Iterator[ChartText]:
    """Where a reaction names no manifestation."""
    for reaction in many(entry.reaction):
        if not many(reaction.manifestation):
            yield from (ChartText.clean(text) for text in texts(reaction.description))


def _recorder(entry: AllergyIntolerance) -> ChartText | None:
    name = next(texts(entry.recorder.display if entry.recorder else None), None)
    return ChartText.clean(name) if name else None

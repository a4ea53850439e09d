"""Pregnancy status and expected date of delivery: the newest word on whether the patient is pregnant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import Enum

from cds_service.gather.codes import Codes, Recognition
from cds_service.gather.fhir_values import codings, texts, when
from cds_service.gather.measured import USABLE, taken
from cds_service.resources import CodeableConcept, Component, Observation

_SET = "pregnancy"
_DUE = "due-date"
_ENDED = frozenset({"puerperium", "sequela", "history-or-remission"})
_LONGEST = timedelta(days=300)
"""No pregnancy lasts longer: a due date beyond it is a slip."""

_PREGNANT = frozenset({"LA15173-0", "77386006", "pregnant"})
_NOT_PREGNANT = frozenset({"LA26683-5", "60001007", "not pregnant"})
_NOT_KNOWN = frozenset({"LA4489-6", "261665006", "UNK", "unknown"})
"""LOINC answers of 82810-3, the SNOMED CT codes beside them, and their whole words."""


class PregnancySign(Enum):
    STATUS = "status"
    DUE_DATE = "due date"


Status = tuple[bool | None, date]


def pregnancy_sign(found: Recognition) -> PregnancySign | None:
    flags = found.value_sets.get(_SET)
    if flags is None:
        return None
    return PregnancySign.DUE_DATE if _DUE in flags else PregnancySign.STATUS


def pregnancy_status(
    signs: Iterable[tuple[PregnancySign, Observation, Observation | Component]], codes: Codes, today: date
) -> Status | None:
    """Of one day: pregnant before an unread answer before not pregnant."""
    found = [status for sign, observation, part in signs if (status := _status(sign, observation, part, codes, today))]
    return max(found, key=lambda status: (status[1], {True: 2, None: 1, False: 0}[status[0]]), default=None)


def _status(
    sign: PregnancySign, observation: Observation, part: Observation | Component, codes: Codes, today: date
) -> Status | None:
    moment = taken(observation)
    if observation.status not in USABLE or moment is None:
        return None
    said_on = max(moment.earliest.date(), min(moment.latest.date(), today))
    if said_on > today:
        return None
    if sign is PregnancySign.STATUS:
        answer = part.valueCodeableConcept
        return (_read(answer, part.valueString, codes), said_on) if _says_something(answer, part.valueString) else None
    due = when(part.valueDateTime)
    if due is None or due.latest.date() <= today:
        return None
    return (True if due.earliest.date() <= today + _LONGEST else None), said_on


def _says_something(answer: CodeableConcept | None, text: str | None) -> bool:
    said = _said(answer, text)
    return bool(said) and not said & _NOT_KNOWN


def _read(answer: CodeableConcept | None, text: str | None, codes: Codes) -> bool | None:
    said = _said(answer, text)
    flags = codes.problem(answer).value_sets.get(_SET)
    pregnant = bool(said & _PREGNANT) or (flags is not None and not flags & _ENDED)
    not_pregnant = bool(said & _NOT_PREGNANT)
    return pregnant if pregnant != not_pregnant else None


def _said(answer: CodeableConcept | None, text: str | None) -> frozenset[str]:
    coded = codings(answer)
    written = texts(text, answer.text if answer else None, *(coding.display for coding in coded))
    codes = (str(coding.code).strip() for coding in coded if coding.code is not None)
    return frozenset((*codes, *(word.casefold() for word in written)))

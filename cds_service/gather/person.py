"""The person: age, the sex that the equations use, and whether the patient has died."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime

from cards.facts import Input, Missing, Sex, Why
from cards.quantities import Age
from cds_service.gather.fhir_values import codings, read_when
from cds_service.records import NotAvailable, PatientRecords
from cds_service.resources import Extension, Patient

_EDGES = (8, 12, 18, 65)
"""Ages at which some rule changes: an inexact birth date is used only while it cannot matter."""
_OLDEST = 130

_FOR_CLINICAL_USE = "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse"
_AT_BIRTH = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
_SEXES = {
    "female": Sex.FEMALE, "male": Sex.MALE, "F": Sex.FEMALE, "M": Sex.MALE,
    "female-typical": Sex.FEMALE, "male-typical": Sex.MALE,
}  # fmt: skip


def age(records: PatientRecords, now: datetime) -> Age | Missing:
    """Completed years on the UTC day of the call."""
    patient = _patient(records)
    if patient is None:
        reason = records.patient.reason if isinstance(records.patient, NotAvailable) else "there is no patient record"
        return Missing(Input.AGE, Why.NOT_AVAILABLE, reason)
    if not patient.birthDate:
        return Missing(Input.AGE, Why.NOT_RECORDED, "no birth date is recorded")
    born = read_when(patient.birthDate.strip().partition("T")[0])
    today = now.date()
    if born is None:
        return _unreadable("the birth date is not a date")
    if born.earliest.date() > today:
        return _unreadable("the birth date is in the future")
    oldest = _years(born.earliest.date(), today)
    youngest = _years(min(born.latest.date(), today), today)
    if youngest > _OLDEST:
        return _unreadable(f"the birth date is more than {_OLDEST} years ago")
    if bisect_right(_EDGES, youngest) != bisect_right(_EDGES, oldest):
        return _unreadable("the birth date is not exact")
    return Age.of(youngest)


def sex(records: PatientRecords) -> Sex:
    """The sex for clinical use if stated, else the recorded gender.

    Unknown, other, and a gender that is not the sex recorded at birth all mean: the equation's sex is not known.
    """
    patient = _patient(records)
    if patient is None:
        return Sex.UNKNOWN
    stated = _for_clinical_use(patient)
    if stated:
        return stated.pop() if len(stated) == 1 else Sex.UNKNOWN
    gender = _SEXES.get((patient.gender or "").strip().lower(), Sex.UNKNOWN)
    at_birth = {
        _SEXES[extension.valueCode]
        for extension in _extensions(patient.extension, _AT_BIRTH)
        if extension.valueCode in _SEXES
    }
    return gender if at_birth <= {gender} else Sex.UNKNOWN


def deceased(records: PatientRecords) -> bool:
    patient = _patient(records)
    return patient is not None and (patient.deceasedBoolean is True or bool(patient.deceasedDateTime))


def _patient(records: PatientRecords) -> Patient | None:
    if isinstance(records.patient, NotAvailable):
        return None
    return next((one for one in records.patient.resources if isinstance(one, Patient)), None)


def _for_clinical_use(patient: Patient) -> set[Sex]:
    codes = [
        str(coding.code)
        for extension in _extensions(patient.extension, _FOR_CLINICAL_USE)
        for value in _extensions(extension.extension, "value")
        for coding in codings(value.valueCodeableConcept)
    ]
    return {_SEXES.get(code, Sex.UNKNOWN) for code in codes}


def _extensions(given: list[Extension] | None, url: str) -> list[Extension]:
    return [extension for extension in given or () if extension.url == url]


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _unreadable(reason: str) -> Missing:
    return Missing(Input.AGE, Why.UNREADABLE, reason)

"""Age, sex and death (checklist row 51), and body measurements."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from cards.facts import BodyMeasurements, Input, Missing, Observations, Sex, Why
from cards.quantities import Age, Height, Weight
from cds_service.gather.observations import observations
from cds_service.gather.person import age, deceased, sex
from tests.unit.charts import NOT_SENT, NOW, Key, codes, observation, records

FOR_CLINICAL_USE = "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse"
AT_BIRTH = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p1", **more}


def aged(birth_date: str | None, now: datetime = NOW) -> Age | Missing:
    return age(records(patient=[patient(birthDate=birth_date)]), now)


# ------------------------------------------------------------------------------------------------------------ age


@pytest.mark.parametrize(
    ("born", "years"),
    [
        ("1961-11-23", 65), ("1961-11-24", 64), ("1961-11-22", 65), ("2026-11-23", 0), ("2008-11-23", 18),
        ("2008-11-24", 17), ("1896-11-23", 130), ("1961-11-23T05:00:00+02:00", 65),
    ],
)  # fmt: skip
def test_completed_years(born: str, years: int) -> None:
    assert aged(born) == Age.of(years)


def test_born_on_29_february() -> None:
    assert aged("2008-02-29", datetime(2026, 2, 28, tzinfo=UTC)) == Age.of(17)
    assert aged("2008-02-29", datetime(2026, 3, 1, tzinfo=UTC)) == Age.of(18)


@pytest.mark.parametrize(("born", "years"), [("1955", 70), ("1955-06", 71), ("2000-12", 25), ("2015", 10), ("2026", 0)])
def test_an_inexact_birth_date_gives_the_younger_age_where_it_cannot_matter(born: str, years: int) -> None:
    assert aged(born) == Age.of(years)


@pytest.mark.parametrize("born", ["1961", "1961-11", "2008", "2014", "2018"])
def test_an_inexact_birth_date_on_both_sides_of_an_edge_gives_no_age(born: str) -> None:
    assert aged(born) == Missing(Input.AGE, Why.UNREADABLE, "the birth date is not exact")


@pytest.mark.parametrize(
    ("born", "why", "reason"),
    [
        (None, Why.NOT_RECORDED, "no birth date is recorded"),
        ("", Why.NOT_RECORDED, "no birth date is recorded"),
        ("2026-11-24", Why.UNREADABLE, "the birth date is in the future"),
        ("2027", Why.UNREADABLE, "the birth date is in the future"),
        ("1895-11-23", Why.UNREADABLE, "the birth date is more than 130 years ago"),
        ("23.11.1961", Why.UNREADABLE, "the birth date is not a date"),
        ("1961-02-30", Why.UNREADABLE, "the birth date is not a date"),
    ],
)
def test_no_age(born: str | None, why: Why, reason: str) -> None:
    assert aged(born) == Missing(Input.AGE, why, reason)


def test_without_a_patient_record_nothing_is_known() -> None:
    assert age(records(), NOW) == Missing(Input.AGE, Why.NOT_AVAILABLE, NOT_SENT.reason)
    assert age(records(patient=[]), NOW) == Missing(Input.AGE, Why.NOT_AVAILABLE, "there is no patient record")
    assert sex(records()) is Sex.UNKNOWN
    assert deceased(records()) is False


# ------------------------------------------------------------------------------------------------------------ sex


@pytest.mark.parametrize(
    ("gender", "expected"),
    [
        ("female", Sex.FEMALE), ("male", Sex.MALE), ("Male", Sex.MALE), ("other", Sex.UNKNOWN),
        ("unknown", Sex.UNKNOWN), (None, Sex.UNKNOWN), ("", Sex.UNKNOWN),
    ],
)  # fmt: skip
def test_gender(gender: str | None, expected: Sex) -> None:
    assert sex(records(patient=[patient(gender=gender)])) is expected


@pytest.mark.parametrize(
    ("gender", "at_birth", "expected"),
    [
        ("female", "F", Sex.FEMALE), ("male", "M", Sex.MALE), ("female", "UNK", Sex.FEMALE),
        ("male", "F", Sex.UNKNOWN), ("female", "M", Sex.UNKNOWN), ("other", "F", Sex.UNKNOWN),
    ],
)  # fmt: skip
def test_a_gender_that_is_not_the_sex_at_birth_leaves_the_equation_open(
    gender: str, at_birth: str, expected: Sex
) -> None:
    extension = [{"url": AT_BIRTH, "valueCode": at_birth}]
    assert sex(records(patient=[patient(gender=gender, extension=extension)])) is expected


def for_clinical_use(*codes_: str) -> list[dict[str, Any]]:
    system = "http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use"
    return [
        {"url": FOR_CLINICAL_USE, "extension": [
            {"url": "value", "valueCodeableConcept": {"coding": [{"system": system, "code": code}]}},
        ]}
        for code in codes_
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (("female-typical",), Sex.FEMALE), (("male-typical",), Sex.MALE), (("specified",), Sex.UNKNOWN),
        (("unknown",), Sex.UNKNOWN), (("female-typical", "male-typical"), Sex.UNKNOWN),
        (("female-typical", "female-typical"), Sex.FEMALE), ((), Sex.MALE),
    ],
)  # fmt: skip
def test_the_sex_for_clinical_use_comes_first(stated: tuple[str, ...], expected: Sex) -> None:
    given = patient(gender="male", extension=for_clinical_use(*stated))
    assert sex(records(patient=[given])) is expected


# ---------------------------------------------------------------------------------------------------------- death


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, False), ({"deceasedBoolean": False}, False), ({"deceasedBoolean": True}, True),
        ({"deceasedDateTime": "2026-01-01"}, True),
    ],
)  # fmt: skip
def test_deceased(more: dict[str, Any], expected: bool) -> None:
    assert deceased(records(patient=[patient(**more)])) is expected


# ------------------------------------------------------------------------------------------------------------ body

WEIGHT, HEIGHT, FIRST_WEIGHT = "29463-7", "8302-2", "18833-4"
DAY = date(2026, 11, 13)


def body(*given: dict[str, Any], **keys: Key) -> BodyMeasurements:
    found = observations(records(observations=given, **keys), codes(), NOW)
    assert isinstance(found, Observations)
    return found.body


@pytest.mark.parametrize(
    ("value", "unit", "kilograms"),
    [(50, "kg", "50"), (50500, "g", "50.5"), (100, "[lb_av]", "45.359237"), (100, "lbs", "45.359237")],
)
def test_weight(value: float, unit: str, kilograms: str) -> None:
    assert body(observation(WEIGHT, value, unit)).weight == (Weight.of(kilograms), DAY)


@pytest.mark.parametrize(
    ("value", "unit", "centimetres"),
    [(165, "cm", "165"), (1.65, "m", "165"), (65, "[in_i]", "165.1"), (65, "in", "165.1")],
)
def test_height(value: float, unit: str, centimetres: str) -> None:
    assert body(observation(HEIGHT, value, unit)).height == (Height.of(centimetres), DAY)


def test_the_newest_measurement_and_of_one_day_the_lower() -> None:
    found = body(
        observation(HEIGHT, 160, "cm", effectiveDateTime="2026-01-01"),
        observation(HEIGHT, 165, "cm"),
        observation(HEIGHT, 164, "cm", id="2"),
    )
    assert found.height == (Height.of(164), DAY)


@pytest.mark.parametrize(
    "given",
    [
        observation(HEIGHT, 165), observation(HEIGHT, 165, "kg"), observation(HEIGHT, 1650, "cm"),
        observation(HEIGHT, 1.65, "cm"), observation(HEIGHT, "165", "cm"), observation(HEIGHT),
        observation(HEIGHT, 165, "cm", status="preliminary"), observation(HEIGHT, 165, "cm", status="entered-in-error"),
        observation(HEIGHT, 165, "cm", effectiveDateTime="2026-11-24"),
        observation(HEIGHT, 165, "cm", effectiveDateTime="2026-10"), observation("8480-6", 165, "cm"),
    ],
)  # fmt: skip
def test_what_is_no_height(given: dict[str, Any]) -> None:
    assert body(given).height is None


def test_a_height_of_today() -> None:
    found = body(observation(HEIGHT, 165, "cm", effectiveDateTime="2026-11-23"))
    assert found.height == (Height.of(165), NOW.date())


def test_a_first_weight_is_not_the_weight_of_today() -> None:
    assert body(observation(FIRST_WEIGHT, 3.2, "kg")).weight is None


def test_measurements_among_other_keys() -> None:
    assert body(others=[observation(HEIGHT, 165, "cm")]).height == (Height.of(165), DAY)
    assert body(kidney=[observation(HEIGHT, 165, "cm")]).height == (Height.of(165), DAY)


def test_measurements_not_sent_are_missing() -> None:
    found = observations(records(), codes(), NOW)
    assert found == Missing(Input.OBSERVATIONS, Why.NOT_AVAILABLE, NOT_SENT.reason)
    assert observations(records(observations=[]), codes(), NOW) == Observations()
    elsewhere = observations(records(others=[observation(HEIGHT, 165, "cm")]), codes(), NOW)
    assert isinstance(elsewhere, Observations)
    assert elsewhere.incomplete == NOT_SENT.reason

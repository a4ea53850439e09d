"""Tests of drinking, and pregnancy, out of Observations (rules.md 2, IN-ALC and IN-PREG). Body: test_person."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cards.facts import AlcoholFinding, AlcoholTest, Input, Missing, Observations, Why
from cds_service.gather.observations import observations
from cds_service.records import Records
from tests.unit.charts import ICD10CM, LOINC, NOT_SENT, NOW, SNOMED, Key, codes, concept, observation, records

AUDIT_C, PETH, ETHANOL_MASS, ETHANOL_MOLES, ETHANOL_QL, BREATH = (
    "75626-2", "97607-6", "5643-2", "15120-9", "5642-4", "5641-6",
)  # fmt: skip
PANEL = "72109-2"
STATUS, DUE = "82810-3", "11778-8"
DAY = date(2026, 11, 13)


def read(*given: dict[str, Any], gender: str | None = "male", **keys: Key) -> Observations:
    who = {"resourceType": "Patient", "id": "p1", "gender": gender}
    found = observations(records(observations=given, patient=[who], **keys), codes(), NOW)
    assert isinstance(found, Observations)
    return found


def finding(given: dict[str, Any], gender: str | None = "male") -> AlcoholFinding:
    (one,) = read(given, gender=gender).alcohol
    return one


def coded(code: str, answer: dict[str, Any], **more: Any) -> dict[str, Any]:
    return observation(code, valueCodeableConcept=answer, **more)


# --------------------------------------------------------------------------------------------------------- AUDIT-C


@pytest.mark.parametrize(
    ("gender", "score", "positive"),
    [
        ("male", 3, False), ("male", 4, True), ("female", 2, False), ("female", 3, True), ("other", 2, False),
        ("other", 3, True), (None, 3, True), ("male", 0, False), ("male", 12, True),
    ],
)  # fmt: skip
def test_audit_c(gender: str | None, score: int, positive: bool) -> None:
    one = finding(observation(AUDIT_C, score, "{score}"), gender)
    assert (one.test, one.positive, one.shown, one.measured) == (AlcoholTest.AUDIT_C, positive, f"AUDIT-C {score}", DAY)
    assert one.origin.coding == f"LOINC {AUDIT_C}"


def test_audit_c_as_a_whole_number_or_in_a_panel() -> None:
    assert finding(observation(AUDIT_C, valueInteger=6)).positive
    panel = observation(PANEL, component=[{"code": concept(LOINC, AUDIT_C), "valueInteger": 6}])
    assert finding(panel).shown == "AUDIT-C 6"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (observation(AUDIT_C, 13, "{score}"), "AUDIT-C is not between 0 and 12"),
        (observation(AUDIT_C, -1, "{score}"), "AUDIT-C is not between 0 and 12"),
        (observation(AUDIT_C, 4.5, "{score}"), "AUDIT-C is not between 0 and 12"),
        (observation(AUDIT_C, "4", "{score}"), "AUDIT-C is not a number"),
        (observation(AUDIT_C, valueString="four"), "AUDIT-C is not a number"),
        (observation(AUDIT_C, valueQuantity={"value": 4, "comparator": ">"}), "AUDIT-C is not a number"),
        (observation(AUDIT_C, 6, status="preliminary"), "AUDIT-C is preliminary"),
        (observation(AUDIT_C, 6, status=None), "AUDIT-C is not marked as final"),
        (observation(AUDIT_C, 6, effectiveDateTime=None), "AUDIT-C has no date"),
        (observation(PETH, 250), "PEth has no unit"),
        (observation(PETH, 250, "mmol/L"), "PEth has a unit that cannot be converted"),
        (observation(PETH, valueQuantity={"value": 35, "unit": "ng/mL", "comparator": "<"}),
         "PEth is given only as a limit"),
        (observation(PETH, valueString="see report"), "PEth has an answer that is not known"),
        (observation(ETHANOL_MASS, "high", "mg/dL"), "ethanol is text, not a number"),
    ],
)  # fmt: skip
def test_a_result_that_cannot_be_read_is_kept_with_the_reason(given: dict[str, Any], said: str) -> None:
    one = finding(given)
    assert (one.positive, one.shown) == (None, said)


@pytest.mark.parametrize(
    "given",
    [
        observation(AUDIT_C), observation(AUDIT_C, 6, status="entered-in-error"),
        observation(AUDIT_C, 6, status="cancelled"), observation(AUDIT_C, 6, status="registered"),
        observation(AUDIT_C, 6, effectiveDateTime="2026-11-24"), observation("75624-7", 20), observation("11287-0", 9),
        observation(AUDIT_C, dataAbsentReason={"text": "declined"}), observation("2160-0", 1, "mg/dL"),
        observation({"text": "AUDIT-C"}, 6),
    ],
)  # fmt: skip
def test_what_is_no_result(given: dict[str, Any]) -> None:
    assert read(given).alcohol == ()


def test_an_inexact_date_is_as_recent_as_it_can_be() -> None:
    assert finding(observation(AUDIT_C, 6, effectiveDateTime="2026-09")).measured == date(2026, 9, 30)
    assert finding(observation(AUDIT_C, 6, effectiveDateTime="2026-11")).measured == NOW.date()
    assert finding(observation(AUDIT_C, 6, effectiveDateTime="2026-11-23")).measured == NOW.date()


# ------------------------------------------------------------------------------------------------- PEth and ethanol


@pytest.mark.parametrize(
    ("value", "unit", "positive"),
    [(19.9, "ng/mL", False), (20, "ng/mL", True), (20, "ug/L", True), (0.02, "mg/L", True), (0.019, "mg/L", False)],
)
def test_peth(value: float, unit: str, positive: bool) -> None:
    one = finding(observation(PETH, value, unit))
    assert (one.test, one.positive) == (AlcoholTest.PETH, positive)
    assert one.shown == f"PEth {value} {unit}"


def test_a_unit_that_only_a_code_gives() -> None:
    assert finding(observation(PETH, valueQuantity={"value": 50, "code": "ng/mL"})).shown == "PEth 50 ng/mL"


@pytest.mark.parametrize(
    ("code", "value", "unit", "positive"),
    [
        (ETHANOL_MASS, 9.9, "mg/dL", False), (ETHANOL_MASS, 10, "mg/dL", True), (ETHANOL_MASS, 0.1, "g/L", True),
        (ETHANOL_MASS, 0.099, "g/L", False), (ETHANOL_MASS, 0.01, "g/dL", True), (ETHANOL_MASS, 100, "mg/L", True),
        (ETHANOL_MASS, 99, "mg/L", False), (ETHANOL_MOLES, 2200, "umol/L", True),
        (ETHANOL_MOLES, 2100, "umol/L", False),
        (ETHANOL_MOLES, 2.2, "mmol/L", True), (ETHANOL_MOLES, 2.1, "mmol/L", False), (BREATH, 80, "mg/dL", True),
    ],
)  # fmt: skip
def test_ethanol(code: str, value: float, unit: str, positive: bool) -> None:
    """10 mg/dL are 2.17 mmol/L at 46.07 g/mol."""
    one = finding(observation(code, value, unit))
    assert (one.test, one.positive) == (AlcoholTest.ETHANOL, positive)


@pytest.mark.parametrize(
    ("comparator", "value", "positive"),
    [("<", 10, False), ("<=", 5, False), ("<", 10.1, None), (">", 400, True), (">=", 10, True), (">", 5, None),
     ("~", 50, None)],
)  # fmt: skip
def test_limits_of_the_measuring_range(comparator: str, value: float, positive: bool | None) -> None:
    quantity = {"value": value, "unit": "mg/dL", "comparator": comparator}
    assert finding(observation(ETHANOL_MASS, valueQuantity=quantity)).positive is positive


@pytest.mark.parametrize(
    ("answer", "positive"),
    [
        (concept(LOINC, "LA6576-8"), True), (concept(LOINC, "LA6577-6"), False), (concept(LOINC, "LA11882-0"), True),
        (concept(LOINC, "LA11883-8"), False), (concept(SNOMED, "10828004"), True),
        (concept(SNOMED, "260385009"), False),
        ({"text": "Detected"}, True), ({"text": "Not detected"}, False), ({"text": "None detected"}, False),
        ({"text": "NEGATIVE"}, False), ({"text": "positive"}, True), ({"text": "not positive"}, None),
        ({"text": "Negative", "coding": [{"system": LOINC, "code": "LA6576-8"}]}, None),
    ],
)  # fmt: skip
def test_qualitative_results(answer: dict[str, Any], positive: bool | None) -> None:
    assert finding(coded(ETHANOL_QL, answer)).positive is positive
    if "text" in answer and "coding" not in answer:
        assert finding(observation(PETH, valueString=answer["text"])).positive is positive


# -------------------------------------------------------------------------------------------------------- pregnancy


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (concept(LOINC, "LA15173-0"), True), (concept(LOINC, "LA26683-5"), False),
        (concept(SNOMED, "77386006"), True), (concept(SNOMED, "60001007"), False), (concept(ICD10CM, "Z33.1"), True),
        ({"text": "Pregnant"}, True), ({"text": "Not pregnant"}, False), ({"text": "maybe"}, None),
        (concept(SNOMED, "102874004", "Possible pregnancy"), None), (concept(ICD10CM, "O90.9"), None),
        ({"text": "Not pregnant", "coding": [{"system": LOINC, "code": "LA15173-0"}]}, None),
    ],
)  # fmt: skip
def test_pregnancy_status(answer: dict[str, Any], expected: bool | None) -> None:
    assert read(coded(STATUS, answer)).pregnant == (expected, DAY)


@pytest.mark.parametrize(
    "given",
    [
        coded(STATUS, concept(LOINC, "LA4489-6")), coded(STATUS, {"text": "Unknown"}), observation(STATUS),
        coded(STATUS, concept(LOINC, "LA15173-0"), status="entered-in-error"),
        coded(STATUS, concept(LOINC, "LA15173-0"), effectiveDateTime="2026-11-24"),
        coded(STATUS, concept(LOINC, "LA15173-0"), effectiveDateTime=None),
        observation(DUE, valueDateTime="2026-11-23"), observation(DUE, valueDateTime="soon"), observation(DUE),
    ],
)  # fmt: skip
def test_what_says_nothing_about_pregnancy(given: dict[str, Any]) -> None:
    assert read(given).pregnant is None


@pytest.mark.parametrize(
    ("due", "expected"),
    [("2026-11-24", True), ("2027-09-19", True), ("2027-09-20", None), ("2027-05", True)],
)
def test_a_due_date_ahead_says_pregnant_where_it_can_be(due: str, expected: bool | None) -> None:
    """300 days from 2026-11-23 are 2027-09-19."""
    assert read(observation(DUE, valueDateTime=due)).pregnant == (expected, DAY)
    component = observation(STATUS, component=[{"code": concept(LOINC, DUE), "valueDateTime": due}])
    assert read(component).pregnant == (expected, DAY)


def test_a_status_of_today() -> None:
    yes = concept(LOINC, "LA15173-0")
    assert read(coded(STATUS, yes, effectiveDateTime="2026-11-23")).pregnant == (True, NOW.date())


def test_the_newest_word_counts_and_of_one_day_the_cautious_one() -> None:
    yes, no = concept(LOINC, "LA15173-0"), concept(LOINC, "LA26683-5")
    older = coded(STATUS, yes, effectiveDateTime="2026-10-01")
    assert read(older, coded(STATUS, no)).pregnant == (False, DAY)
    assert read(coded(STATUS, no), coded(STATUS, yes, id="2")).pregnant == (True, DAY)
    assert read(coded(STATUS, no), coded(STATUS, {"text": "maybe"}, id="2")).pregnant == (None, DAY)


# -------------------------------------------------------------------------------------------------- the list itself


def test_not_sent_and_nothing_there_are_different() -> None:
    assert observations(records(), codes(), NOW) == Missing(Input.OBSERVATIONS, Why.NOT_AVAILABLE, NOT_SENT.reason)
    assert read() == Observations()


def test_results_under_other_keys_count_once_and_prove_no_absence() -> None:
    found = observations(records(others=[observation(AUDIT_C, 6)]), codes(), NOW)
    assert isinstance(found, Observations)
    assert ([one.shown for one in found.alcohol], found.incomplete) == (["AUDIT-C 6"], NOT_SENT.reason)
    twice = read(observation(AUDIT_C, 6), kidney=[observation(AUDIT_C, 6)])
    assert len(twice.alcohol) == 1


@pytest.mark.parametrize(
    ("days", "newest_first", "whole"),
    [(("2026-11-10", "2025-11-22"), True, True), (("2026-11-10", "2025-11-23"), True, False),
     (("2025-11-22", "2026-11-10"), True, False), (("2026-11-10", "2025-11-22"), False, False)],
)  # fmt: skip
def test_a_list_cut_off_newest_first_lacks_only_what_no_rule_asks_for(
    days: tuple[str, str], newest_first: bool, whole: bool
) -> None:
    held = records(observations=[observation("29463-7", 70, "kg", effectiveDateTime=day) for day in days])
    assert isinstance(held.observations, Records)
    cut = Records(held.observations.resources, (), "further pages were not read", newest_first)
    found = observations(records(observations=cut), codes(), NOW)
    assert isinstance(found, Observations)
    assert (found.incomplete == "") is whole

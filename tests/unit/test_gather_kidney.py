"""Kidney results out of Observations, in the shapes that EHRs send (checklist row 50)."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cards.facts import Bound, EgfrMethod, Input, KidneyResults, Missing, Why
from cards.quantities import CystatinC, Egfr, SerumCreatinine
from cds_service.gather.kidney import kidney_results
from cds_service.records import Records
from tests.unit.charts import LOINC, NOT_SENT, NOW, SNOMED, Key, codes, concept, observation, records

MDRD, CKD_EPI_2021, CR_CYS, UNSTATED = "33914-3", "98979-8", "98980-6", "69405-9"
CREATININE, CREATININE_MOLAR, CYSTATIN, CLEARANCE, URINE = "2160-0", "14682-9", "33863-2", "35591-7", "2161-8"
INDEXED = "mL/min/{1.73_m2}"


def read(*kidney: dict[str, Any] | str, **keys: Key) -> KidneyResults:
    found = kidney_results(records(kidney=kidney, **keys), codes(), NOW)
    assert isinstance(found, KidneyResults)
    return found


def numbers(found: KidneyResults) -> list[str]:
    values = (*(one.value for one in found.egfrs), *(one.value for one in found.creatinines))
    return [format(value, "n") for value in (*values, *(one.value for one in found.cystatins))]


# ----------------------------------------------------------------------------------------------- what a result is


def test_an_egfr_with_method_day_and_origin() -> None:
    (one,) = read(observation(CKD_EPI_2021, 75, INDEXED)).egfrs
    assert (one.value, one.method, one.bound, one.indexed) == (
        Egfr.of(75),
        EgfrMethod.CKD_EPI_2021_CR,
        Bound.EXACT,
        True,
    )
    assert one.taken == datetime(2026, 11, 13, 8, tzinfo=UTC)
    assert (one.origin.resource, one.origin.coding) == ("Observation/1", f"LOINC {CKD_EPI_2021}")


@pytest.mark.parametrize(
    ("code", "method"),
    [
        (CR_CYS, EgfrMethod.CKD_EPI_2021_CR_CYS), ("94677-2", EgfrMethod.CKD_EPI_2012_CR_CYS),
        ("50210-4", EgfrMethod.CYSTATIN_C), (CKD_EPI_2021, EgfrMethod.CKD_EPI_2021_CR),
        ("62238-1", EgfrMethod.CKD_EPI_2009), (MDRD, EgfrMethod.MDRD), ("77147-7", EgfrMethod.MDRD),
        (UNSTATED, EgfrMethod.UNSTATED), ("48643-1", EgfrMethod.RACE_BLACK), ("48642-3", EgfrMethod.RACE_NON_BLACK),
        ("88293-6", EgfrMethod.RACE_BLACK), ("88294-4", EgfrMethod.RACE_NON_BLACK), ("50384-7", EgfrMethod.SCHWARTZ),
    ],
)  # fmt: skip
def test_the_method_comes_from_the_code(code: str, method: EgfrMethod) -> None:
    (one,) = read(observation(code, 75, INDEXED)).egfrs
    assert one.method is method


def test_codings_that_disagree_count_as_the_weaker_method() -> None:
    both = {"coding": [{"system": LOINC, "code": CKD_EPI_2021}, {"system": LOINC, "code": MDRD}]}
    (one,) = read(observation(both, 75, INDEXED)).egfrs
    assert one.method is EgfrMethod.MDRD


def test_a_coding_among_local_ones_is_found() -> None:
    coded = {"coding": [{"system": "urn:local", "code": "GFR"}, {"system": "https://loinc.org/", "code": MDRD}]}
    assert len(read(observation(coded, 75, INDEXED)).egfrs) == 1


def test_an_egfr_by_snomed_code() -> None:
    (one,) = read(observation(concept(SNOMED, "80274001"), 75, INDEXED)).egfrs
    assert one.method is EgfrMethod.UNSTATED


@pytest.mark.parametrize("code", [CLEARANCE, "12195-4", URINE, "14959-1", "2345-7"])
def test_clearance_urine_and_other_results_are_none_of_them(code: str) -> None:
    assert read(observation(code, 75, "mL/min")) == KidneyResults()


def test_a_code_for_clearance_beside_one_for_egfr_is_not_trusted() -> None:
    both = {"coding": [{"system": LOINC, "code": MDRD}, {"system": LOINC, "code": CLEARANCE}]}
    assert read(observation(both, 75, INDEXED)) == KidneyResults()


@pytest.mark.parametrize("code", [{"text": "eGFR"}, {}])
def test_a_text_names_no_result_but_is_said(code: dict[str, Any]) -> None:
    assert read(observation(code, 75, INDEXED)) == KidneyResults(unreadable=("a result without a code",))


def test_other_measurements_without_a_code_are_no_kidney_results() -> None:
    assert read(observations=[observation({"text": "Pain"}, 7, "{score}")]) == KidneyResults()


# ----------------------------------------------------------------------------------------------------------- units


@pytest.mark.parametrize(
    "unit",
    [
        "mL/min/{1.73_m2}", "mL/min/1.73m2", "mL/min/1.73 m2", "mL/min/1.73m²", "mL/min/1.73_m2", "ml/min/1.73m^2",
        "mL/min/{1.73m2}", "mL/min/1.73 sq m", "mL/min per 1.73 m2", "mL/min/1,73m2", "ML/MIN/1.73M2",
        "mL/min/1.73sq.m", "mL/min/[1.73_m2]",
    ],
)  # fmt: skip
def test_spellings_of_the_indexed_unit(unit: str) -> None:
    (one,) = read(observation(MDRD, 75, unit)).egfrs
    assert one.indexed


def test_unindexed_is_used_and_marked() -> None:
    (one,) = read(observation(MDRD, "75.5", None, valueQuantity={"value": 75.5, "unit": "mL/min"})).egfrs
    assert (one.value, one.indexed) == (Egfr.of("75.5"), False)


def test_a_short_code_beside_the_whole_unit_is_indexed() -> None:
    quantity = {"value": 75, "unit": "mL/min/1.73m2", "code": "mL/min", "system": "http://unitsofmeasure.org"}
    (one,) = read(observation(MDRD, valueQuantity=quantity)).egfrs
    assert one.indexed


@pytest.mark.parametrize(
    ("value", "unit", "mg_per_dl"),
    [
        ("1.25", "mg/dL", "1.25"), ("1.25", "MG/DL", "1.25"), ("1.25", "mg/100 mL", "1.25"), ("12.5", "mg/L", "1.25"),
        ("110.5", "umol/L", "1.25"), ("110.5", "µmol/L", "1.25"), ("110.5", "μmol/L", "1.25"),
        ("110.5", "mcmol/L", "1.25"), ("0.1105", "mmol/L", "1.25"),
    ],
)  # fmt: skip
def test_creatinine_in_mg_per_dl(value: str, unit: str, mg_per_dl: str) -> None:
    (one,) = read(observation(CREATININE, float(value), unit)).creatinines
    assert one.value == SerumCreatinine.of(mg_per_dl)


def test_the_unit_counts_and_not_the_code() -> None:
    (one,) = read(observation(CREATININE, 110.5, "umol/L")).creatinines
    assert one.value == SerumCreatinine.of("1.25")


def test_a_local_unit_code_beside_a_known_unit() -> None:
    (one,) = read(
        observation(CREATININE, valueQuantity={"value": 1.25, "unit": "mg/dL", "code": "258797006"})
    ).creatinines
    assert one.value == SerumCreatinine.of("1.25")


@pytest.mark.parametrize(("value", "unit"), [("1.10", "mg/L"), ("0.11", "mg/dL"), ("1.10", "ug/mL")])
def test_cystatin_c_in_mg_per_l(value: str, unit: str) -> None:
    (one,) = read(observation(CYSTATIN, float(value), unit)).cystatins
    assert one.value == CystatinC.of("1.1")


@pytest.mark.parametrize(
    ("code", "quantity", "reason"),
    [
        (CREATININE, {"value": 1.2}, "creatinine of 2026-11-13 has no unit"),
        (CREATININE_MOLAR, {"value": 110}, "creatinine of 2026-11-13 has no unit"),
        (MDRD, {"value": 75}, "eGFR of 2026-11-13 has no unit"),
        (MDRD, {"value": 75, "unit": "", "code": "1"}, "eGFR of 2026-11-13 has no unit"),
        (CREATININE, {"value": 1.2, "unit": "g/L"}, "creatinine of 2026-11-13 has a unit that cannot be converted"),
        (MDRD, {"value": 75, "unit": "%"}, "eGFR of 2026-11-13 has a unit that cannot be converted"),
        (MDRD, {"value": 75, "unit": "mL/min/m2"}, "eGFR of 2026-11-13 has a unit that cannot be converted"),
        (
            CREATININE,
            {"value": 1.2, "unit": "mg/dL", "code": "umol/L"},
            "creatinine of 2026-11-13 has a unit and a unit code that contradict each other",
        ),
        (
            CREATININE,
            {"value": 1.2, "unit": "mg/dL", "code": "g/L", "system": "http://unitsofmeasure.org"},
            "creatinine of 2026-11-13 has a unit and a unit code that contradict each other",
        ),
    ],
)
def test_units_that_are_missing_or_unknown_are_named(code: str, quantity: dict[str, Any], reason: str) -> None:
    found = read(observation(code, valueQuantity=quantity))
    assert (numbers(found), found.unreadable) == ([], (reason,))


# ---------------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("comparator", ["<", "<="])
def test_comparators_below(comparator: str) -> None:
    quantity = {"value": 15, "comparator": comparator, "unit": INDEXED}
    (one,) = read(observation(MDRD, valueQuantity=quantity)).egfrs
    assert (one.value, one.bound) == (Egfr.of(15), Bound.BELOW)


@pytest.mark.parametrize("comparator", [">", ">="])
def test_comparators_above(comparator: str) -> None:
    quantity = {"value": 60, "comparator": comparator, "unit": INDEXED}
    (one,) = read(observation(MDRD, valueQuantity=quantity)).egfrs
    assert (one.value, one.bound) == (Egfr.of(60), Bound.ABOVE)


@pytest.mark.parametrize(
    ("text", "value", "bound", "indexed"),
    [
        (">60", 60, Bound.ABOVE, True), ("> 90", 90, Bound.ABOVE, True), ("<15", 15, Bound.BELOW, True),
        (" >=60 ", 60, Bound.ABOVE, True), ("> 60 mL/min/1.73m2", 60, Bound.ABOVE, True),
        (">60 mL/min", 60, Bound.ABOVE, False), ("≥ 60", 60, Bound.ABOVE, True),
    ],
)  # fmt: skip
def test_a_bound_in_a_text(text: str, value: int, bound: Bound, indexed: bool) -> None:
    (one,) = read(observation(MDRD, valueString=text)).egfrs
    assert (one.value, one.bound, one.indexed) == (Egfr.of(value), bound, indexed)


def test_a_bound_as_a_coded_answer() -> None:
    (one,) = read(observation(MDRD, valueCodeableConcept={"text": ">60"})).egfrs
    assert one.bound is Bound.ABOVE


@pytest.mark.parametrize("text", ["22", "75 mL/min/1.73m2", "hemolyzed", "60-90", ">60 apples", "> 1.5.2", "<>60"])
def test_any_other_text_is_no_number(text: str) -> None:
    found = read(observation(MDRD, valueString=text))
    assert numbers(found) == []
    assert len(found.unreadable) == 1


def test_a_creatinine_bound_keeps_its_side() -> None:
    quantity = {"value": 10, "comparator": ">", "unit": "mg/dL"}
    (one,) = read(observation(CREATININE, valueQuantity=quantity)).creatinines
    assert (one.value, one.bound) == (SerumCreatinine.of(10), Bound.ABOVE)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"valueQuantity": {"value": "22", "unit": INDEXED}}, "is text, not a number"),
        ({"valueQuantity": {"value": True, "unit": INDEXED}}, "is not a number"),
        ({"valueQuantity": {"unit": INDEXED}}, "has no value"),
        ({"valueQuantity": {"value": 22, "unit": INDEXED, "comparator": "ad"}}, "has a comparator that is not known"),
        ({"valueInteger": 22}, "has no unit"),
        ({"valueString": "22"}, "is text, not a number"),
        ({"dataAbsentReason": {"text": "specimen unsatisfactory"}}, "has no value"),
        ({}, "has no value"),
        ({"status": "preliminary", "valueQuantity": {"value": 22, "unit": INDEXED}}, "is preliminary"),
        ({"status": "unknown", "valueQuantity": {"value": 22, "unit": INDEXED}}, "is not marked as final"),
        ({"status": None, "valueQuantity": {"value": 22, "unit": INDEXED}}, "is not marked as final"),
    ],
)
def test_what_is_not_a_usable_value_is_named(more: dict[str, Any], reason: str) -> None:
    found = read(observation(MDRD, **more))
    assert (numbers(found), found.unreadable) == ([], (f"eGFR of 2026-11-13 {reason}",))


@pytest.mark.parametrize(
    ("code", "value", "unit", "usable"),
    [
        (CREATININE, 0.1, "mg/dL", True), (CREATININE, 0.099, "mg/dL", False), (CREATININE, 30, "mg/dL", True),
        (CREATININE, 30.01, "mg/dL", False), (CREATININE, 1.2, "umol/L", False), (CREATININE, -1, "mg/dL", False),
        (MDRD, 0, INDEXED, False), (MDRD, 0.5, INDEXED, True), (MDRD, -5, INDEXED, False), (MDRD, 250, INDEXED, True),
        (MDRD, 250.1, INDEXED, False), (CYSTATIN, 0, "mg/L", False), (CYSTATIN, 0.4, "mg/L", True),
    ],
)  # fmt: skip
def test_implausible_values_are_named(code: str, value: float, unit: str, usable: bool) -> None:
    found = read(observation(code, value, unit))
    assert bool(numbers(found)) is usable
    assert ("is not plausible" in " ".join(found.unreadable)) is not usable


@pytest.mark.parametrize("status", ["final", "amended", "corrected"])
def test_usable_statuses(status: str) -> None:
    assert len(read(observation(MDRD, 75, INDEXED, status=status)).egfrs) == 1


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered"])
def test_what_never_was_a_result_is_not_even_named(status: str) -> None:
    assert read(observation(MDRD, 75, INDEXED, status=status)) == KidneyResults()


def test_a_creatinine_after_dialysis_is_not_used() -> None:
    found = read(observation("11041-1", 2.0, "mg/dL"))
    assert (found.creatinines, found.unreadable) == ((), ("creatinine of 2026-11-13 was taken after dialysis",))


# ----------------------------------------------------------------------------------------------------------- dates


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ({"effectiveDateTime": "2026-11-13"}, datetime(2026, 11, 13, tzinfo=UTC)),
        ({"effectiveDateTime": "2026-11-13T23:30:00-05:00"}, datetime(2026, 11, 14, 4, 30, tzinfo=UTC)),
        ({"effectiveInstant": "2026-11-13T08:00:00.123Z"}, datetime(2026, 11, 13, 8, 0, 0, 123000, tzinfo=UTC)),
        ({"effectivePeriod": {"start": "2026-11-10", "end": "2026-11-12"}}, datetime(2026, 11, 12, tzinfo=UTC)),
        ({"effectivePeriod": {"start": "2026-11-10"}}, datetime(2026, 11, 10, tzinfo=UTC)),
        ({"issued": "2026-11-13T08:00:00Z"}, datetime(2026, 11, 13, 8, tzinfo=UTC)),
    ],
)
def test_when_it_was_taken(more: dict[str, Any], taken: datetime) -> None:
    (one,) = read(observation(MDRD, 75, INDEXED, **({"effectiveDateTime": None} | more))).egfrs
    assert one.taken == taken


@pytest.mark.parametrize(
    ("date", "clause"),
    [(None, "eGFR with no date"), ("2026-10", "eGFR with an inexact date"), ("last week", "eGFR with an inexact date")],
)
def test_without_an_exact_date_it_is_named(date: str | None, clause: str) -> None:
    found = read(observation(MDRD, 75, INDEXED, effectiveDateTime=date))
    assert (found.egfrs, found.unreadable) == ((), (clause,))


def test_an_unreadable_date_is_not_replaced_by_that_of_the_report() -> None:
    assert read(observation(MDRD, 75, INDEXED, effectiveDateTime="2019", issued="2026-11-13T08:00:00Z")).egfrs == ()


# ------------------------------------------------------------------------------------------------- panels and keys


def test_members_of_a_panel() -> None:
    black, other = (
        {"code": concept(LOINC, code), "valueQuantity": {"value": value, "unit": INDEXED}}
        for code, value in (("48643-1", 72), ("48642-3", 60))
    )
    found = read(observation(MDRD, component=[black, other]))
    assert {(one.method, one.value) for one in found.egfrs} == {
        (EgfrMethod.RACE_BLACK, Egfr.of(72)),
        (EgfrMethod.RACE_NON_BLACK, Egfr.of(60)),
    }
    assert found.unreadable == ()


def test_members_and_value_of_one_observation() -> None:
    member = {"code": concept(LOINC, CREATININE), "valueQuantity": {"value": 1.2, "unit": "mg/dL"}}
    found = read(observation(MDRD, 75, INDEXED, component=[member]))
    assert numbers(found) == ["75", "1.2"]


def test_a_panel_of_other_things() -> None:
    pressure = {"code": concept(LOINC, "8480-6"), "valueQuantity": {"value": 120, "unit": "mm[Hg]"}}
    assert read(observation("85354-9", component=[pressure])) == KidneyResults()


def test_every_key_is_searched_and_doubles_count_once() -> None:
    one = observation(MDRD, 75, INDEXED)
    other = observation(CREATININE, 1.2, "mg/dL", id="2")
    found = read(one, observations=[one], others=[one, other])
    assert (len(found.egfrs), len(found.creatinines), found.incomplete) == (1, 1, "")


def test_results_come_newest_first() -> None:
    days = ("2026-11-10", "2026-11-12", "2026-11-11")
    found = read(*(observation(MDRD, 70 + i, INDEXED, effectiveDateTime=day) for i, day in enumerate(days)))
    assert [one.taken.day for one in found.egfrs] == [12, 11, 10]


def test_read_and_nothing_there_is_empty_not_missing() -> None:
    assert read() == KidneyResults()


def test_not_sent_is_missing() -> None:
    found = kidney_results(records(), codes(), NOW)
    assert found == Missing(Input.KIDNEY_RESULTS, Why.NOT_AVAILABLE, NOT_SENT.reason)


def test_results_under_other_keys_do_not_make_the_list_whole() -> None:
    found = kidney_results(records(others=[observation(MDRD, 75, INDEXED)]), codes(), NOW)
    assert isinstance(found, KidneyResults)
    assert (len(found.egfrs), found.incomplete) == (1, NOT_SENT.reason)


def test_an_incomplete_list_stays_incomplete() -> None:
    assert read(observation(MDRD, {"not": "a number"}, INDEXED), "{").incomplete == "1 of its entries could not be read"
    found = kidney_results(records(kidney=Records(incomplete="further pages were not read")), codes(), NOW)
    assert isinstance(found, KidneyResults)
    assert found.incomplete == "further pages were not read"


# ------------------------------------------------------------------------------- a bad one never hides a good one


def bad(day: str) -> dict[str, Any]:
    return observation(CREATININE, valueQuantity={"value": 1.2}, effectiveDateTime=day, id=day)


def test_a_bad_newer_value_is_named_and_the_good_older_one_stays() -> None:
    found = read(bad("2026-11-20"), observation(MDRD, 75, INDEXED))
    assert (numbers(found), found.unreadable) == (["75"], ("creatinine of 2026-11-20 has no unit",))


@pytest.mark.parametrize(("day", "named"), [("2026-11-06", True), ("2026-11-05", False)])
def test_a_bad_value_is_named_unless_a_good_one_is_more_than_a_week_newer(day: str, named: bool) -> None:
    assert bool(read(bad(day), observation(MDRD, 75, INDEXED)).unreadable) is named


def test_of_several_good_values_the_newest_of_any_kind_decides_what_is_named() -> None:
    today = observation(CREATININE, 1.2, "mg/dL", effectiveDateTime="2026-11-23")
    older = observation(MDRD, 75, INDEXED, effectiveDateTime="2026-11-01")
    assert read(bad("2026-11-15"), older, today).unreadable == ()
    assert len(read(bad("2026-11-16"), older, today).unreadable) == 1


def test_a_bad_value_of_today_is_named() -> None:
    assert read(bad("2026-11-23")).unreadable == ("creatinine of 2026-11-23 has no unit",)


def test_without_a_good_value_every_bad_one_is_named_newest_first() -> None:
    found = read(bad("2019-01-01"), bad("2026-11-20"), observation(MDRD, 75, INDEXED, effectiveDateTime=None))
    assert found.unreadable == (
        "creatinine of 2026-11-20 has no unit",
        "creatinine of 2019-01-01 has no unit",
        "eGFR with no date",
    )


def test_bad_values_of_the_future_are_ignored_and_good_ones_are_left_to_the_resolver() -> None:
    found = read(bad("2026-11-24"), observation(MDRD, 75, INDEXED, effectiveDateTime="2026-11-24"), bad("2026-01-01"))
    assert (len(found.egfrs), found.unreadable) == (1, ("creatinine of 2026-01-01 has no unit",))


@pytest.mark.parametrize("malformed", [5, "1.2 mg/dL", [], {"value": 1.2, "unit": 5}])
def test_a_malformed_quantity_is_said_of_its_result(malformed: Any) -> None:
    found = read(observation(CREATININE, valueQuantity=malformed))
    assert found.unreadable == ("creatinine of 2026-11-13 is not a number",)


@pytest.mark.parametrize("malformed", [5, "creatinine", {"coding": "2160-0"}, {"coding": [{"code": ["2160-0"]}]}])
def test_a_malformed_code_is_said_of_its_result(malformed: Any) -> None:
    found = read(observation(CREATININE, 1.2, "mg/dL") | {"code": malformed})
    assert found.unreadable == ("a result without a code",)


# ------------------------------------------------------------------------------------- results that are not asked about


def creatinines(*days: str, **more: Any) -> list[dict[str, Any]]:
    return [observation(CREATININE, 1.2, "mg/dL", effectiveDateTime=day, id=day, **more) for day in days]


def days_of(*given: dict[str, Any]) -> list[str]:
    found = read(*given)
    taken = [
        [one.taken for one in found.egfrs], [one.taken for one in found.creatinines],
        [one.taken for one in found.cystatins],
    ]  # fmt: skip
    return [moment.date().isoformat() for moment in itertools.chain(*taken)]


@pytest.mark.parametrize("newest", ["2026-11-01", "2020-03-01"])
@pytest.mark.parametrize("sent", [1, -1])
def test_only_what_lies_within_every_window_before_the_newest_of_its_kind(newest: str, sent: int) -> None:
    """R8 looks 365 days back from the newest creatinine."""
    day = date.fromisoformat(newest)
    within, beyond = ((day - timedelta(days)).isoformat() for days in (366, 404))
    assert days_of(*creatinines(newest, within, beyond)[::sent]) == [newest, within]


def test_of_an_egfr_only_the_newest_collection() -> None:
    days = ("2026-11-01", "2026-10-31", "2026-09-01")
    results = [observation(MDRD, 75, INDEXED, effectiveDateTime=day, id=day) for day in days]
    assert days_of(*results) == ["2026-11-01", "2026-10-31"]


def test_each_kind_and_each_method_has_a_newest_of_its_own() -> None:
    new = creatinines("2026-11-01")
    old = [
        observation(code, 75, INDEXED, effectiveDateTime="2019-05-05", id=code) for code in (MDRD, CR_CYS, "48643-1")
    ]
    assert days_of(*new, *old) == ["2019-05-05"] * 3 + ["2026-11-01"]
    cystatin = observation(CYSTATIN, 1, "mg/L", effectiveDateTime="2019-05-05")
    assert days_of(*new, cystatin) == ["2026-11-01", "2019-05-05"]


def test_an_egfr_with_cystatin_c_counts_for_a_year() -> None:
    """R3: beside newer ones without it."""
    days = ("2026-11-01", "2025-12-01")
    results = [observation(CR_CYS, 75, INDEXED, effectiveDateTime=day, id=day) for day in days]
    assert days_of(*results) == list(days)


def test_only_a_result_that_counts_makes_an_older_one_idle() -> None:
    old = creatinines("2019-05-05")
    assert days_of(*creatinines("2026-11-24"), *old) == ["2026-11-24", "2019-05-05"]
    assert days_of(*creatinines("2026-11-01", status="preliminary"), *old) == ["2019-05-05"]


@pytest.mark.parametrize("day", ["2019", "2026-11", "the 5th of May", "5-2019", "2019-13-45"])
def test_a_date_that_is_no_day_is_said_beside_a_newer_result(day: str) -> None:
    found = read(*creatinines("2026-11-01", day))
    assert found.unreadable == (() if day == "2019-13-45" else ("creatinine with an inexact date",))


def test_the_first_day_of_all_is_read_too() -> None:
    assert days_of(*creatinines("0001-01-01")) == ["0001-01-01"]

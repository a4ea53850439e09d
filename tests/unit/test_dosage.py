"""Dosage instructions → mg/day or a reason. Expected values by hand: rules.md 3.1-3.5, checklist rows 39 and 40."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.facts import OralDose, PumpDose, Unreadable
from cards.quantities import Days
from cds_service import resources
from cds_service.gather.dosage import oral_dose
from cds_service.gather.instruction import is_as_needed, taken_as_needed, what_is_said
from cds_service.gather.products import Strength
from cds_service.gather.pump import pump_dose
from tests.unit.fhir_json import TID, Json, dosage, quantity, read_dosages, repeat

TABLET_10 = Strength(mg_per_unit=Decimal(10))
TABLET_5 = Strength(mg_per_unit=Decimal(5))
LIQUID_1 = Strength(mg_per_ml=Decimal(1))
UNKNOWN = Strength()
MG_10, MG_5 = quantity(10, "mg"), quantity(5, "mg")
PILL = quantity(1, code="{pill}", system="http://unitsofmeasure.org")


def code(*codes: str, text: str | None = None, display: str | None = None) -> Json:
    codings: list[Json] = [{"code": one} for one in codes]
    if display:
        codings.append({"system": "https://fhir.example/codeSet/4003", "code": "696543", "display": display})
    return {"code": {"coding": codings} | ({"text": text} if text else {})}


def dose_range(low: Any, high: Any) -> Json:
    return {"doseAndRate": [{"doseRange": {"low": low, "high": high}}]}


def epic(calculated: Json, admin_amount: Json, ordered: Json) -> Json:
    """One dose said three times."""
    kinds = zip(("calculated", "admin-amount", "ordered"), (calculated, admin_amount, ordered), strict=True)
    return {"doseAndRate": [{"type": {"text": kind}, "doseQuantity": dose} for kind, dose in kinds]}


def most(amount: Json, per: Any = 1, unit: str = "d") -> Json:
    return {"maxDosePerPeriod": {"numerator": amount, "denominator": quantity(per, unit)}}


PRN = {"asNeededBoolean": True}

READABLE: dict[str, tuple[Json | list[Json], Strength, str]] = {
    # amounts
    "5 mg TID": (dosage(quantity(5, "mg"), TID), UNKNOWN, "15"),
    "decimals are exact": (dosage(quantity(2.5, "mg"), TID), UNKNOWN, "7.5"),
    "grams": (dosage(quantity(0.01, "g"), TID), UNKNOWN, "30"),
    "micrograms by mouth": (dosage(quantity(5000, "ug"), TID), UNKNOWN, "15"),
    "micrograms written mcg": (dosage(quantity(5000, unit="mcg"), TID), UNKNOWN, "15"),
    "MG in capitals": (dosage(quantity(10, unit="MG"), TID), UNKNOWN, "30"),
    "sandbox: 2 {pill} of 10 mg, TID": (dosage(quantity(2, code="{pill}"), TID), TABLET_10, "60"),
    "{tbl}": (dosage(quantity(1, unit="tablet", code="{tbl}"), TID), TABLET_10, "30"),
    "{tablet}": (dosage(quantity(1, unit="tablet", code="{tablet}"), TID), TABLET_10, "30"),
    "{capsule}": (dosage(quantity(1, code="{capsule}"), TID), TABLET_10, "30"),
    "TAB of orderableDrugForm": (dosage(quantity(1, unit="Tablet", code="TAB", system="v3"), TID), TABLET_10, "30"),
    "UCUM 1": (dosage(quantity(2, code="1"), TID), TABLET_10, "60"),
    "no unit": (dosage(quantity(1), TID), TABLET_10, "30"),
    "no unit, four at once": (dosage(quantity(4), TID), TABLET_10, "120"),
    "half a tablet": (dosage(quantity(0.5, "{tbl}"), TID), TABLET_5, "7.5"),
    "local code beside a known unit": (dosage(quantity(10, "mg", code="3", system="urn:local"), TID), UNKNOWN, "30"),
    "mL of 1 mg/mL": (dosage(quantity(5, "mL"), TID), LIQUID_1, "15"),
    "mL of 5 mg/mL": (dosage(quantity(1, unit="ml"), TID), Strength(mg_per_ml=Decimal(5)), "15"),
    "packet of 20 mg": (dosage(quantity(1, unit="packet"), TID), Strength(mg_per_unit=Decimal(20)), "60"),
    # high ends (rules 3.1: "5-10 mg up to TID as needed" is 30)
    "5-10 mg up to TID as needed": (
        dose_range(quantity(5, "mg"), MG_10) | {"timing": repeat(1, frequencyMax=3)} | PRN, UNKNOWN, "30",
    ),
    "range of tablets": (dose_range(quantity(1, "{tbl}"), quantity(2, "{tbl}")) | {"timing": TID}, TABLET_10, "60"),
    "range without a lower end": (dose_range(None, MG_10) | {"timing": TID}, UNKNOWN, "30"),
    "every 4 to 6 hours": (dosage(MG_10, repeat(1, 4, "h", periodMax=6)), UNKNOWN, "60"),
    "2 to 3 times a day": (dosage(MG_10, repeat(2, frequencyMax=3)), UNKNOWN, "30"),
    # as needed and maxDosePerPeriod: the smaller
    "PRN counts at its frequency": (dosage(MG_10, repeat(1, 6, "h")) | PRN, UNKNOWN, "40"),
    "PRN, max 30 mg a day": (dosage(MG_10, repeat(1, 4, "h")) | PRN | most(quantity(30, "mg")), UNKNOWN, "30"),
    "PRN, max 3 tablets in 24 h": (
        dosage(PILL, repeat(1, 4, "h")) | PRN | most(quantity(3, "{tbl}"), 24, "h"), TABLET_10, "30",
    ),
    "PRN, max above the frequency": (dosage(MG_10, TID) | PRN | most(quantity(80, "mg")), UNKNOWN, "30"),
    "PRN without frequency, with max": (dosage(MG_10) | PRN | most(quantity(30, "mg")), UNKNOWN, "30"),
    "range with max": (dosage(MG_10, repeat(1, 4, "h", periodMax=6)) | most(quantity(40, "mg")), UNKNOWN, "40"),
    "max per week": (dosage(MG_10, TID) | PRN | most(quantity(70, "mg"), 1, "wk"), UNKNOWN, "10"),
    "several max (R5): the smallest": (
        dosage(MG_10, repeat(1, 4, "h")) | PRN | {"maxDosePerPeriod": [
            {"numerator": quantity(40, "mg"), "denominator": quantity(1, "d")},
            {"numerator": quantity(20, "mg"), "denominator": quantity(12, "h")},
            {"numerator": quantity(30, "mg"), "denominator": quantity(1, "d")},
        ]}, UNKNOWN, "30",
    ),
    # timing
    "every 8 h": (dosage(MG_10, repeat(1, 8, "h")), UNKNOWN, "30"),
    "period in minutes": (dosage(MG_10, repeat(1, 480, "min")), UNKNOWN, "30"),
    "period in seconds": (dosage(MG_10, repeat(1, 28800, "s")), UNKNOWN, "30"),
    "21 a week": (dosage(MG_10, repeat(21, 1, "wk")), UNKNOWN, "30"),
    "90 a month": (dosage(MG_10, repeat(90, 1, "mo")), UNKNOWN, "30"),
    "every other day": (dosage(quantity(20, "mg"), repeat(1, 2, "d")), UNKNOWN, "10"),
    "three times a week": (dosage(MG_10, repeat(3, 1, "wk")), UNKNOWN, "4.29"),
    "DSTU2 periodUnits": (
        {"doseQuantity": PILL, "timing": {"repeat": {"frequency": 3, "period": 1, "periodUnits": "d"}}},
        TABLET_10, "30",
    ),
    "STU3 doseQuantity": ({"doseQuantity": MG_10, "timing": TID}, UNKNOWN, "30"),
    "STU3 doseRange": ({"doseRange": {"low": quantity(5, "mg"), "high": MG_10}, "timing": TID}, UNKNOWN, "30"),
    "doseAndRate as an object": ({"doseAndRate": {"doseQuantity": MG_10}, "timing": TID}, UNKNOWN, "30"),
    "TID by code": (dosage(MG_10, code("TID")), UNKNOWN, "30"),
    **{
        f"code {name}": (dosage(quantity(5, "mg"), code(name)), UNKNOWN, str(5 * times))
        for name, times in {
            "QD": 1, "BID": 2, "TID": 3, "QID": 4, "Q4H": 6, "Q6H": 4, "Q8H": 3, "Q12H": 2, "AM": 1, "PM": 1, "HS": 1,
            "QAM": 1, "QPM": 1, "QHS": 1, "BED": 1, "tid": 3,
        }.items()
    },
    "QOD": (dosage(MG_10, code("QOD")), UNKNOWN, "5"),
    "Oracle: three times daily": (dosage(MG_10, code(display="three times daily")), UNKNOWN, "30"),
    "Oracle: every 8 hours": (dosage(MG_10, code(display="every 8 hours")), UNKNOWN, "30"),
    "Oracle: every 4 hr beside Q4H": (dosage(MG_10, code("Q4H", display="every 4 hr")), UNKNOWN, "60"),
    "Oracle: repeat with bounds only": (
        dosage(MG_10, code("TID") | {"repeat": {"boundsPeriod": {"start": "2026-11-23"}}}), UNKNOWN, "30",
    ),
    "Epic: code text": (dosage(MG_10, code(text="Q6H PRN")), UNKNOWN, "40"),
    "Epic: 0900 & 1800": (dosage(MG_10, code(text="0900 & 1800")), UNKNOWN, "20"),
    "Epic: code text beside repeat": (dosage(MG_10, repeat(1, 6, "h") | code(text="Q6H PRN")) | PRN, UNKNOWN, "40"),
    "when, one event": (dosage(MG_10, {"repeat": {"when": ["HS"]}}), UNKNOWN, "10"),
    "when, three events": (dosage(MG_10, {"repeat": {"when": ["MORN", "NOON", "HS"]}}), UNKNOWN, "30"),
    "when with meals": (dosage(MG_10, {"repeat": {"when": ["C"]}}), UNKNOWN, "30"),
    "when beside one a day: the higher": (dosage(MG_10, repeat(1, when=["MORN", "HS"])), UNKNOWN, "20"),
    "when as a string": (dosage(MG_10, {"repeat": {"when": "MORN"}}), UNKNOWN, "10"),
    "timeOfDay": (dosage(MG_10, {"repeat": {"timeOfDay": ["08:00:00", "14:00:00", "20:00:00"]}}), UNKNOWN, "30"),
    "days of the week": (dosage(quantity(7, "mg"), repeat(1, dayOfWeek=["mon", "wed", "fri"])), UNKNOWN, "3"),
    "events": (dosage(MG_10, {"event": ["2026-11-24T08:00:00Z", "2026-11-24T20:00:00Z"]}), UNKNOWN, "20"),
    "period without frequency is one": (dosage(MG_10, {"repeat": {"period": 8, "periodUnit": "h"}}), UNKNOWN, "30"),
    # the same dose said several times
    "Epic: three entries, one dose": (epic(MG_10, quantity(1, "{tbl}"), MG_10) | {"timing": TID}, TABLET_10, "30"),
    "Epic: strength unknown, mg decide": (epic(MG_10, quantity(1, "{tbl}"), MG_10) | {"timing": TID}, UNKNOWN, "30"),
    "R4 and STU3 place agree": (dosage(MG_10, TID) | {"doseQuantity": quantity(1, "{tbl}")}, TABLET_10, "30"),
    # several instructions
    "unequal doses of one day": (
        [dosage(MG_10, code("AM")), dosage(MG_5, {"repeat": {"when": ["NOON"]}}), dosage(MG_10, code("HS"))],
        UNKNOWN, "25",
    ),
    "the same sequence is added": (
        [dosage(MG_10, code("AM"), sequence=1), dosage(quantity(15, "mg"), code("HS"), sequence=1)], UNKNOWN, "25",
    ),
    # text
    "text only": ({"text": "1 tab PO TID"}, TABLET_10, "30"),
    "patientInstruction only": ({"patientInstruction": "Take 1 tablet three times a day"}, TABLET_10, "30"),
    "dose by element, frequency by text": (dosage(MG_10, text="Take 1 tablet three times a day"), TABLET_10, "30"),
    "frequency by element, dose by text": ({"timing": TID, "text": "Take 1 tablet three times a day"}, TABLET_10, "30"),
    "a complete structure wins over its text": (dosage(MG_10, TID, text="20 mg po qid"), UNKNOWN, "30"),
    "a complete structure with a text outside the grammar": (dosage(MG_10, TID, text="as directed"), UNKNOWN, "30"),
    # zero
    "0 mg": (dosage(quantity(0, "mg"), TID), UNKNOWN, "0"),
    "0 tablets of unknown strength, no timing": (dosage(quantity(0, "{tbl}")), UNKNOWN, "0"),
    # the plausible range, at its edges
    "200 mg at once": (dosage(quantity(200, "mg"), repeat(5)), UNKNOWN, "1000"),
    "0.5 mg at once": (dosage(quantity(0.5, "mg"), TID), UNKNOWN, "1.5"),
    "2500 micrograms at once": (dosage(quantity(2500, "ug"), TID), UNKNOWN, "7.5"),
    "hourly": (dosage(quantity(1, "mg"), repeat(1, 1, "h")), UNKNOWN, "24"),
}  # fmt: skip


@pytest.mark.parametrize("name", READABLE)
def test_daily_dose(name: str) -> None:
    dosages, strength, daily = READABLE[name]
    dose = oral_dose(read_dosages(*(dosages if isinstance(dosages, list) else [dosages])), strength)
    assert isinstance(dose, OralDose), dose
    assert [f"{step.daily:n}" for step in dose.steps] == [daily]


UNREADABLE: dict[str, tuple[Json | list[Json], Strength, str]] = {
    # wrong numbers (checklist 40)
    "negative": (dosage(quantity(-5, "mg"), TID), UNKNOWN, "doseQuantity is negative"),
    "10 g": (dosage(quantity(10, "g"), TID), UNKNOWN, "10000 mg at once"),
    "10 micrograms by mouth": (dosage(quantity(10, "ug"), TID), UNKNOWN, "10 micrograms at once"),
    "1000 micrograms by mouth": (dosage(quantity(1000, "ug"), TID), UNKNOWN, "1000 micrograms at once"),
    "201 mg at once": (dosage(quantity(201, "mg"), TID), UNKNOWN, "201 mg at once"),
    "1001 mg a day": (dosage(quantity(100.1, "mg"), repeat(10)), UNKNOWN, "1001 mg a day"),
    "0.4 mg at once": (dosage(quantity(0.4, "mg"), TID), UNKNOWN, "400 micrograms at once"),
    "a number as text": (dosage(quantity("10", "mg"), TID), UNKNOWN, "doseQuantity is text, not a number"),
    "a dose of true": (dosage(quantity(True, "mg"), TID), UNKNOWN, "doseQuantity is not a number"),
    "1e30": (dosage(quantity(1e30, "mg"), TID), UNKNOWN, "out of range"),
    "a limit": (dosage(quantity(10, "mg", comparator="<"), TID), UNKNOWN, "only as a limit"),
    "no unit, five at once": (dosage(quantity(5), TID), TABLET_10, "has no unit"),
    # units and strength
    "tablets of unknown strength": (dosage(PILL, TID), UNKNOWN, "strength of the product is not known"),
    "mL of unknown concentration": (dosage(quantity(5, "mL"), TID), TABLET_10, "concentration of the product"),
    "tablets of a liquid": (dosage(PILL, TID), LIQUID_1, "strength of the product"),
    "patch": (dosage(quantity(1, "{patch}"), TID), TABLET_10, 'unit "patch" cannot be converted'),
    "mg/kg": (dosage(quantity(1, "mg/kg"), TID), UNKNOWN, "cannot be converted"),
    "drops": (dosage(quantity(5, "[drp]"), TID), LIQUID_1, "cannot be converted"),
    "teaspoons": (dosage(quantity(1, "[tsp_us]"), TID), LIQUID_1, "cannot be converted"),
    "unit against code": (dosage(quantity(10, unit="mg", code="ug"), TID), UNKNOWN, "contradict each other"),
    "unit against UCUM code of another kind": (
        dosage(quantity(10, unit="mg", code="[iU]", system="http://unitsofmeasure.org"), TID), UNKNOWN, "contradict",
    ),
    # contradictions
    "Epic: ordered against calculated": (
        epic(MG_10, quantity(1, "{tbl}"), quantity(20, "mg")) | {"timing": TID}, UNKNOWN, "two ways that contradict",
    ),
    "Epic: tablets against mg": (epic(MG_10, quantity(2, "{tbl}"), MG_10) | {"timing": TID}, TABLET_10, "contradict"),
    "Epic: one entry unreadable": (epic(MG_10, quantity(-1, "{tbl}"), MG_10) | {"timing": TID}, TABLET_10, "negative"),
    "R4 against STU3 place": (dosage(MG_10, TID) | {"doseQuantity": quantity(20, "mg")}, UNKNOWN, "contradict"),
    "code against repeat": (dosage(MG_10, TID | code("BID")), UNKNOWN, "timing.code and timing.repeat"),
    "code against its display": (dosage(MG_10, code("BID", display="three times daily")), UNKNOWN, "timing.code"),
    "text dose against element, no timing element": (dosage(MG_10, text="20 mg po tid"), UNKNOWN, "text and the dose"),
    "text tablets against element": (dosage(MG_10, text="2 tablets po tid"), TABLET_10, "contradict"),
    "text frequency against element, no dose element": (
        {"timing": TID, "text": "10 mg po bid"}, UNKNOWN, "text and the timing",
    ),
    # ranges
    "range upside down": (dose_range(MG_10, quantity(5, "mg")) | {"timing": TID}, UNKNOWN, "ends below its start"),
    "range without an upper end": (dose_range(quantity(5, "mg"), None) | {"timing": TID}, UNKNOWN, "no upper end"),
    "frequencyMax below frequency": (dosage(MG_10, repeat(3, frequencyMax=2)), UNKNOWN, "frequencyMax is below"),
    "periodMax below period": (dosage(MG_10, repeat(1, 6, "h", periodMax=4)), UNKNOWN, "periodMax is below"),
    # timing
    "no timing": (dosage(MG_10), UNKNOWN, "timing is missing"),
    "a local code that looks like a time of day": (dosage(MG_10, code("0900")), UNKNOWN, "timing is missing"),
    "frequency without a period": (dosage(MG_10, {"repeat": {"frequency": 3}}), UNKNOWN, "timing is missing"),
    "frequency 0": (dosage(MG_10, repeat(0)), UNKNOWN, "timing.repeat.frequency is not above zero"),
    "frequency -3": (dosage(MG_10, repeat(-3)), UNKNOWN, "timing.repeat.frequency is not above zero"),
    "period 0": (dosage(MG_10, repeat(3, 0)), UNKNOWN, "timing.repeat.period is not above zero"),
    "frequency as text": (dosage(MG_10, repeat("3")), UNKNOWN, "timing.repeat.frequency is text"),
    "unknown unit of time": (dosage(MG_10, repeat(1, 1, "shift")), UNKNOWN, "periodUnit is not a unit of time"),
    "unknown when": (dosage(MG_10, {"repeat": {"when": ["SOON"]}}), UNKNOWN, "timing.repeat.when"),
    "every 59 minutes": (dosage(MG_10, repeat(1, 59, "min")), UNKNOWN, "more than 24 times"),
    "once a year": (dosage(MG_10, repeat(1, 1, "a")), UNKNOWN, "less than once in 100 days"),
    "events that are no dates": (dosage(MG_10, {"event": ["soon"]}), UNKNOWN, "timing.event"),
    # maxDosePerPeriod
    "max without unit of time": (
        dosage(MG_10, TID) | PRN | {"maxDosePerPeriod": {"numerator": MG_10}}, UNKNOWN, "maxDosePerPeriod",
    ),
    "max in tablets of unknown strength": (
        dosage(MG_10, TID) | PRN | most(quantity(3, "{tbl}")), UNKNOWN, "maxDosePerPeriod needs the product's strength",
    ),
    "PRN, neither frequency nor max": (dosage(MG_10) | PRN, UNKNOWN, "timing is missing"),
    # text
    "V53: take as directed": ({"text": "take as directed"}, TABLET_10, "given only as free text"),
    "text outside the grammar": ({"text": "5 mg tid x 7 d then 10 mg tid"}, UNKNOWN, "given only as free text"),
    "dose element, unreadable text": (dosage(MG_10, text="as directed"), UNKNOWN, "how often is given only as"),
    "timing element, unreadable text": ({"timing": TID, "text": "as directed"}, UNKNOWN, "the dose is given only"),
    "text with dose only": ({"text": "10 mg"}, UNKNOWN, "timing is missing"),
    # sequences
    "one without sequence": (
        [dosage(MG_10, TID, sequence=1), dosage(MG_10, TID)], UNKNOWN, "some dosage instructions have a sequence",
    ),
    "sequence that is no number": (dosage(MG_10, TID, sequence="1"), UNKNOWN, "sequence is not a whole number"),
    "steps at different times of one day": (
        [dosage(MG_10, code("AM"), sequence=1), dosage(MG_10, code("HS"), sequence=2)], UNKNOWN, "contradicts their",
    ),
    "one instruction of several unreadable": ([dosage(MG_10, TID), dosage(PILL, TID)], UNKNOWN, "strength"),
    "a rate": ({"doseAndRate": [{"rateQuantity": quantity(1, "mg/h")}]}, UNKNOWN, "only as a rate"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_dose_says_why(name: str) -> None:
    dosages, strength, reason = UNREADABLE[name]
    dose = oral_dose(read_dosages(*(dosages if isinstance(dosages, list) else [dosages])), strength)
    assert isinstance(dose, Unreadable), dose
    assert reason in dose.reason
    assert dose.given


@pytest.mark.parametrize("dosages", [[], [{}], [{"timing": TID}], [{"route": {"text": "Oral"}}]])
def test_no_dose_yet(dosages: list[Json]) -> None:
    dose = oral_dose(read_dosages(*dosages), TABLET_10)
    assert isinstance(dose, Unreadable)
    assert not dose.given


# ---------------------------------------------------------------------------------------------------- other parts


def _read(*dosages: Json, strength: Strength = UNKNOWN) -> OralDose:
    dose = oral_dose(read_dosages(*dosages), strength)
    assert isinstance(dose, OralDose), dose
    return dose


def _bounded(dose: Any, sequence: int | None, **bounds: Any) -> Json:
    given_sequence = {} if sequence is None else {"sequence": sequence}
    return dosage(quantity(dose, "mg"), repeat(3, **bounds)) | given_sequence


V05 = [
    _bounded(2.5, 1, boundsDuration=quantity(7, "d")),
    _bounded(5, 2, boundsDuration=quantity(1, "wk")),
    _bounded(7.5, 3),
]


def test_v05_sequences_are_steps() -> None:
    dose = _read(*V05)
    assert [f"{step.daily:n}" for step in dose.steps] == ["7.5", "15", "22.5"]
    assert [step.lasts for step in dose.steps] == [Days.of(7), Days.of(7), None]
    assert (f"{dose.start:n}", f"{dose.highest:n}") == ("7.5", "22.5")


def test_steps_by_period_last_until_the_next_begins() -> None:
    dose = _read(
        _bounded(5, 1, boundsPeriod={"start": "2026-11-24", "end": "2026-12-01"}),
        _bounded(10, 2, boundsPeriod={"start": "2026-12-01"}),
    )
    assert [step.lasts for step in dose.steps] == [Days.of(7), None]


def test_a_period_includes_its_last_day() -> None:
    dose = _read(_bounded(5, None, boundsPeriod={"start": "2026-11-24", "end": "2026-11-30"}))
    assert dose.steps[0].lasts == Days.of(7)


def test_periods_that_follow_each_other_are_steps_without_a_sequence() -> None:
    dose = _read(
        _bounded(10, None, boundsPeriod={"start": "2026-12-01", "end": "2026-12-08"}),
        _bounded(5, None, boundsPeriod={"start": "2026-11-24", "end": "2026-11-30"}),
    )
    assert [f"{step.daily:n}" for step in dose.steps] == ["15", "30"]


def test_periods_that_overlap_are_added() -> None:
    dose = _read(
        _bounded(10, None, boundsPeriod={"start": "2026-11-24", "end": "2026-12-08"}),
        _bounded(5, None, boundsPeriod={"start": "2026-11-24", "end": "2026-11-30"}),
    )
    assert [f"{step.daily:n}" for step in dose.steps] == ["45"]


def test_steps_of_one_and_the_same_period_are_a_contradiction() -> None:
    period = {"start": "2026-11-24", "end": "2026-12-24"}
    dose = oral_dose(read_dosages(*(_bounded(5, n, boundsPeriod=period) for n in (1, 2))), UNKNOWN)
    assert isinstance(dose, Unreadable)


@pytest.mark.parametrize(
    ("dosages", "single", "times"),
    [
        ([dosage(quantity(20, "mg"), code("HS"))], "20", 1),
        ([dosage(MG_10, repeat(1, 2, "d"))], "10", 1),
        ([dosage(MG_10, repeat(1, 5, "h"))], "10", 5),
        ([dosage(MG_10, code("AM")), dosage(quantity(15, "mg"), code("HS"))], "15", 2),
        ([dosage(MG_10, repeat(1, 4, "h")) | PRN | most(quantity(30, "mg"))], "10", 3),
        ([dose_range(quantity(5, "mg"), MG_10) | {"timing": TID}], "10", 3),
    ],
)
def test_largest_single_dose_and_times_a_day(dosages: list[Json], single: str, times: int) -> None:
    step = _read(*dosages).steps[0]
    assert (f"{step.largest_single:n}", step.times_per_day) == (single, times)


def test_a_single_administration_lasts_one_day() -> None:
    step = _read(dosage(MG_10, {"repeat": {"count": 1}})).steps[0]
    assert (f"{step.daily:n}", step.times_per_day, step.lasts) == ("10", 1, Days.of(1))


NEED = ("", "PRN", "prn", "P.R.N.", "p.r.n", "as needed", "If  Needed", "when required", "as necessary", "needed")


@pytest.mark.parametrize("words", NEED)
@pytest.mark.parametrize("often", ["TID", "every 6 hours", "q8h"])
def test_the_quick_look_for_as_needed_overlooks_nothing(words: str, often: str) -> None:
    said = f"{often} {words}".strip()
    forms: list[Json] = [
        {"text": f"take 5 mg by mouth {said}"},
        {"text": " ", "patientInstruction": f"5 mg {said}"},
        dosage(MG_5, code(said)),
        dosage(MG_5, code(text=said)),
        dosage(MG_5, code(display=said)),
    ]
    for read in read_dosages(*forms):
        assert taken_as_needed([read]) == is_as_needed(read, what_is_said(read)), read


def test_as_needed_and_from_text_are_said() -> None:
    assert _read(dosage(MG_10, TID) | PRN).as_needed
    assert _read(dosage(MG_10, TID) | {"asNeededCodeableConcept": {"text": "spasm"}}).as_needed
    assert _read({"text": "10 mg po tid prn"}).as_needed
    assert not _read(dosage(MG_10, TID)).as_needed
    assert not _read(dosage(MG_10, TID), dosage(quantity(5, "mg"), TID) | PRN).as_needed
    assert _read({"text": "10 mg po tid"}).from_text
    assert _read(dosage(MG_10, text="10 mg po tid")).from_text
    assert not _read(dosage(MG_10, TID, text="10 mg po tid")).from_text


# ---------------------------------------------------------------------------------- route (rules 3.5, resolutions 10)


@pytest.mark.parametrize(
    ("dose", "readable"),
    [
        (dosage(MG_10, repeat(1)), True),
        (dosage(quantity(9.9, "mg"), repeat(1)), False),
        (dosage(quantity(5, "mg"), repeat(2)), True),
        (dosage(quantity(400, "ug"), repeat(1)), False),
        (dosage(quantity(20000, "ug"), TID), False),
        (dosage(quantity(0, "mg"), repeat(1)), True),
        (dosage(quantity(0.5, "{tbl}"), repeat(1)), True),
    ],
)
def test_without_a_route_only_a_dose_that_is_surely_oral_is_read(dose: Json, readable: bool) -> None:
    read = oral_dose(read_dosages(dose), TABLET_10, route_stated=False)
    assert isinstance(read, OralDose) == readable, read


# ------------------------------------------------------------------------------------------------------- intrathecal

PUMP: dict[str, tuple[Json | list[Json], str, bool]] = {
    "V48: 400 micrograms a day": (dosage(quantity(400, "ug"), repeat(1)), "400", False),
    "V49: 50 mg a day": (dosage(quantity(50, "mg"), repeat(1)), "50000", False),
    "mcg per day as one unit": ({"doseAndRate": [{"rateQuantity": quantity(400, unit="mcg/day")}]}, "400", False),
    "rate per hour": ({"doseAndRate": [{"rateQuantity": quantity(10, "ug/h")}]}, "240", False),
    "rate ratio": (
        {"doseAndRate": [{"rateRatio": {"numerator": quantity(0.4, "mg"), "denominator": quantity(24, "h")}}]},
        "400", False,
    ),
    "dose with a unit per day": (dosage(quantity(400, "ug/d")), "400", False),
    "mL of 2 mg/mL": (dosage(quantity(0.2, "mL"), repeat(1)), "400", False),
    "rate in mL": ({"doseAndRate": [{"rateQuantity": quantity(0.2, "mL/d")}]}, "400", False),
    "two lines are added": (
        [dosage(quantity(300, "ug"), repeat(1)), dosage(quantity(25, "ug"), repeat(4))], "400", False,
    ),
    "steps: the highest": (
        [dosage(quantity(300, "ug"), repeat(1), sequence=1), dosage(quantity(350, "ug"), repeat(1), sequence=2)],
        "350", False,
    ),
    "screening bolus": (dosage(quantity(50, "ug"), text="Screening bolus"), "50", True),
    "one dose": (dosage(quantity(100, "ug"), {"repeat": {"count": 1}}), "100", True),
    "bolus of 5 mg": (dosage(quantity(5, "mg"), text="bolus"), "5000", True),
    "nothing": (dosage(quantity(0, "ug"), repeat(1)), "0", False),
}  # fmt: skip


@pytest.mark.parametrize("name", PUMP)
def test_intrathecal_dose(name: str) -> None:
    dosages, micrograms, bolus = PUMP[name]
    strength = Strength(mg_per_ml=Decimal(2))
    dose = pump_dose(read_dosages(*(dosages if isinstance(dosages, list) else [dosages])), strength)
    assert isinstance(dose, PumpDose), dose
    assert (f"{dose.daily:n}", dose.bolus) == (micrograms, bolus)


@pytest.mark.parametrize(
    ("dosages", "reason"),
    [
        ([dosage(quantity(400, "ug"))], "timing is missing"),
        ([dosage(PILL, repeat(1))], "cannot be a number of tablets"),
        ([dosage(quantity(0.5, "ug"), repeat(1))], "not a plausible intrathecal dose"),
        ([dosage(quantity(2, "g"), repeat(1))], "not a plausible intrathecal dose"),
        ([dosage(quantity(-400, "ug"), repeat(1))], "negative"),
        ([{"doseAndRate": [{"rateQuantity": quantity(10, unit="ug/h", code="ug/d")}]}], "contradict each other"),
        ([{"doseAndRate": [{"rateQuantity": quantity(10, "ug")}]}], "not an amount per time"),
        ([{"text": "per pump settings"}], "free text"),
    ],
)
def test_unreadable_intrathecal_dose(dosages: list[Json], reason: str) -> None:
    dose = pump_dose(read_dosages(*dosages), UNKNOWN)
    assert isinstance(dose, Unreadable)
    assert reason in dose.reason


# -------------------------------------------------------------------------------------------------------- properties

_LINES = [
    *V05,
    dosage(MG_10, TID, sequence=1),
    dosage(MG_10, code("AM")),
    dosage(quantity(-1, "mg"), TID),
    dosage(PILL, TID),
    {"text": "1 tab po bid prn"},
    _bounded(5, None, boundsPeriod={"start": "2026-11-24", "end": "2026-11-30"}),
    _bounded(10, None, boundsPeriod={"start": "2026-12-01", "end": "2026-12-08"}),
    {},
]


@given(st.lists(st.sampled_from(_LINES), min_size=1, max_size=4), st.sampled_from([UNKNOWN, TABLET_10]))
@settings(deadline=None)
def test_the_order_of_instructions_never_matters(lines: list[Json], strength: Strength) -> None:
    read = [oral_dose(read_dosages(*mixed), strength) for mixed in itertools.permutations(lines)]
    assert all(dose == read[0] for dose in read)


_NUMBERS = st.one_of(
    st.integers(-3, 30), st.floats(allow_nan=False, allow_infinity=False), st.just("3"), st.none(), st.booleans()
)
_UNITS = st.sampled_from(
    ["mg", "g", "ug", "mL", "{tbl}", "1", "", "mg/kg", "ug/d", "mL/h", "h", "d", "wk", "a", "?", "\u0000"]
)
_QUANTITIES = st.fixed_dictionaries(
    {}, optional={"value": _NUMBERS, "unit": _UNITS, "code": _UNITS, "comparator": st.sampled_from(["<", ">", "x"])}
)
_DATES = st.sampled_from(["2026", "2026-11", "2026-11-23", "2026-11-23T08:00:00Z", "9999-12-31", "0001-01-01", "x", ""])
_PERIODS = st.fixed_dictionaries({}, optional={"start": _DATES, "end": _DATES})
_RATIOS = st.fixed_dictionaries({}, optional={"numerator": _QUANTITIES, "denominator": _QUANTITIES})
_WORDS = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(
            [
                "take",
                "1",
                "2",
                "1/2",
                "10",
                "mg",
                "tab",
                "tablets",
                "ml",
                "po",
                "by",
                "mouth",
                "tid",
                "q8h",
                "every",
                "8",
                "hours",
                "times",
                "daily",
                "prn",
                "(",
                ")",
                "-",
                ",",
                "/",
            ]
        ),
        max_size=8,
    ).map(" ".join),
)
_CONCEPTS = st.fixed_dictionaries(
    {},
    optional={
        "text": _WORDS,
        "coding": st.lists(st.fixed_dictionaries({"code": _WORDS, "display": _WORDS}), max_size=2),
    },
)
_REPEATS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("frequency", "frequencyMax", "period", "periodMax", "count"), _NUMBERS),
        "periodUnit": _UNITS,
        "when": st.lists(st.sampled_from(["MORN", "C", "HS", "?"]), max_size=3),
        "timeOfDay": st.lists(st.sampled_from(["08:00", "25:99", "x"]), max_size=3),
        "dayOfWeek": st.lists(st.sampled_from(["mon", "tue", "x"]), max_size=3),
        "boundsDuration": _QUANTITIES,
        "boundsRange": st.fixed_dictionaries({}, optional={"low": _QUANTITIES, "high": _QUANTITIES}),
        "boundsPeriod": _PERIODS,
    },
)
_DOSAGES = st.fixed_dictionaries(
    {},
    optional={
        "sequence": _NUMBERS,
        "text": _WORDS,
        "asNeededBoolean": st.booleans(),
        "timing": st.fixed_dictionaries(
            {}, optional={"repeat": _REPEATS, "code": _CONCEPTS, "event": st.lists(_DATES, max_size=3)}
        ),
        "doseQuantity": _QUANTITIES,
        "doseAndRate": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "doseQuantity": _QUANTITIES,
                    "doseRange": st.fixed_dictionaries({}, optional={"low": _QUANTITIES, "high": _QUANTITIES}),
                    "rateQuantity": _QUANTITIES,
                    "rateRatio": _RATIOS,
                },
            ),
            max_size=3,
        ),
        "maxDosePerPeriod": _RATIOS,
    },
)


@given(st.lists(_DOSAGES, max_size=3), st.sampled_from([UNKNOWN, TABLET_10, LIQUID_1]), st.booleans())
@settings(deadline=None, max_examples=400)
def test_any_dosage_is_read_or_has_a_reason(dosages: list[Json], strength: Strength, route_stated: bool) -> None:
    read = read_dosages(*dosages)
    match oral_dose(read, strength, route_stated=route_stated):
        case OralDose() as dose:
            assert all(0 <= step.daily.value <= 1000 for step in dose.steps)
            assert all(step.largest_single.value <= 200 and step.times_per_day >= 1 for step in dose.steps)
        case Unreadable(reason=reason):
            assert reason
    match pump_dose(read, strength):
        case PumpDose(daily=daily):
            assert 0 <= daily.value <= 1_000_000
        case Unreadable(reason=reason):
            assert reason


_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*resources.Dosage.__struct_fields__]), inner)
    ),
    max_leaves=10,
)


@given(_JSON)
@settings(deadline=None)
def test_arbitrary_json_costs_at_most_the_order(value: Any) -> None:
    order = {"resourceType": "MedicationRequest", "dosageInstruction": value}
    match resources.read(json.dumps(order).encode()):
        case resources.MedicationRequest(dosageInstruction=raw):
            read = resources.dosages(raw)
            assert read is None or isinstance(oral_dose(read, UNKNOWN), OralDose | Unreadable)
        case other:
            raise AssertionError(f"the order is lost: {other}")


def test_decimals_survive_as_written() -> None:
    read = msgspec.json.decode(b'{"doseQuantity": {"value": 2.50, "unit": "mg"}}', type=resources.Dosage)
    assert read.doseQuantity is not None
    assert bytes(read.doseQuantity.value) == b"2.50"  # type: ignore[arg-type]

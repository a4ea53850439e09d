"""The chart's medicines (rules.md 2: IN-BAC, IN-OPI, IN-CNS, IN-NAL; resolutions 16, 18). "Today" is 2026-11-23."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.facts import (
    ChartBaclofen,
    DrugClass,
    Input,
    Medication,
    MedicationList,
    Missing,
    OralDose,
    PumpDose,
    Route,
    Standing,
    Unreadable,
    Why,
)  # fmt: skip
from cds_service.gather.medications import medication_list
from tests.unit.fhir_json import (
    BACLOFEN_5,
    BACLOFEN_20,
    BACLOFEN_INGREDIENT,
    BACLOFEN_PUMP,
    NOW,
    PATIENT,
    TID,
    Json,
    bundle,
    call,
    chart,
    codes,
    concept,
    dosage,
    on_chart,
    quantity,
    repeat,
    request,
)  # fmt: skip

OXYCODONE_5 = concept("1049621", "oxycodone hydrochloride 5 MG Oral Tablet")
CLONAZEPAM = concept("2598", "clonazepam")
ACETAMINOPHEN = concept("161", "acetaminophen")
NALOXONE = concept("1725059", "naloxone hydrochloride 40 MG/ML Nasal Spray")
LOPERAMIDE = concept("6468", "loperamide")
UNKNOWN = {"text": "green capsules", "coding": [{"system": "urn:local", "code": "77"}]}
ONE_TABLET_QID = dosage(quantity(1, "{tbl}"), repeat(4))


def found(*entries: Json, draft: Json | None = None, **prefetch: Any) -> MedicationList:
    hook_call = call(draft or request("d1"), prefetch={"medications": bundle(*entries)} | prefetch)
    read = medication_list(hook_call, chart(hook_call), codes(), NOW)
    assert isinstance(read, MedicationList), read
    return read


def others(*entries: Json, **prefetch: Any) -> list[Medication]:
    return list(found(*entries, **prefetch).others)


def baclofen(*entries: Json, **prefetch: Any) -> list[ChartBaclofen]:
    return list(found(*entries, **prefetch).baclofen)


def statement(identity: str, medicine: Json | None = None, *lines: Json, **other: Any) -> Json:
    made: Json = {
        "resourceType": "MedicationStatement", "id": identity, "status": "active", "subject": {"reference": PATIENT},
        "medicationCodeableConcept": medicine or OXYCODONE_5, "dosage": list(lines) or [ONE_TABLET_QID],
    }  # fmt: skip
    return {name: value for name, value in (made | other).items() if value is not None}


def dispense(identity: str, medicine: Json | None = None, *lines: Json, **other: Any) -> Json:
    made: Json = {
        "resourceType": "MedicationDispense", "id": identity, "status": "completed", "subject": {"reference": PATIENT},
        "medicationCodeableConcept": medicine or OXYCODONE_5, "dosageInstruction": list(lines) or [ONE_TABLET_QID],
    }  # fmt: skip
    return {name: value for name, value in (made | other).items() if value is not None}


def opioid(identity: str = "o1", **other: Any) -> Json:
    return on_chart(identity, OXYCODONE_5, ONE_TABLET_QID, **other)


def validity(end: str, start: str | None = None) -> Json:
    period = {"end": end} | ({"start": start} if start else {})
    return {"dispenseRequest": {"validityPeriod": period}}


def supply(days: int) -> Json:
    return {"dispenseRequest": {"expectedSupplyDuration": quantity(days, "d")}}


def daily(entry: ChartBaclofen) -> str:
    match entry.dose:
        case OralDose() as dose:
            return f"{dose.highest}"
        case PumpDose() as dose:
            return f"{dose.daily}"
        case Unreadable(reason=reason):
            return reason


# ---------------------------------------------------------------------------------------------------- statuses, IN-OPI


def test_an_active_opioid() -> None:
    (one,) = others(opioid())
    assert (one.classes, one.standing, one.started, one.ended) == (
        frozenset({DrugClass.OPIOID}), Standing.ACTIVE, date(2026, 6, 1), None,
    )  # fmt: skip
    assert [(part.name, str(part.daily)) for part in one.opioids] == [("oxycodone", "20 mg/day")]
    assert one.origin.coding == "RxNorm 1049621"


@pytest.mark.parametrize(
    ("instruction", "as_needed"),
    [
        (dosage(quantity(5, "mg"), TID), False),
        (dosage(quantity(5, "mg"), TID, asNeededBoolean=False), False),
        (dosage(quantity(5, "mg"), TID, asNeededBoolean=True), True),
        (dosage(quantity(5, "mg"), TID, asNeededCodeableConcept={"text": "pain"}), True),
        ({"text": "Take 5 mg by mouth every 6 hours as needed"}, True),
        ({"text": "Take 5 mg by mouth every 6 hours"}, False),
        (dosage(quantity(5, "mg"), {"code": {"text": "Q6H PRN"}}), True),
        ({"text": "as directed", "asNeededBoolean": True}, True),
    ],
)
def test_as_needed_by_element_or_in_words(instruction: Json, as_needed: bool) -> None:
    (one,) = others(opioid(dosageInstruction=[instruction]))
    assert one.as_needed == as_needed


@pytest.mark.parametrize(
    ("elements", "standing"),
    [
        ({"status": "active"}, Standing.ACTIVE),
        ({"status": "unknown"}, Standing.ACTIVE),
        ({"status": "Active"}, Standing.ACTIVE),
        ({"status": "acti"}, Standing.ACTIVE),
        ({"status": "On-Hold"}, Standing.ON_HOLD),
        ({"intent": "ord"}, Standing.ACTIVE),
        ({"status": None}, Standing.ACTIVE),
        ({"status": "active", "authoredOn": "2015-01-01", **validity("2015-02-01")}, Standing.ACTIVE),
        ({"status": "on-hold"}, Standing.ON_HOLD),
        # ended 7 days ago, and 8
        ({"status": "completed", **validity("2026-11-16")}, Standing.RECENT),
        ({"status": "completed", **validity("2026-11-15")}, None),
        ({"status": "stopped", **validity("2026-11-16")}, Standing.RECENT),
        ({"status": "stopped", **validity("2026-11-15")}, None),
        ({"status": "completed", "authoredOn": "2026-10-17", **supply(30)}, Standing.RECENT),
        ({"status": "completed", "authoredOn": "2026-10-16", **supply(30)}, None),
        # supply unknown: authored 30 days ago, and 31
        ({"status": "completed", "authoredOn": "2026-10-24"}, Standing.RECENT),
        ({"status": "completed", "authoredOn": "2026-10-23"}, None),
        ({"status": "completed", "authoredOn": None}, None),
        # stopped before its supply came to an end: the day is not known
        ({"status": "stopped", "authoredOn": "2026-10-24", **validity("2027-01-01")}, Standing.RECENT),
        ({"status": "stopped", "authoredOn": "2026-10-23", **validity("2027-01-01")}, None),
        # of a month, the last day that it can mean
        ({"status": "completed", "authoredOn": "2026-10"}, Standing.RECENT),
        ({"status": "completed", "authoredOn": "2026-09"}, None),
        # never taken, or no order
        ({"status": "cancelled", "authoredOn": "2026-11-20"}, None),
        ({"status": "draft"}, None),
        ({"status": "entered-in-error"}, None),
        ({"intent": "proposal"}, None),
        ({"intent": "option"}, None),
        ({"intent": "plan"}, Standing.ACTIVE),
        ({"intent": None}, Standing.ACTIVE),
        ({"doNotPerform": True}, None),
    ],
)
def test_standing_of_an_order(elements: Json, standing: Standing | None) -> None:
    read = others(opioid(**elements))
    assert [one.standing for one in read] == ([standing] if standing else [])


@pytest.mark.parametrize(
    ("elements", "standing"),
    [
        ({"status": "active"}, Standing.ACTIVE),
        ({"status": "intended"}, Standing.ACTIVE),
        ({"status": "recorded"}, Standing.ACTIVE),
        ({"status": "active", "effectivePeriod": {"start": "2026-01-01", "end": "2026-11-23"}}, Standing.ACTIVE),
        ({"status": "active", "effectivePeriod": {"start": "2026-01-01", "end": "2026-11-16"}}, Standing.RECENT),
        ({"status": "active", "effectivePeriod": {"start": "2026-01-01", "end": "2026-11-15"}}, None),
        ({"status": "active", "effectivePeriod": {"start": "2025-01", "end": "2025-03"}}, None),
        ({"status": "on-hold"}, Standing.ON_HOLD),
        ({"status": "completed", "effectivePeriod": {"end": "2026-11-20"}}, Standing.RECENT),
        ({"status": "stopped", "effectiveDateTime": "2026-11-20"}, Standing.RECENT),
        ({"status": "stopped", "effectiveDateTime": "2026-05-20"}, None),
        ({"status": "not-taken"}, None),
        ({"status": "entered-in-error"}, None),
    ],
)
def test_standing_of_a_statement(elements: Json, standing: Standing | None) -> None:
    read = others(statement("s1", **elements))
    assert [one.standing for one in read] == ([standing] if standing else [])


@pytest.mark.parametrize(
    ("elements", "standing"),
    [
        ({"whenHandedOver": "2026-11-01", "daysSupply": quantity(30, "d")}, Standing.ACTIVE),
        ({"whenHandedOver": "2026-10-24", "daysSupply": quantity(30, "d")}, Standing.ACTIVE),
        ({"whenHandedOver": "2026-10-23", "daysSupply": quantity(30, "d")}, Standing.RECENT),
        ({"whenHandedOver": "2026-10-17", "daysSupply": quantity(30, unit="days")}, Standing.RECENT),
        ({"whenHandedOver": "2026-10-16", "daysSupply": quantity(30, "d")}, None),
        ({"whenPrepared": "2026-10-24"}, Standing.RECENT),
        ({"whenHandedOver": "2026-10-23"}, None),
        ({"status": "declined", "whenHandedOver": "2026-11-20"}, None),
        ({"status": "entered-in-error", "whenHandedOver": "2026-11-20"}, None),
    ],
)
def test_standing_of_a_dispense(elements: Json, standing: Standing | None) -> None:
    read = others(dispense("x1", **elements))
    assert [one.standing for one in read] == ([standing] if standing else [])


def test_the_end_of_a_recent_medicine_is_said() -> None:
    assert others(opioid(status="completed", **validity("2026-11-20")))[0].ended == date(2026, 11, 20)


# ------------------------------------------------------------------------------------------------- what does not count


ONE_OFF = {"category": [concept("inpatient")]}
ONCE = {"repeat": {"count": 1}}


def test_a_single_dose_in_hospital_does_not_count() -> None:
    given_once = on_chart("o1", OXYCODONE_5, dosage(quantity(1, "{tbl}"), ONCE), **ONE_OFF)
    assert others(given_once) == []
    assert len(others(on_chart("o1", OXYCODONE_5, dosage(quantity(1, "{tbl}"), ONCE)))) == 1
    assert len(others(on_chart("o1", OXYCODONE_5, dosage(quantity(1, "{tbl}"), TID), **ONE_OFF))) == 1
    assert baclofen(on_chart("b1", None, dosage(quantity(10, "mg"), ONCE), **ONE_OFF)) == []


@pytest.mark.parametrize(
    "entry",
    [
        on_chart("x1", {"text": "diphenhydramine topical cream"}),
        on_chart("x1", {"text": "ketotifen ophthalmic drops"}),
        on_chart("x1", concept("0", "hydroxyzine", "urn:local"), dosage(quantity(1), TID, route={"text": "Topical"})),
        on_chart("x1", {"text": "baclofen 2% cream"}),
    ],
)
def test_what_is_put_on_the_surface_does_not_count(entry: Json) -> None:
    read = found(entry)
    assert (read.others, read.baclofen, read.unrecognised) == ((), (), ())


def test_a_patch_is_not_on_the_surface() -> None:
    patch = on_chart("x1", {"text": "fentanyl 25 mcg/hr patch"}, dosage(quantity(1), TID, route={"text": "Topical"}))
    assert [one.classes for one in others(patch)] == [{DrugClass.OPIOID}]


def test_loperamide_is_another_drug() -> None:
    read = found(on_chart("x1", LOPERAMIDE))
    assert (read.others, read.unrecognised, read.other_drugs) == ((), (), 1)


# ------------------------------------------------------------------------------------ recognised or not, resolution 16


def test_16_another_drug_quietly_and_an_unknown_one_said() -> None:
    read = found(on_chart("a1", ACETAMINOPHEN), on_chart("u1", UNKNOWN), on_chart("u2", UNKNOWN))
    assert (read.others, read.other_drugs) == ((), 1)
    assert read.unrecognised == ("green capsules",)


def by_reference(identity: str, reference: Json, *contained: Json) -> Json:
    return on_chart(identity, contained=list(contained)) | {
        "medicationCodeableConcept": None, "medicationReference": reference,
    }  # fmt: skip


def test_equal_references_may_lead_to_different_medicines() -> None:
    """What was read before is known by what names it, never by the reference alone."""
    oxycodone, clonazepam = (
        {"resourceType": "Medication", "id": "m", "code": one} for one in (OXYCODONE_5, CLONAZEPAM)
    )
    local = {"reference": "#m"}
    read = others(by_reference("o1", local, oxycodone), by_reference("c1", local, clonazepam))
    assert [one.classes for one in read] == [{DrugClass.OPIOID}, {DrugClass.BENZODIAZEPINE}]
    nowhere = {"reference": "Medication/nowhere"}
    named = [by_reference(name, nowhere | {"display": name}) for name in ("oxycodone 5 mg", "clonazepam 1 mg")]
    assert [one.classes for one in others(*named)] == [{DrugClass.OPIOID}, {DrugClass.BENZODIAZEPINE}]
    chart = {"resourceType": "Medication", "id": "m1"}
    pointing = by_reference("o1", {"reference": "Medication/m1"})
    for code, group in ((OXYCODONE_5, DrugClass.OPIOID), (CLONAZEPAM, DrugClass.BENZODIAZEPINE)):
        assert [one.classes for one in others(pointing, chart | {"code": code})] == [{group}]


@pytest.mark.parametrize("dead", [{"status": "cancelled"}, {"status": "stopped"}, {"status": "entered-in-error"}])
def test_16_only_while_it_may_be_taken(dead: Json) -> None:
    assert found(on_chart("u1", UNKNOWN, **dead)).unrecognised == ()


def test_reference_with_display_only() -> None:
    entry = on_chart("o1", medicationCodeableConcept=None, medicationReference={"display": "Oxycodone 5 mg tablet"})
    (one,) = others(entry)
    assert (one.classes, one.origin.by_text) == (frozenset({DrugClass.OPIOID}), True)


def test_reference_to_a_medication_of_the_list() -> None:
    entry = on_chart("o1", medicationCodeableConcept=None, medicationReference={"reference": "Medication/m1"})
    (one,) = others(entry, {"resourceType": "Medication", "id": "m1", "code": OXYCODONE_5})
    assert one.opioids[0].name == "oxycodone"


def test_reference_to_nothing_is_said() -> None:
    entry = on_chart("o1", medicationCodeableConcept=None, medicationReference={"reference": "Medication/gone"})
    assert found(entry).unrecognised == ("a medicine without a name",)


# -------------------------------------------------------------------------------------------------- each medicine once


def test_the_same_order_in_two_bundles_counts_once() -> None:
    assert len(others(opioid(), opioid(), anything=bundle(opioid()))) == 1
    assert len(baclofen(on_chart("b1"), anything=bundle(on_chart("b1")))) == 1


def test_the_same_order_without_an_id_counts_once() -> None:
    without = opioid()
    del without["id"]
    assert len(others(without, without)) == 1


def test_two_orders_of_one_drug_are_two() -> None:
    assert len(others(opioid("o1"), opioid("o2"))) == 2


def test_a_statement_or_dispense_of_an_ordered_medicine_is_not_more_of_it() -> None:
    handed_over = dispense("x1", whenHandedOver="2026-11-20", daysSupply=quantity(30, "d"))
    assert [one.origin.resource for one in others(statement("s1"), handed_over, opioid())] == ["MedicationRequest/o1"]
    assert [one.origin.resource for one in others(handed_over, statement("s1"))] == ["MedicationStatement/s1"]
    assert len(others(on_chart("c1", CLONAZEPAM), handed_over)) == 2


# ---------------------------------------------------------------------------------------------------------- since when


def test_an_unbroken_run_starts_with_its_first_order() -> None:
    (one,) = others(
        opioid("o3", authoredOn="2026-11-01"),
        opioid("o2", status="completed", authoredOn="2026-09-20", **validity("2026-10-20")),
        opioid("o1", status="completed", authoredOn="2026-08-20", **supply(30)),
    )
    assert one.started == date(2026, 8, 20)


def test_a_gap_begins_a_new_run() -> None:
    (one,) = others(
        opioid("o2", authoredOn="2026-11-01"),
        opioid("o1", status="completed", authoredOn="2026-06-01", **validity("2026-07-01")),
    )
    assert one.started == date(2026, 11, 1)


@pytest.mark.parametrize(("end", "started"), [("2026-10-18", date(2026, 9, 1)), ("2026-10-17", date(2026, 11, 1))])
def test_a_gap_of_14_days_does_not_break_a_run(end: str, started: date) -> None:
    (one,) = others(
        opioid("o2", authoredOn="2026-11-01"),
        opioid("o1", status="completed", authoredOn="2026-09-01", **validity(end)),
    )
    assert one.started == started


def test_another_drug_is_another_run() -> None:
    read = others(
        opioid("o2", authoredOn="2026-11-01"),
        on_chart("c1", CLONAZEPAM, status="completed", authoredOn="2026-10-10", **validity("2026-11-01")),
    )
    assert [one.started for one in read] == [date(2026, 11, 1)]


# --------------------------------------------------------------------------------------------- rescue products, IN-NAL


@pytest.mark.parametrize(
    ("entry", "on_file"),
    [
        (on_chart("n1", NALOXONE, authoredOn="2026-08-23"), date(2026, 8, 23)),
        (on_chart("n1", NALOXONE, status="completed", authoredOn="2025-11-23"), date(2025, 11, 23)),
        (on_chart("n1", NALOXONE, authoredOn="2025-11-22"), None),
        (on_chart("n1", NALOXONE, authoredOn="2026-11-24"), None),
        (dispense("n1", NALOXONE, whenHandedOver="2026-09-23"), date(2026, 9, 23)),
        (statement("n1", NALOXONE, effectiveDateTime="2026-09-23"), date(2026, 9, 23)),
        (on_chart("n1", NALOXONE, status="cancelled"), None),
        (on_chart("n1", NALOXONE, status="entered-in-error"), None),
        (on_chart("n1", NALOXONE, dosage(quantity(1), ONCE), **ONE_OFF), None),
        (on_chart("n1", {"text": "buprenorphine 8 mg / naloxone 2 mg film"}), None),
    ],
)
def test_rescue_on_file(entry: Json, on_file: date | None) -> None:
    assert found(entry).rescue_on_file == on_file


def test_buprenorphine_with_naloxone_by_its_ingredients_is_no_rescue() -> None:
    parts = [{"itemCodeableConcept": concept(code)} for code in ("1819", "7242")]
    film = {"resourceType": "Medication", "id": "m1", "code": {"text": "film"}, "ingredient": parts}
    entry = on_chart("n1", medicationCodeableConcept=None, medicationReference={"reference": "#m1"}, contained=[film])
    read = found(entry)
    assert read.rescue_on_file is None
    assert DrugClass.OPIOID in read.others[0].classes


# ------------------------------------------------------------------------------------------------------------ baclofen


def test_baclofen_on_the_chart() -> None:
    (one,) = baclofen(
        on_chart(
            "b1", concept(BACLOFEN_20), dosage(quantity(1, "{tbl}"), TID), requester={"display": "Dr A"}, **supply(60)
        )
    )
    assert (one.reference, one.route, daily(one)) == ("MedicationRequest/b1", Route.ORAL, "60 mg/day")
    assert (one.standing, one.since, one.ended) == (Standing.ACTIVE, date(2026, 6, 1), False)
    assert (one.supply_ends, one.prescriber) == (date(2026, 7, 31), "Dr A")


@pytest.mark.parametrize(
    ("elements", "supply_ends"),
    [
        (validity("2026-12-31"), date(2026, 12, 31)),
        ({"dispenseRequest": {
            "validityPeriod": {"start": "2026-06-10", "end": "2026-12-31"}, "expectedSupplyDuration": quantity(30, "d"),
        }}, date(2026, 12, 31)),
        ({"dispenseRequest": {
            "validityPeriod": {"start": "2026-06-10"}, "expectedSupplyDuration": quantity(30, "d"),
        }}, date(2026, 7, 10)),
        (supply(90), date(2026, 8, 30)),
        ({"dispenseRequest": {"expectedSupplyDuration": quantity(4, unit="weeks")}}, date(2026, 6, 29)),
        ({"dosageInstruction": [
            dosage(quantity(10, "mg"), repeat(3, boundsPeriod={"start": "2026-06-01", "end": "2026-09-01"})),
        ]}, date(2026, 9, 1)),
        ({}, None),
    ],
)  # fmt: skip
def test_end_of_supply_of_an_order(elements: Json, supply_ends: date | None) -> None:
    (one,) = baclofen(on_chart("b1", **elements))
    assert one.supply_ends == supply_ends


def test_end_of_supply_of_statements_and_dispenses() -> None:
    (one,) = baclofen(
        statement("s1", concept(BACLOFEN_5), effectivePeriod={"start": "2026-01-01", "end": "2026-12-24"})
    )
    assert (one.since, one.supply_ends) == (date(2026, 1, 1), date(2026, 12, 24))
    (one,) = baclofen(dispense("x1", concept(BACLOFEN_5), whenHandedOver="2026-11-01", daysSupply=quantity(30, "d")))
    assert (one.since, one.supply_ends) == (date(2026, 11, 1), date(2026, 12, 1))


@pytest.mark.parametrize(
    ("elements", "standing", "ended"),
    [
        ({"status": "active"}, Standing.ACTIVE, False),
        ({"status": "on-hold"}, Standing.ON_HOLD, False),
        ({"status": "stopped", **validity("2026-11-20")}, Standing.RECENT, True),
        ({"status": "cancelled"}, Standing.RECENT, True),
        # its supply ran out 14 days ago, and 15
        ({"status": "completed", **validity("2026-11-09")}, Standing.RECENT, False),
        ({"status": "completed", **validity("2026-11-08")}, Standing.RECENT, True),
        ({"status": "completed"}, Standing.RECENT, True),
        ({"status": "completed", "authoredOn": "2019-01-01"}, Standing.RECENT, True),
    ],
)
def test_ended_baclofen_is_kept_as_history(elements: Json, standing: Standing, ended: bool) -> None:
    (one,) = baclofen(on_chart("b1", **elements))
    assert (one.standing, one.ended) == (standing, ended)


def test_pump_on_the_chart() -> None:
    (one,) = baclofen(on_chart("b1", concept(BACLOFEN_PUMP), dosage(quantity(400, "ug"), repeat(1))))
    assert (one.route, daily(one)) == (Route.INTRATHECAL, "400 micrograms/day")


def test_unreadable_dose_on_the_chart() -> None:
    (one,) = baclofen(on_chart("b1", concept(BACLOFEN_INGREDIENT), {"text": "as directed"}))
    assert daily(one) == "the dosage is given only as free text"


TEN_TID, TWENTY_TID = (dosage(quantity(dose, "mg"), TID) for dose in (10, 20))


def _references(*entries: Json) -> list[str]:
    return [one.reference for one in baclofen(*entries)]


def test_an_order_speaks_for_a_statement_of_the_same_or_an_older_dose() -> None:
    order = on_chart("b1", None, TEN_TID, authoredOn="2026-10-01")
    same = statement("s1", concept(BACLOFEN_5), TEN_TID, effectiveDateTime="2026-11-01")
    older = statement("s2", concept(BACLOFEN_5), TWENTY_TID, effectiveDateTime="2026-09-01")
    newer = statement("s3", concept(BACLOFEN_5), TWENTY_TID, effectiveDateTime="2026-11-01")
    unread = statement("s4", concept(BACLOFEN_5), {"text": "as directed"}, effectiveDateTime="2026-11-01")
    assert _references(order, same, older, unread) == ["MedicationRequest/b1"]
    assert _references(order, newer) == ["MedicationRequest/b1", "MedicationStatement/s3"]
    assert _references(newer) == ["MedicationStatement/s3"]


def test_a_dispense_counts_only_without_order_and_statement() -> None:
    handed_over = dispense("x1", None, TEN_TID, whenHandedOver="2026-11-20", daysSupply=quantity(30, "d"))
    handed_over["medicationCodeableConcept"] = concept(BACLOFEN_5)
    stopped = on_chart("b1", None, TEN_TID, status="stopped")
    assert _references(handed_over) == ["MedicationDispense/x1"]
    assert _references(on_chart("b1"), handed_over) == ["MedicationRequest/b1"]
    assert _references(stopped, handed_over) == ["MedicationRequest/b1", "MedicationDispense/x1"]


# ------------------------------------------------------------------------------------------------ copies of the drafts


def _beside(draft: Json, *entries: Json) -> MedicationList:
    return found(*entries, draft=draft)


def test_the_chart_copy_of_a_draft_is_not_current_baclofen() -> None:
    assert _beside(request("d1"), request("d1")).baclofen == ()
    assert _beside(request("d1"), on_chart("d1", authoredOn="2026-11-23")).baclofen == ()
    assert _beside(request("d1"), on_chart("d1", authoredOn=None)).baclofen == ()


def test_an_earlier_version_of_a_draft_is_the_current_dose() -> None:
    earlier = on_chart("d1", None, TEN_TID, authoredOn="2026-11-22")
    (one,) = _beside(request("d1", None, TWENTY_TID, status="active"), earlier).baclofen
    assert daily(one) == "30 mg/day"


def test_the_chart_copy_of_a_stop_order_is_what_is_stopped() -> None:
    (one,) = _beside(request("d1", status="stopped"), on_chart("d1", authoredOn="2026-11-23")).baclofen
    assert (one.standing, one.ended) == (Standing.ACTIVE, False)


def test_the_chart_copy_of_an_opioid_draft_counts_once() -> None:
    hook_call = call(request("d1"), opioid("o1", status="draft"), prefetch={"medications": bundle(opioid("o1"))})
    read = medication_list(hook_call, chart(hook_call), codes(), NOW)
    assert isinstance(read, MedicationList)
    assert read.others == ()


def test_an_opioid_that_is_stopped_now_was_taken_until_today() -> None:
    hook_call = call(request("d1"), opioid("o1", status="stopped"), prefetch={"medications": bundle(opioid("o1"))})
    read = medication_list(hook_call, chart(hook_call), codes(), NOW)
    assert isinstance(read, MedicationList)
    assert [(one.standing, one.ended) for one in read.others] == [(Standing.RECENT, NOW.date())]


# --------------------------------------------------------------------------------------------------- what was not read


def _list(prefetch: Json) -> MedicationList | Missing:
    hook_call = call(request("d1"), prefetch=prefetch)
    return medication_list(hook_call, chart(hook_call), codes(), NOW)


def test_v64_not_readable() -> None:
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    read = _list({"medications": failed, "patient": {"resourceType": "Patient", "id": "p1"}})
    assert isinstance(read, Missing)
    assert (read.what, read.why) == (Input.MEDICATIONS, Why.NOT_AVAILABLE)


def test_not_sent_is_not_empty() -> None:
    patient = {"resourceType": "Patient", "id": "p1"}
    assert isinstance(_list({"patient": patient}), Missing)
    assert _list({"medications": None, "patient": patient}) == MedicationList()
    assert _list({"medications": bundle(), "patient": patient}) == MedicationList()


def test_medicines_under_another_key_make_an_incomplete_list() -> None:
    read = _list({"meds": bundle(opioid())})
    assert isinstance(read, MedicationList)
    assert len(read.others) == 1
    assert read.incomplete


def test_a_malformed_entry_costs_itself_and_is_said() -> None:
    read = _list({"medications": bundle(opioid(), opioid("o2") | {"status": 7})})
    assert isinstance(read, MedicationList)
    assert len(read.others) == 1
    assert read.incomplete == "1 of its entries could not be read"


@pytest.mark.parametrize("malformed", [7, "10 mg TID", [None], [{"timing": "daily"}], [{"route": {"text": 5}}]])
def test_a_malformed_instruction_costs_the_dose_and_not_the_medicine(malformed: Any) -> None:
    (one,) = baclofen(on_chart("b1", concept(BACLOFEN_20)) | {"dosageInstruction": malformed})
    assert (one.dose, one.standing) == (Unreadable("dosageInstruction is malformed"), Standing.ACTIVE)
    (other,) = others(opioid() | {"dosageInstruction": malformed})
    assert other.classes == {DrugClass.OPIOID}
    assert [ingredient.daily for ingredient in other.opioids] == [None]


def test_a_malformed_entry_under_another_key_is_said() -> None:
    read = _list({"medications": bundle(), "meds": bundle(opioid("o2") | {"status": 7})})
    assert isinstance(read, MedicationList)
    assert read.incomplete


def test_other_patients_medicines_do_not_count() -> None:
    assert (
        others(opioid(), opioid("o2", subject={"reference": "Patient/p2"}))[0].origin.resource == "MedicationRequest/o1"
    )


# -------------------------------------------------------------------------------------------------------- never raises

_DATES = st.sampled_from(
    ["2026", "2026-11", "2026-11-23", "2026-11-23T23:30:00-05:00", "9999-12-31", "0001-01-01", "x", None]
)
_ELEMENTS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["active", "completed", "stopped", "on-hold", "x", None]),
        "authoredOn": _DATES,
        "effectiveDateTime": _DATES,
        "effectivePeriod": st.fixed_dictionaries({"start": _DATES, "end": _DATES}),
        "whenHandedOver": _DATES,
        "daysSupply": st.sampled_from(
            [quantity(30, "d"), quantity(1e15, "a"), quantity(-1, "d"), quantity("3", "d"), {}]
        ),
        "dispenseRequest": st.sampled_from([supply(30), supply(10**9), validity("9999-12-31")]).map(
            lambda element: element["dispenseRequest"]
        ),
        "requester": st.sampled_from([{"display": "Dr"}, "Dr", 7, {"agent": {"display": "Dr"}}, []]),
        "category": st.sampled_from([7, "inpatient", [concept("inpatient")], {"coding": 3}]),
    },
)


@given(st.lists(st.tuples(st.sampled_from([on_chart, statement, dispense]), _ELEMENTS), max_size=4))
@settings(deadline=None)
def test_any_chart_is_read(entries: list[Any]) -> None:
    resources = [make(f"x{n}", None, TEN_TID) | elements for n, (make, elements) in enumerate(entries)]
    assert isinstance(_list({"medications": json.loads(json.dumps(bundle(*resources)))}), MedicationList | Missing)

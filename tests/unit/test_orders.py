"""Draft orders → baclofen orders and the other drafts (rules.md 3; checklist rows 31-44, 53; resolutions 8-10)."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.facts import (
    BaclofenOrder,
    DrugClass,
    Hook,
    OralDose,
    Problem,
    PumpDose,
    Recognised,
    Route,
    Setting,
    Standing,
    Unreadable,
)  # fmt: skip
from cds_service.gather.orders import Orders, concerns_baclofen, read_orders
from tests.unit.fhir_json import (
    BACLOFEN_5,
    BACLOFEN_INGREDIENT,
    BACLOFEN_PUMP,
    NOW,
    PATIENT,
    RXNORM,
    SNOMED,
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

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
OXYCODONE_5 = concept("1049621", "oxycodone hydrochloride 5 MG Oral Tablet")
HYDROCODONE_APAP = concept("856987", "acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet")
ACETAMINOPHEN = concept("161", "acetaminophen")
CLONAZEPAM = concept("2598", "clonazepam")
TEN_MG_TID = dosage(quantity(10, "mg"), TID)
PREFETCH: Json = {"medications": bundle(), "patient": {"resourceType": "Patient", "id": "p1"}}


def read(*drafts: Json, prefetch: Json | None = None, **other: Any) -> Orders:
    hook_call = call(*drafts, prefetch=prefetch if prefetch is not None else PREFETCH, **other)
    return read_orders(hook_call, chart(hook_call), codes(), NOW)


def only(*drafts: Json, **other: Any) -> BaclofenOrder:
    orders = read(*drafts, **other).orders
    assert len(orders) == 1, orders
    return orders[0]


def daily(order: BaclofenOrder) -> str:
    match order.dose:
        case OralDose() as dose:
            return f"{dose.highest}"
        case PumpDose() as pump:
            return f"{pump.daily}"
        case Unreadable(reason=reason):
            return reason


def medication(identity: str | None = "m1", code: Json | None = None, **other: Any) -> Json:
    made: Json = {
        "resourceType": "Medication",
        "code": code or concept(BACLOFEN_5, "Baclofen 5 MG Oral Tablet"),
        **other,
    }
    return made | ({"id": identity} if identity else {})


def referring(reference: str, *dosages: Json, display: str | None = None, **other: Any) -> Json:
    """A draft whose medicine is a reference; two tablets TID unless dosages are given."""
    pointer = {"reference": reference} | ({"display": display} if display else {})
    lines = dosages or (dosage(quantity(2, "{tbl}"), TID),)
    elements = {"medicationCodeableConcept": None, "medicationReference": pointer} | other
    return request("d1", None, *lines, **elements)


# ------------------------------------------------------------------------------------- which medicine (rows 31-38, 53)


def test_a_coded_order() -> None:
    order = only(request("d1", authoredOn="2026-11-23"))
    assert (order.reference, daily(order), order.route) == ("MedicationRequest/d1", "30 mg/day", Route.ORAL)
    assert (order.recognised, order.origin.coding) == (Recognised.BY_CODE, "RxNorm 197391")
    assert (order.authored, order.stops, order.prior, order.prior_found) == (date(2026, 11, 23), False, None, True)


def test_31_an_order_without_medicine_is_ignored() -> None:
    orders = read(request("d1", medicationCodeableConcept=None))
    assert (orders.orders, orders.drafted, orders.drafted_unrecognised) == ((), (), ())


def test_32_text_only() -> None:
    order = only(request("d1", {"text": "Baclofen 10mg"}))
    assert (order.recognised, daily(order)) == (Recognised.BY_TEXT, "30 mg/day")


@pytest.mark.parametrize(
    "medicine",
    [
        concept("197391", system="urn:oid:2.16.840.1.113883.6.88"),
        concept("00115-1010-01", system="http://hl7.org/fhir/sid/ndc"),
        {"coding": [{"system": "urn:local", "code": "B10"}, {"system": RXNORM, "code": "197391"}]},
        {"coding": {"system": RXNORM, "code": "197391"}},
    ],
)
def test_33_other_codings(medicine: Json) -> None:
    order = only(request("d1", medicine, dosage(quantity(1, "{tbl}"), TID)))
    assert (order.recognised, daily(order)) == (Recognised.BY_CODE, "30 mg/day")


def test_34_contained() -> None:
    assert daily(only(referring("#m1", contained=[medication()]))) == "30 mg/day"


@pytest.mark.parametrize("reference", ["Medication/m1", "Medication/m1/_history/2"])
def test_35_entry_of_the_drafts_by_id(reference: str) -> None:
    assert daily(only(referring(reference), medication())) == "30 mg/day"


@pytest.mark.parametrize(
    ("reference", "full_url"),
    [
        ("urn:uuid:4F0E7F6C-0000-4000-8000-000000000001", "urn:uuid:4f0e7f6c-0000-4000-8000-000000000001"),
        ("https://ehr.example/fhir/Medication/m1", "https://ehr.example/fhir/Medication/m1"),
    ],
)
def test_35_entry_of_the_drafts_by_full_url(reference: str, full_url: str) -> None:
    entry = {"fullUrl": full_url, "resource": medication(None)}
    assert daily(only(referring(reference), entry)) == "30 mg/day"


def test_35_prefetched() -> None:
    prefetch = {"medications": bundle(medication())}
    assert daily(only(referring("Medication/m1"), prefetch=prefetch)) == "30 mg/day"
    assert daily(only(referring("Medication/m1"), prefetch={"patient": None, "anything": medication()})) == "30 mg/day"


def test_36_absolute_under_the_base_of_the_call() -> None:
    draft = referring("https://ehr.example/fhir/Medication/m1")
    assert daily(only(draft, medication(), fhirServer="https://ehr.example/fhir/")) == "30 mg/day"


def test_37_another_host_is_not_this_medicine() -> None:
    draft = referring("https://other.example/fhir/Medication/m1")
    orders = read(draft, medication(), fhirServer="https://ehr.example/fhir")
    assert orders.orders == ()
    assert orders.drafted_unrecognised == ("a medicine without a name",)


def test_37_dangling_and_circular_references_end() -> None:
    circle = medication(ingredient=[{"itemReference": {"reference": "#m1"}}])
    assert daily(only(referring("#m1", contained=[circle]))) == "30 mg/day"
    assert read(referring("Medication/nowhere")).orders == ()
    assert read(referring("Medication?code=1292")).orders == ()


def test_53_display_is_the_last_resort() -> None:
    order = only(referring("Medication/elsewhere", display="BACLOFEN 10 MG PO TABS"))
    assert (order.recognised, daily(order)) == (Recognised.BY_TEXT, "60 mg/day")


def test_a_code_beats_the_display() -> None:
    orders = read(referring("Medication/m1", display="Baclofen"), medication(code=OXYCODONE_5))
    assert orders.orders == ()
    assert [one.classes for one in orders.drafted] == [{DrugClass.OPIOID}]


def test_38_both_given_and_different() -> None:
    orders = read(referring("Medication/m1", medicationCodeableConcept=OXYCODONE_5), medication())
    assert daily(orders.orders[0]) == "the order names two different medicines"
    assert DrugClass.OPIOID in orders.drafted[0].classes


def test_38_both_given_and_equal() -> None:
    order = only(referring("Medication/m1", medicationCodeableConcept=concept(BACLOFEN_5)), medication())
    assert daily(order) == "30 mg/day"


def test_two_strengths_in_one_concept() -> None:
    two = {"coding": [{"system": RXNORM, "code": "197391"}, {"system": RXNORM, "code": "197392"}]}
    assert "strength" in daily(only(request("d1", two, dosage(quantity(1, "{tbl}"), TID))))
    assert daily(only(request("d1", two, TEN_MG_TID))) == "30 mg/day"


def test_r5_medication() -> None:
    draft = request("d1", medicationCodeableConcept=None, medication={"concept": concept(BACLOFEN_5)})
    assert daily(only(draft)) == "30 mg/day"
    draft = request("d1", medicationCodeableConcept=None, medication={"reference": {"reference": "Medication/m1"}})
    assert daily(only(draft, medication())) == "30 mg/day"


def test_dstu2_medication_order() -> None:
    draft = request("o1", resourceType="MedicationOrder", subject=None, patient={"reference": PATIENT})
    order = only(draft | {"dosageInstruction": [{"doseQuantity": quantity(1, "{tbl}"), "timing": TID}]})
    assert (order.reference, daily(order)) == ("MedicationOrder/o1", "30 mg/day")


def test_ingredients_of_a_product() -> None:
    part = {"itemCodeableConcept": concept(BACLOFEN_INGREDIENT), "strength": {
        "numerator": quantity(5, "mg"), "denominator": quantity(1, "mL"),
    }}  # fmt: skip
    liquid = medication(code={"text": "house mixture"}, ingredient=[part])
    assert daily(only(referring("#m1", dosage(quantity(2, "mL"), TID), contained=[liquid]))) == "30 mg/day"


def test_ingredient_strength_that_says_nothing() -> None:
    part = {"itemCodeableConcept": concept(BACLOFEN_INGREDIENT), "strength": {
        "numerator": quantity(50, "mg"), "denominator": quantity(50, "mg"),
    }}  # fmt: skip
    odd = medication(code={"text": "house mixture"}, ingredient=[part])
    assert "strength" in daily(only(referring("#m1", contained=[odd])))


def test_ingredient_by_reference_to_a_substance() -> None:
    substance = {"resourceType": "Substance", "id": "s1", "code": concept(BACLOFEN_INGREDIENT)}
    mixed = medication(code={"text": "house mixture"}, ingredient=[{"itemReference": {"reference": "#s1"}}])
    assert daily(only(referring("#m1", TEN_MG_TID, contained=[mixed, substance]))) == "30 mg/day"


def test_a_mixture_with_another_drug() -> None:
    parts = [{"itemCodeableConcept": concept(BACLOFEN_INGREDIENT)}, {"itemCodeableConcept": CLONAZEPAM}]
    orders = read(referring("#m1", contained=[medication(code={"text": "capsule"}, ingredient=parts)]))
    assert daily(orders.orders[0]) == "baclofen is one of several drugs in this product"
    assert DrugClass.BENZODIAZEPINE in orders.drafted[0].classes


# ------------------------------------------------------------------------------------------------------- route, row 38


def test_intrathecal_by_product() -> None:
    order = only(request("d1", concept(BACLOFEN_PUMP), dosage(quantity(400, "ug"), repeat(1))))
    assert (order.route, daily(order)) == (Route.INTRATHECAL, "400 micrograms/day")


@pytest.mark.parametrize(
    "route", [concept("72607000", "Intrathecal route", SNOMED), {"text": "Intrathecal"}, {"text": "IT"}]
)
def test_intrathecal_by_route(route: Json) -> None:
    line = dosage(quantity(50, "mg"), repeat(1), route=route)
    order = only(request("d1", concept(BACLOFEN_INGREDIENT), line))
    assert (order.route, daily(order)) == (Route.INTRATHECAL, "50000 micrograms/day")


def test_intrathecal_by_rate() -> None:
    line = {"doseAndRate": [{"rateQuantity": quantity(400, "ug/d")}]}
    order = only(request("d1", concept(BACLOFEN_INGREDIENT), line))
    assert (order.route, daily(order)) == (Route.INTRATHECAL, "400 micrograms/day")


def test_no_route_by_resolution_10() -> None:
    ingredient = concept(BACLOFEN_INGREDIENT)
    ten = only(request("d1", ingredient, dosage(quantity(10, "mg"), repeat(1))))
    assert (ten.route, daily(ten)) == (Route.ORAL, "10 mg/day")
    micrograms = only(request("d1", ingredient, dosage(quantity(5000, "ug"), TID)))
    assert daily(micrograms) == "the dose is in micrograms and no route is stated"
    stated = dosage(quantity(5000, "ug"), TID, route=concept("26643006", "Oral route", SNOMED))
    assert daily(only(request("d1", ingredient, stated))) == "15 mg/day"


def test_product_against_instruction() -> None:
    order = only(request("d1", None, dosage(quantity(10, "mg"), TID, route={"text": "Intrathecal"})))
    assert (order.route, daily(order)) == (Route.ORAL, "the product is oral and the instruction intrathecal")


def test_feeding_tube_is_oral() -> None:
    line = dosage(quantity(2.5, "mg"), repeat(2), route={"text": "Per G Tube", "coding": [{"display": "Gastrostomy"}]})
    assert daily(only(request("d1", concept(BACLOFEN_INGREDIENT), line))) == "5 mg/day"


@pytest.mark.parametrize(
    "draft",
    [
        request("d1", {"text": "baclofen 2% cream"}),
        request("d1", concept(BACLOFEN_INGREDIENT), dosage(quantity(1), TID, route={"text": "Topical"})),
    ],
)
def test_topical_baclofen_is_silent(draft: Json) -> None:
    orders = read(draft)
    assert (orders.orders, orders.drafted, orders.drafted_unrecognised) == ((), (), ())


# ------------------------------------------------------------------------------------------------ stops (resolution 8)


@pytest.mark.parametrize(
    "draft",
    [
        *(request("d1", status=status) for status in ("stopped", "cancelled", "completed", "ended")),
        request("d1", doNotPerform=True),
        request("d1", None, dosage(quantity(0, "mg"), TID)),
    ],
)
def test_stops(draft: Json) -> None:
    assert only(draft).stops


@pytest.mark.parametrize("status", ["draft", "active", "on-hold", "unknown", None])
def test_running_orders_are_evaluated_whatever_their_status(status: str | None) -> None:
    assert not only(request("d1", status=status)).stops


def test_a_taper_that_ends_at_0_is_no_stop() -> None:
    timing = {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d", "boundsDuration": quantity(7, "d")}}
    lines = [dosage(quantity(dose, "mg"), timing, sequence=n) for n, dose in enumerate((10, 5, 0), 1)]
    assert not only(request("d1", None, *lines)).stops


def test_entered_in_error_is_ignored() -> None:
    assert read(request("d1", status="entered-in-error")).orders == ()


# --------------------------------------------------------------------------------------------------- priorPrescription


def _prior(reference: str, *others: Json, prefetch: Json) -> tuple[str | None, bool]:
    order = read(request("d1", priorPrescription={"reference": reference}), *others, prefetch=prefetch).orders[0]
    return order.prior, order.prior_found


def test_prior_prescription() -> None:
    on_file = {"medications": bundle(on_chart("old"))}
    assert _prior("MedicationRequest/old", prefetch=on_file) == ("MedicationRequest/old", True)
    assert _prior("https://ehr.example/fhir/MedicationRequest/old/_history/3", prefetch=on_file)[1]
    assert _prior("MedicationRequest/old", prefetch={"other": on_chart("old")})[1]
    assert _prior("MedicationRequest/old", on_chart("old", status="stopped"), prefetch=PREFETCH)[1]
    assert _prior("MedicationRequest/lost", prefetch=on_file) == ("MedicationRequest/lost", False)
    assert _prior("MedicationRequest/d1", prefetch=PREFETCH) == ("MedicationRequest/d1", False)


# ------------------------------------------------------------------------------------------------------------- reasons


AUD = concept("F10.20", "Alcohol dependence, uncomplicated", ICD10)
MS = concept("G35", "Multiple sclerosis", ICD10)
CONDITION = {"resourceType": "Condition", "id": "c1", "code": AUD, "subject": {"reference": PATIENT}}


@pytest.mark.parametrize(
    "reason",
    [
        {"reasonCode": [AUD]},
        {"reasonCode": AUD},
        {"reasonCodeableConcept": AUD},
        {"reason": [{"concept": AUD}]},
        {"reasonReference": [{"reference": "Condition/c1"}]},
        {"reasonReference": {"reference": "Condition/c1"}},
        {"reason": [{"reference": {"reference": "Condition/c1"}}]},
        {"reasonReference": [{"reference": "#c1"}], "contained": [CONDITION]},
    ],
)
def test_reason_by_code(reason: Json) -> None:
    prefetch = {"conditions": bundle(CONDITION)}
    order = only(request("d1", **reason), prefetch=prefetch)
    assert Problem.ALCOHOL_USE_DISORDER in order.reasons
    assert order.reason_given


def test_reason_for_spasticity() -> None:
    order = only(request("d1", reasonCode=[MS]))
    assert (Problem.SPASTICITY in order.reasons, order.reason_mentions_alcohol) == (True, False)


@pytest.mark.parametrize(
    ("reason", "given", "alcohol"),
    [
        ({"reasonCode": [{"text": "Alcohol craving"}]}, True, True),
        ({"reasonReference": [{"reference": "Condition/nowhere", "display": "ALCOHOL dependence"}]}, True, True),
        ({"reasonCode": [{"text": "muscle spasm"}]}, True, False),
        ({"reasonReference": [{"reference": "Condition/nowhere"}]}, True, False),
        ({"reasonCode": [{}]}, False, False),
        ({}, False, False),
    ],
)
def test_reason_by_text(reason: Json, given: bool, alcohol: bool) -> None:
    order = only(request("d1", **reason))
    assert (order.reason_given, order.reason_mentions_alcohol) == (given, alcohol)


# -------------------------------------------------------------------------------------- whose order, and which (41-43)


def test_41_an_order_for_another_patient_is_counted_only() -> None:
    orders = read(request("d1", subject={"reference": "Patient/p2"}), request("d2"))
    assert ([one.reference for one in orders.orders], orders.for_other_patients) == (["MedicationRequest/d2"], 1)
    other_drug = read(request("d1", OXYCODONE_5, subject={"reference": "Patient/p2"}))
    assert (other_drug.drafted, other_drug.for_other_patients) == ((), 0)


@pytest.mark.parametrize(
    "subject",
    [
        None, {"display": "Somebody"}, {"reference": "p1"}, {"reference": "https://ehr.example/fhir/Patient/p1"},
        {"reference": "Patient/p1/_history/4"}, {"reference": "urn:uuid:p1"},
    ],
)  # fmt: skip
def test_41_this_patient(subject: Json | None) -> None:
    assert read(request("d1", subject=subject)).for_other_patients == 0
    assert only(request("d1", subject=subject)).reference == "MedicationRequest/d1"


@pytest.mark.parametrize("subject", ["Patient/p12", "Practitioner/p1", "Patient/P1", "Group/p1", "urn:uuid:p2"])
def test_41_not_this_patient(subject: str) -> None:
    assert read(request("d1", subject={"reference": subject})).for_other_patients == 1


@pytest.mark.parametrize(
    ("selections", "evaluated"),
    [
        (["MedicationRequest/d2"], ["d2"]),
        (["d2"], ["d2"]),
        (["MedicationRequest/d1", "MedicationRequest/d2"], ["d1", "d2"]),
        (["MedicationRequest/d2", "MedicationRequest/nowhere"], ["d2"]),
        (["MedicationRequest/nowhere"], ["d1", "d2"]),
        ([], ["d1", "d2"]),
        (["MedicationRequest/o1"], []),
        (["ServiceRequest/s1"], []),
    ],
)
def test_42_selections(selections: list[str], evaluated: list[str]) -> None:
    drafts = [request("d1"), request("d2"), request("o1", OXYCODONE_5)]
    orders = read(*drafts, hook=Hook.ORDER_SELECT, selections=selections)
    assert [one.reference for one in orders.orders] == [f"MedicationRequest/{one}" for one in evaluated]
    assert [one.origin.resource for one in orders.drafted] == ["MedicationRequest/o1"]


def test_43_the_same_draft_twice_counts_once() -> None:
    assert len(read(request("d1"), request("d1")).orders) == 1
    assert len(read(request("d1"), request("d2")).orders) == 2


def test_drafts_without_an_id_are_evaluated_each() -> None:
    without = request("x")
    del without["id"]
    orders = read(without, without).orders
    assert [one.reference for one in orders] == ["", ""]


# ---------------------------------------------------------------------------------------------------- the other drafts


def test_other_drafts() -> None:
    orders = read(
        request("d1"),
        request("o1", OXYCODONE_5, dosage(quantity(2, "{tbl}"), repeat(1, 6, "h"), asNeededBoolean=True)),
        request("a1", ACETAMINOPHEN),
        request("u1", {"text": "herbal drops", "coding": [{"system": "urn:local", "code": "9"}]}),
    )
    opioid, other = orders.drafted
    assert (opioid.classes, opioid.standing, opioid.as_needed) == (frozenset({DrugClass.OPIOID}), Standing.DRAFT, True)
    assert [(one.name, str(one.daily)) for one in opioid.opioids] == [("oxycodone", "40 mg/day")]
    assert (other.classes, other.label) == (frozenset(), "acetaminophen")
    assert orders.drafted_unrecognised == ("herbal drops",)


def test_a_draft_that_is_as_needed_in_words() -> None:
    sig = {"text": "Take 1 tablet by mouth every 6 hours as needed"}
    (drafted,) = read(request("d1"), request("o1", OXYCODONE_5, sig)).drafted
    assert drafted.as_needed


@pytest.mark.parametrize("dose", [quantity(1, "{tbl}"), quantity(5, "mg")])
def test_v27_hydrocodone_of_a_combination(dose: Json) -> None:
    draft = request("o1", HYDROCODONE_APAP, dosage(dose, repeat(1, 6, "h"), asNeededBoolean=True))
    opioid = read(request("d1"), draft).drafted[0].opioids[0]
    assert (opioid.name, str(opioid.daily)) == ("hydrocodone", "20 mg/day")


def test_mg_of_a_combination_that_may_be_the_other_drug() -> None:
    draft = request("o1", HYDROCODONE_APAP, dosage(quantity(325, "mg"), repeat(1, 6, "h")))
    assert read(request("d1"), draft).drafted[0].opioids[0].daily is None


@pytest.mark.parametrize(
    "dead", [{"status": "stopped"}, {"status": "cancelled"}, {"status": "entered-in-error"}, {"doNotPerform": True}]
)
def test_a_dead_opioid_draft_is_no_co_prescription(dead: Json) -> None:
    assert read(request("d1"), request("o1", OXYCODONE_5, **dead)).drafted == ()


def test_eye_drops_do_not_count() -> None:
    drops = concept("0", "diphenhydramine ophthalmic solution", "urn:local")
    orders = read(request("d1"), request("o1", drops))
    assert (orders.drafted, orders.drafted_unrecognised) == ((), ())


# ------------------------------------------------------------------------------------------------------------- setting


@pytest.mark.parametrize(
    ("category", "setting"),
    [
        ([concept("inpatient")], Setting.INPATIENT),
        (concept("community"), Setting.AMBULATORY),
        ([concept("outpatient")], Setting.AMBULATORY),
        ([concept("discharge")], Setting.AMBULATORY),
        ("inpatient", Setting.INPATIENT),
        ([{"text": "Inpatient"}], Setting.INPATIENT),
        ([concept("inpatient"), concept("discharge")], Setting.UNKNOWN),
        ([concept("patientspecified")], Setting.UNKNOWN),
        (7, Setting.UNKNOWN),
        (None, Setting.UNKNOWN),
    ],
)
def test_setting_by_category(category: Any, setting: Setting) -> None:
    assert read(request("d1", category=category)).setting is setting


# -------------------------------------------------------------------------------------------------- malformed elements


def test_a_malformed_element_costs_that_element() -> None:
    order = only(request("d1", dispenseRequest="30 days", authoredOn=5))
    assert (daily(order), order.authored) == ("30 mg/day", None)


def test_a_malformed_dosage_is_said() -> None:
    order = only(request("d1", dosageInstruction="10 mg TID"))
    assert daily(order) == "dosageInstruction is malformed"
    assert isinstance(order.dose, Unreadable)
    assert order.dose.given


def test_baclofen_in_a_malformed_medicine_is_not_overlooked() -> None:
    draft = request("d1", medicationCodeableConcept="Baclofen 10 MG Oral Tablet")
    assert only(draft).recognised is Recognised.BY_TEXT
    assert concerns_baclofen(call(draft), codes())


def test_baclofen_behind_long_texts_is_not_overlooked() -> None:
    malformed = {"coding": "9" * 900, "text": "Baclofen 10 MG Oral Tablet"}
    assert concerns_baclofen(call(request("d1", medicationCodeableConcept=malformed)), codes())


@pytest.mark.parametrize("resource_type", [None, "", 5, []])
def test_an_order_without_a_resource_type_is_read_as_an_order(resource_type: Any) -> None:
    draft = request("d1") | {"resourceType": resource_type}
    assert concerns_baclofen(call(draft), codes())
    assert daily(only(draft)) == "30 mg/day"


def test_an_entry_that_is_no_resource_is_said() -> None:
    hook_call = call(request("d1"), {"resource": {"id": "x"}}, prefetch=PREFETCH)
    orders = read_orders(hook_call, chart(hook_call), codes(), NOW)
    assert orders.drafted_unrecognised == ("a draft order that could not be read",)


# --------------------------------------------------------------------------------------------------- concerns_baclofen


def test_concerns_baclofen() -> None:
    assert concerns_baclofen(call(request("d1")), codes())
    assert concerns_baclofen(call(request("d1", {"text": "Lioresal 10 mg"})), codes())
    assert concerns_baclofen(call(request("d1", subject={"reference": "Patient/p2"})), codes())
    assert not concerns_baclofen(call(request("d1", OXYCODONE_5)), codes())
    assert not concerns_baclofen(call(request("d1", medicationCodeableConcept=None)), codes())
    assert not concerns_baclofen(call(), codes())


def test_a_medicine_that_is_only_in_the_prefetch_may_be_baclofen() -> None:
    draft = referring("Medication/m1")
    assert concerns_baclofen(call(draft, prefetch={"medications": bundle(medication())}), codes())
    assert not concerns_baclofen(call(draft), codes())
    assert not concerns_baclofen(call(draft, prefetch={"medications": bundle(medication("other"))}), codes())


# -------------------------------------------------------------------------------------------------------- never raises

_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 500), st.text(max_size=8), st.sampled_from(["baclofen", "mg", "#m1"])
    ),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["coding", "code", "text", "reference", "value", "unit", "display"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
_ELEMENTS = sorted(
    set(request()) - {"resourceType"} | {"category", "contained", "reasonCode", "priorPrescription", "medication"}
)


@given(st.dictionaries(st.sampled_from(_ELEMENTS), _JSON, max_size=4))
@settings(deadline=None)
def test_any_draft_is_read(elements: Json) -> None:
    draft = json.loads(json.dumps(request() | elements))
    orders = read(draft, request("d2"))
    assert any(one.reference == "MedicationRequest/d2" for one in orders.orders)
